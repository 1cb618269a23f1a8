"""Rows of the two journal tables side by side, and the hashes that bind them.

The layout of what is hashed is that of docs/semantics.md §2.
"""

import struct
from dataclasses import dataclass
from typing import Final

from blake3 import blake3

from venue.checker.findings import Findings, Kind

HASH_BYTES: Final = 32
NO_HASH: Final = bytes(HASH_BYTES)
_HEAD: Final = struct.Struct("<QQQqQ")


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One batch: the command row and the event row with the same sequences."""

    first_seq: int
    last_seq: int
    epoch: int
    time_ns: int
    commands: bytes
    events: bytes
    state_hash: bytes
    command_row_hash: bytes
    event_row_hash: bytes


def row_hash(previous: bytes, row: JournalRow, data: bytes) -> bytes:
    """The hash of a row of one table; `data` is that table's bytes."""
    head = _HEAD.pack(row.first_seq, row.last_seq, row.epoch, row.time_ns, len(data))
    return blake3(previous + head + data + row.state_hash).digest()


def chained_state_hash(previous: bytes, row: JournalRow) -> bytes:
    """The state hash after a batch."""
    commands = blake3(row.commands).digest()
    events = blake3(row.events).digest()
    return blake3(previous + commands + events).digest()


@dataclass(slots=True)
class ChainCheck:
    """Follows both tables from their first row: hashes, sequences, epochs, time."""

    findings: Findings
    last_seq: int = 0
    epoch: int = 0
    time_ns: int = 0
    state_hash: bytes = NO_HASH
    command_row_hash: bytes = NO_HASH
    event_row_hash: bytes = NO_HASH

    def take(self, row: JournalRow) -> None:
        """Judges one row against the one before it; then goes on from what the row says."""
        name = f"row {row.first_seq} to {row.last_seq}"
        if row.first_seq != self.last_seq + 1 or row.last_seq < row.first_seq:
            self.findings.add(Kind.SEQUENCE, f"{name} follows {self.last_seq}")
        if row.epoch < self.epoch:
            self.findings.add(Kind.EPOCH, f"{name} has epoch {row.epoch} after {self.epoch}")
        if row.time_ns < self.time_ns:
            self.findings.add(Kind.SEQUENCE, f"{name}: time goes back")
        if row_hash(self.command_row_hash, row, row.commands) != row.command_row_hash:
            self.findings.add(Kind.ROW_HASH, f"{name} of commands")
        if row_hash(self.event_row_hash, row, row.events) != row.event_row_hash:
            self.findings.add(Kind.ROW_HASH, f"{name} of events")
        if chained_state_hash(self.state_hash, row) != row.state_hash:
            self.findings.add(Kind.STATE_HASH, name)
        self.last_seq = row.last_seq
        self.epoch = max(self.epoch, row.epoch)
        self.time_ns = max(self.time_ns, row.time_ns)
        self.state_hash = row.state_hash
        self.command_row_hash = row.command_row_hash
        self.event_row_hash = row.event_row_hash
