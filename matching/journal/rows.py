"""Journal rows as values: what a row holds, how rows are chained, how a chain is checked.

Pure. The layout of what is hashed is that of docs/semantics.md §2. Made by the writer and the
reader; a row is never changed after it was made.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from blake3 import blake3

from matching.errors import JournalCorrupt

HASH_BYTES: Final = 32
NO_HASH: Final = bytes(HASH_BYTES)
_HEAD: Final = struct.Struct("<QQQqQ")


@dataclass(frozen=True, slots=True)
class Tail:
    """The last row of both tables: where the chain stands. `first_seq` 0 = no row yet."""

    first_seq: int = 0
    last_seq: int = 0
    epoch: int = 0
    time_ns: int = 0
    state_hash: bytes = NO_HASH
    command_row_hash: bytes = NO_HASH
    event_row_hash: bytes = NO_HASH


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One batch: the row of commands and the row of events with the same sequences."""

    first_seq: int
    last_seq: int
    epoch: int
    time_ns: int
    commands: bytes = field(repr=False)
    events: bytes = field(repr=False)
    state_hash: bytes
    command_row_hash: bytes
    event_row_hash: bytes

    @property
    def tail(self) -> Tail:
        """Where the chain stands after this row."""
        return Tail(
            self.first_seq,
            self.last_seq,
            self.epoch,
            self.time_ns,
            self.state_hash,
            self.command_row_hash,
            self.event_row_hash,
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """What the engine made of a batch, before it is chained to an epoch."""

    first_seq: int
    last_seq: int
    time_ns: int
    commands: bytes = field(repr=False)
    events: bytes = field(repr=False)
    state_hash: bytes


def chain(applied: Applied, epoch: int, tail: Tail) -> JournalRow:
    """The journal row of a batch in `epoch`, after `tail`."""
    row = JournalRow(
        applied.first_seq,
        applied.last_seq,
        epoch,
        applied.time_ns,
        applied.commands,
        applied.events,
        applied.state_hash,
        NO_HASH,
        NO_HASH,
    )
    return replace(
        row,
        command_row_hash=row_hash(tail.command_row_hash, row, row.commands),
        event_row_hash=row_hash(tail.event_row_hash, row, row.events),
    )


def row_hash(previous: bytes, row: JournalRow, data: bytes) -> bytes:
    """The hash of a row in one table; `data` is that table's bytes."""
    hasher = blake3(previous)
    hasher.update(_HEAD.pack(row.first_seq, row.last_seq, row.epoch, row.time_ns, len(data)))
    hasher.update(data)
    hasher.update(row.state_hash)
    return hasher.digest()


def check_links(tail: Tail, rows: Sequence[JournalRow]) -> None:
    """As `check_link`, for rows in their order."""
    for row in rows:
        check_link(tail, row)
        tail = row.tail


def check_link(tail: Tail, row: JournalRow) -> None:
    """Raises JournalCorrupt, naming what differs, unless `row` may follow `tail`."""
    name = f"row first_seq={row.first_seq}"
    if row.first_seq != tail.last_seq + 1:
        raise JournalCorrupt(f"{name}: first_seq does not follow {tail.last_seq}")
    if row.last_seq < row.first_seq:
        raise JournalCorrupt(f"{name}: last_seq {row.last_seq} is below it")
    if not (0 <= row.epoch < 1 << 63 and row.epoch >= tail.epoch):
        raise JournalCorrupt(f"{name}: epoch {row.epoch} after {tail.epoch}")
    if row.time_ns < tail.time_ns:
        raise JournalCorrupt(f"{name}: time_ns goes back")
    if row_hash(tail.command_row_hash, row, row.commands) != row.command_row_hash:
        raise JournalCorrupt(f"{name}: row_hash of commands differs")
    if row_hash(tail.event_row_hash, row, row.events) != row.event_row_hash:
        raise JournalCorrupt(f"{name}: row_hash of events differs")
