"""Journal rows made up for tests of the journal itself; no engine is asked."""

import secrets

from matching.journal.rows import Applied, JournalRow, Tail, chain


def applied(tail: Tail, count: int = 1) -> Applied:
    """A batch of made-up bytes after `tail`."""
    return Applied(
        first_seq=tail.last_seq + 1,
        last_seq=tail.last_seq + count,
        time_ns=tail.time_ns + 1,
        commands=secrets.token_bytes(20),
        events=secrets.token_bytes(30),
        state_hash=secrets.token_bytes(32),
    )


def row(tail: Tail, epoch: int, count: int = 1) -> JournalRow:
    """A row of made-up bytes after `tail`."""
    return chain(applied(tail, count), epoch, tail)
