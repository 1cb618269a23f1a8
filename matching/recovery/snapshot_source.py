"""What recovery and GetSnapshot need of stored snapshots; the store is in matching.snapshots."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from matching.journal.rows import Tail


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A stored snapshot without its bytes. `tail` is the chain of rows after its batch."""

    tail: Tail
    chunk_count: int
    byte_count: int
    # BLAKE3 of all its bytes.
    hash: bytes = field(repr=False)

    @property
    def seq(self) -> int:
        """Last sequence it contains."""
        return self.tail.last_seq


class SnapshotSource(Protocol):
    """Reads stored snapshots of one shard."""

    async def stored(self) -> list[StoredSnapshot]:
        """Those that are stored whole, newest first. Raises Unavailable."""
        ...

    def chunks(self, snapshot: StoredSnapshot) -> AsyncIterator[bytes]:
        """Its chunks in order, checked. Raises Unavailable, NoSnapshot when one is broken."""
        ...
