"""Rows of one shard, in order: to the ring, to the router, then to the image and market data.

Private frames go out first; the image follows in a task of its own, large rows in a thread (the
kernel releases the lock of the interpreter). Reading stops when the image is too far behind. The
link feeds it; it must never show a row that matching did not release.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from gateway import limits
from gateway.errors import exhausted
from gateway.shard.image import FeedBroken, FeedImage, make_image
from gateway.shard.reference import Reference
from gateway.shard.ring import Ring
from gateway.shard.router import Router
from gateway.shard.rows import BrokenRow, Row


class RowListener(Protocol):
    """Hears each row after the image has taken it."""

    def row_applied(self, row: Row) -> None:
        """The image stands after this row."""
        ...

    def feed_lost(self) -> None:
        """The image was dropped; what was told before is not continued."""
        ...


class EventFeed:
    """The rows of one shard and what is kept of them."""

    def __init__(self, shard: int, ring_bytes_max: int) -> None:
        self.shard = shard
        self.ring = Ring(ring_bytes_max)
        self.reference = Reference(shard)
        self.router = Router([self.reference])
        self.image: FeedImage = make_image(shard)
        self.last_seq = 0
        self.time_ns = 0
        self.must_bootstrap = True
        self._listeners: list[RowListener] = []
        self._rows: deque[Row] = deque()
        self._rows_bytes = 0
        self._wake: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._image_lock = asyncio.Lock()
        self._as_of: list[tuple[int, int, asyncio.Future[None]]] = []
        self._as_of_count = 0
        self._broken = asyncio.Event()
        self._broken_reason = ""

    @property
    def image_seq(self) -> int:
        """Sequence up to which the image stands."""
        return self.image.last_seq

    def listen(self, listener: RowListener) -> None:
        """The listener hears every row from the next on."""
        self._listeners.append(listener)

    async def start_from(self, snapshot: bytes | None) -> None:
        """Drops everything and starts from a snapshot, or from the first row without one."""
        async with self._image_lock:
            image = make_image(self.shard)
            if snapshot is not None:
                await asyncio.to_thread(image.load_snapshot, snapshot)
                await asyncio.to_thread(self.reference.load, snapshot)
            for listener in self._listeners:
                listener.feed_lost()
            self.image = image
            self.ring.clear()
            self._rows.clear()
            self._rows_bytes = 0
            self.last_seq = image.last_seq
            self.must_bootstrap = False
            self._broken.clear()

    async def watch(self) -> None:
        """Raises FeedBroken when the image does not take a row."""
        await self._broken.wait()
        raise FeedBroken(self._broken_reason)

    async def take(self, row: Row) -> None:
        """The next row; one that is known is skipped. Raises BrokenRow when one is missing."""
        if row.last_seq <= self.last_seq:
            return
        if row.first_seq != self.last_seq + 1:
            raise BrokenRow(f"row {row.first_seq} follows {self.last_seq}")
        self.last_seq = row.last_seq
        self.time_ns = row.time_ns
        self.ring.append(row)
        self.router.dispatch(row)
        self._rows.append(row)
        self._rows_bytes += len(row.events)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        while self._is_full():
            self._room = asyncio.get_running_loop().create_future()
            await self._room

    def _is_full(self) -> bool:
        return (
            len(self._rows) >= limits.IMAGE_ROWS_MAX or self._rows_bytes >= limits.IMAGE_BYTES_MAX
        )

    async def run_image(self) -> None:
        """Applies rows to the image for ever; stands still after one that does not fit."""
        while True:
            while not self._rows or self.must_bootstrap:
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
            async with self._image_lock:
                if self._rows and not self.must_bootstrap:
                    await self._apply(self._rows[0])
            self._release_as_of()
            if self._room is not None and not self._room.done() and not self._is_full():
                self._room.set_result(None)

    async def _apply(self, row: Row) -> None:
        arguments = row.first_seq, row.last_seq, row.events
        try:
            if len(row.events) >= limits.IMAGE_THREAD_BYTES:
                await asyncio.to_thread(self.image.apply, *arguments)
            else:
                self.image.apply(*arguments)
        except FeedBroken as error:
            self.must_bootstrap = True
            self._broken_reason = str(error)
            self._broken.set()
            return
        self._rows.popleft()
        self._rows_bytes -= len(row.events)
        self.reference.row_applied(row)
        for listener in self._listeners:
            listener.row_applied(row)
        row.store()

    @asynccontextmanager
    async def still_image(self) -> AsyncIterator[FeedImage]:
        """The image while no row is being applied; do not await long inside."""
        async with self._image_lock:
            yield self.image

    async def wait_for(self, seq: int) -> None:
        """Returns when the image stands at `seq` or later; the caller limits the time."""
        if self.image_seq >= seq:
            return
        if len(self._as_of) >= limits.AS_OF_WAITING_MAX:
            raise exhausted("TOO_MANY_WAITING", "too many calls wait for a sequence", 1.0)
        future = asyncio.get_running_loop().create_future()
        self._as_of_count += 1
        heapq.heappush(self._as_of, (seq, self._as_of_count, future))
        await future

    def _release_as_of(self) -> None:
        seq = self.image_seq
        while self._as_of and self._as_of[0][0] <= seq:
            future = heapq.heappop(self._as_of)[2]
            if not future.done():
                future.set_result(None)
