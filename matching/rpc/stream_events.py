"""Streams of released rows: from memory when they are there, else from the journal.

Messages are written as bytes: rows are encoded once, when they are released.
"""

from collections.abc import AsyncIterator

import grpc

from cambist.internal.matching.v1 import matching_pb2
from matching import limits
from matching.errors import Rejected
from matching.primary import Primary
from matching.release.directory import wanted_frames
from matching.release.row_message import RowMessage, RowTimes, encode, filtered
from matching.rpc.faults import Context
from runtime.errors import Unavailable


class RowStream:
    """One StreamEvents call."""

    def __init__(
        self, primary: Primary, request: matching_pb2.StreamEventsRequest, context: Context
    ) -> None:
        if max(len(request.account_ids), len(request.session_ids)) > limits.FILTER_IDS_MAX:
            raise Rejected("TOO_MANY_IDS", f"at most {limits.FILTER_IDS_MAX} of each")
        self._released = primary.released
        self._reader = primary.reader
        self._context = context
        self._wanted = wanted_frames(request.account_ids, request.session_ids)
        self._next_seq = request.from_seq or primary.released.seq + 1
        self._until_seq = request.until_seq
        if self._next_seq > primary.released.seq + 1:
            raise Rejected(
                "AHEAD_OF_JOURNAL",
                f"released is {primary.released.seq}",
                grpc.StatusCode.FAILED_PRECONDITION,
            )

    async def run(self) -> None:
        """Writes rows until the one that was to be the last, or for ever. Raises Rejected."""
        released, ring = self._released, self._released.ring
        while not self._is_over():
            if self._next_seq > released.seq:
                if not await released.wait_beyond(ring.end):
                    return
                continue
            index = ring.index_of(self._next_seq)
            if index is None:
                await self._from_journal()
            else:
                await self._from_ring(index)

    def _is_over(self) -> bool:
        return 0 < self._until_seq < self._next_seq

    async def _from_ring(self, index: int) -> None:
        """Rows in memory, and new ones as they come, until the ring has lost the next one."""
        released, ring, wanted = self._released, self._released.ring, self._wanted
        while not self._is_over():
            if index >= ring.end and not await released.wait_beyond(index):
                return
            parts: list[bytes] = []
            size = looked_at = 0
            while (
                ring.start <= index < ring.end
                and size < limits.MESSAGE_BYTES_TARGET
                and looked_at < limits.ROWS_AT_ONCE_MAX
                and not self._is_over()
            ):
                row = ring.at(index)
                index += 1
                looked_at += 1
                self._next_seq = row.last_seq + 1
                message = row.message if not wanted else filtered(row, wanted)
                if message is not None:
                    parts.append(message)
                    size += len(message)
            if parts:
                await self._context.write(parts[0] if len(parts) == 1 else b"".join(parts))
            if index < ring.start:
                return

    async def _from_journal(self) -> None:
        """Rows that memory does not hold any more, up to what was released when asked."""
        oldest = await self._reader.oldest_event_seq()
        if self._next_seq < oldest:
            raise Rejected(
                "TOO_OLD",
                f"the oldest sequence kept is {oldest}",
                grpc.StatusCode.OUT_OF_RANGE,
                {"oldest_seq": str(oldest), "oldest": str(oldest)},
            )
        parts: list[bytes] = []
        size, before = 0, self._next_seq
        async for row in self._rows(self._released.seq):
            self._next_seq = row.last_seq + 1
            message = filtered(row, self._wanted)
            if message is not None:
                parts.append(message)
                size += len(message)
            if size >= limits.MESSAGE_BYTES_TARGET:
                await self._context.write(b"".join(parts))
                parts, size = [], 0
            if self._is_over():
                break
        if parts:
            await self._context.write(b"".join(parts))
        if self._next_seq == before:
            raise Unavailable(f"sequence {before} was released and is not in the journal now")

    async def _rows(self, up_to_seq: int) -> AsyncIterator[RowMessage]:
        async for row in self._reader.events_between(self._next_seq, up_to_seq):
            yield encode(row.first_seq, row.last_seq, row.events, RowTimes(row.time_ns))
