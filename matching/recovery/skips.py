"""Commands in the journal that replay puts aside because the engine stops at them.

Operators ask for it (`python -m matching skip-poison`, or the admin port); a row of
`journal.skipped_commands` is the audit. The first primary that had to put one aside notes the head:
rows up to it were made with the command and are not compared any more.
"""

from dataclasses import dataclass
from typing import Final

from cambist.internal.journal.v1 import batch_pb2
from matching.journal.rows import JournalRow
from matching.sequencer.envelopes import batch, command_poisoned
from matching.sequencer.poison import market_of, singles
from runtime.postgres import Database

READ: Final = "select seq, compared_after_seq from journal.skipped_commands where shard = $1"
ASK: Final = """
insert into journal.skipped_commands (shard, seq, asked_by) values ($1, $2, $3)
on conflict do nothing
"""
NOTE_USED: Final = """
update journal.skipped_commands set compared_after_seq = $3
where shard = $1 and seq = any($2::bigint[]) and compared_after_seq = 0
"""


@dataclass(frozen=True, slots=True)
class Skips:
    """What may be put aside: the sequence of a command, and the head when it first was (or 0)."""

    compared_after: dict[int, int]

    def in_row(self, row: JournalRow) -> list[int]:
        """Sequences in a row that may be put aside, ascending."""
        return sorted(seq for seq in self.compared_after if row.first_seq <= seq <= row.last_seq)


async def read(database: Database, shard: int) -> Skips:
    """All that were asked for. Raises Unavailable."""
    rows = await database.read(READ, shard)
    return Skips({int(row[0]): int(row[1]) for row in rows})


async def ask(database: Database, shard: int, seq: int, asked_by: str) -> None:
    """Asks for one; asking again changes nothing. Raises Unavailable, Unknown."""
    await database.write(ASK, shard, seq, asked_by)


async def note_used(database: Database, shard: int, seqs: list[int], head: int) -> None:
    """The shard goes on from `head` without these commands. Raises Unavailable, Unknown."""
    await database.write(NOTE_USED, shard, seqs, head)


def without(row: JournalRow, seqs: list[int]) -> bytes:
    """The batch of a row with CommandPoisoned in the place of some commands."""
    whole = batch_pb2.Batch.FromString(row.commands)
    bodies: list[bytes] = []
    seq = row.first_seq
    for envelope in whole.envelopes:
        body = envelope.SerializeToString()
        if not any(seq <= wanted < seq + envelope.count for wanted in seqs):
            bodies.append(body)
        else:
            for index, single in enumerate(singles(body)):
                if seq + index in seqs:
                    single = command_poisoned(single, market_of(single), row.time_ns)  # noqa: PLW2901
                bodies.append(single)
        seq += envelope.count
    return batch(whole.shard, row.first_seq, row.time_ns, bodies)
