"""Stored snapshots of one shard, as chunks, each with its hash.

A snapshot counts once its row is there; the row is written after the last chunk, in one statement
with a look whether all chunks are there. Everything is checked when it is read: what is broken is
NoSnapshot, and the reader takes the one before. Read by recovery and GetSnapshot, written by the
snapshotter only. It never touches the fence or the journal's rows.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import astuple

from blake3 import blake3

from matching import limits
from matching.errors import NoSnapshot
from matching.journal.rows import Tail
from matching.recovery.snapshot_source import StoredSnapshot
from matching.snapshots import statements
from runtime.postgres import Database


class SnapshotStore:
    """Reads and writes the snapshots of one shard."""

    def __init__(
        self,
        database: Database,
        shard: int,
        *,
        chunk_bytes: int = limits.SNAPSHOT_CHUNK_BYTES,
        chunk_pause_seconds: float = limits.SNAPSHOT_CHUNK_PAUSE_SECONDS,
    ) -> None:
        assert 1 <= chunk_bytes <= limits.SNAPSHOT_CHUNK_BYTES, "commits would wait for more"
        self._database = database
        self._shard = shard
        self._chunk_bytes = chunk_bytes
        self._chunk_pause_seconds = chunk_pause_seconds

    async def stored(self) -> list[StoredSnapshot]:
        """Those that are stored whole, newest first. Raises Unavailable."""
        records = await self._database.read(statements.STORED, self._shard)
        return [
            StoredSnapshot(
                Tail(*record[:7]),
                chunk_count=record["chunk_count"],
                byte_count=record["byte_count"],
                hash=record["hash"],
            )
            for record in records
        ]

    async def chunks(self, snapshot: StoredSnapshot) -> AsyncIterator[bytes]:
        """Its chunks in order, checked. Raises Unavailable, NoSnapshot when one is broken.

        A fault of the whole (its hash) is told after the last chunk.
        """
        whole, byte_count = blake3(), 0
        for start in range(0, snapshot.chunk_count, limits.SNAPSHOT_CHUNKS_READ):
            end = min(start + limits.SNAPSHOT_CHUNKS_READ, snapshot.chunk_count)
            records = await self._database.read(
                statements.CHUNKS, self._shard, snapshot.seq, start, end
            )
            if [record["index"] for record in records] != list(range(start, end)):
                raise NoSnapshot(f"snapshot seq={snapshot.seq}: chunks from {start} on are missing")
            for record in records:
                content: bytes = record["bytes"]
                if blake3(content).digest() != record["hash"]:
                    name = f"snapshot seq={snapshot.seq}: chunk {record['index']}"
                    raise NoSnapshot(f"{name} is not as stored")
                whole.update(content)
                byte_count += len(content)
                yield content
        if byte_count != snapshot.byte_count or whole.digest() != snapshot.hash:
            raise NoSnapshot(f"snapshot seq={snapshot.seq}: its chunks are not those stored")

    async def write(self, tail: Tail, content: bytes) -> bool:
        """Stores the state after the row of `tail`; False when it is stored already.

        Slowly, so that the journal's writes go first. When it fails nothing counts, and what it
        left behind goes at the next one. Raises Unavailable, Unknown, NoSnapshot when it is too
        large or somebody else took its chunks away.
        """
        if len(content) > limits.SNAPSHOT_BYTES_MAX:
            raise NoSnapshot(f"{len(content)} bytes are more than may be stored")
        if any(snapshot.seq == tail.last_seq for snapshot in await self.stored()):
            return False
        await self._delete_leftovers()
        whole, chunk_count = blake3(), 0
        for start in range(0, len(content), self._chunk_bytes):
            chunk = content[start : start + self._chunk_bytes]
            await self._write_chunk(tail.last_seq, chunk_count, chunk)
            whole.update(chunk)
            chunk_count += 1
            await asyncio.sleep(self._chunk_pause_seconds)
        written = await self._database.write(
            statements.INSERT_SNAPSHOT,
            self._shard,
            *astuple(tail),
            chunk_count,
            len(content),
            whole.digest(),
        )
        if not written:
            raise NoSnapshot(f"snapshot seq={tail.last_seq}: its chunks went while it was written")
        return True

    async def keep_newest(self) -> list[int]:
        """Deletes all but the two newest; which went. Raises Unavailable, Unknown."""
        old = [one.seq for one in await self.stored()][limits.SNAPSHOTS_KEPT :]
        await self.delete(frozenset(old))
        return sorted(old)

    async def delete(self, seqs: frozenset[int]) -> None:
        """Deletes these. Raises Unavailable, Unknown."""
        if seqs:
            await self._database.write(statements.DELETE_SNAPSHOTS, self._shard, sorted(seqs))
            await self._delete_leftovers()

    async def _write_chunk(self, seq: int, index: int, content: bytes) -> None:
        await self._database.write(
            statements.INSERT_CHUNK, self._shard, seq, index, content, blake3(content).digest()
        )

    async def _delete_leftovers(self) -> None:
        """Chunks without a snapshot, one by one for the reason for which they are written so."""
        leftovers = await self._database.read(statements.CHUNKS_WITHOUT_ROW, self._shard)
        for seq, index in leftovers:
            await self._database.write(statements.DELETE_CHUNK, self._shard, seq, index)
            await asyncio.sleep(self._chunk_pause_seconds)
