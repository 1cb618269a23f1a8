"""Messages that wait for one stream, bounded by count and bytes, read by its one writer task."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from runtime.order_traces import Numbered


class Outgoing(NamedTuple):
    """One message, the journal sequence it brings its reader to, and when that was durable."""

    message: bytes
    # 0 = it brings nothing new.
    seq: int = 0
    # Wall clock; 0 = it was told before, or is no row.
    durable_ns: int = 0
    # Batches of the reader that it answers.
    answered: tuple[Numbered, ...] = ()


@dataclass(slots=True)
class Budget:
    """Bytes that all outboxes of a process may hold together."""

    bytes_max: int
    bytes_used: int = 0


class Outbox:
    """A bounded queue with one reader. Putting never waits: what does not fit is refused."""

    __slots__ = ("_budget", "_bytes", "_bytes_max", "_closed", "_items", "_items_max", "_waiter")

    def __init__(self, budget: Budget, bytes_max: int, items_max: int) -> None:
        self._items: deque[Outgoing] = deque()
        self._bytes = 0
        self._bytes_max = bytes_max
        self._items_max = items_max
        self._budget = budget
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._items)

    @property
    def bytes_waiting(self) -> int:
        """Bytes that wait."""
        return self._bytes

    def put(self, outgoing: Outgoing) -> bool:
        """Queues a message; False when it does not fit (an empty queue takes any message)."""
        size = len(outgoing.message)
        items, budget = self._items, self._budget
        if items and (
            self._bytes + size > self._bytes_max
            or len(items) >= self._items_max
            or budget.bytes_used + size > budget.bytes_max
        ):
            return False
        if self._closed:
            return True
        self._add(outgoing)
        return True

    def _add(self, outgoing: Outgoing) -> None:
        self._items.append(outgoing)
        self._bytes += len(outgoing.message)
        self._budget.bytes_used += len(outgoing.message)
        self._rouse()

    def _rouse(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def close(self, last: Outgoing | None, *, drop_waiting: bool) -> None:
        """Queues the last message, whatever the bounds; what is put later is dropped."""
        if self._closed:
            return
        if drop_waiting:
            self.clear()
        if last is not None:
            self._add(last)
        self._closed = True
        self._rouse()

    def clear(self) -> None:
        """Drops what waits and frees its bytes."""
        self._items.clear()
        self._budget.bytes_used -= self._bytes
        self._bytes = 0

    async def take(self) -> Outgoing | None:
        """The next message; None when the queue was closed and is empty."""
        while not self._items:
            if self._closed:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
            self._waiter = None
        outgoing = self._items.popleft()
        self._bytes -= len(outgoing.message)
        self._budget.bytes_used -= len(outgoing.message)
        return outgoing
