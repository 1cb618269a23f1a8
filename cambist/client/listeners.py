"""Who hears the events of a session: a callback and any number of bounded queues.

Nothing is dropped: while a queue is full the session does not read its stream.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

from cambist.client import limits
from cambist.client.events import Event


class Queue:
    """Events waiting for one listener."""

    def __init__(self, has_drained: Callable[[], None]) -> None:
        self._events: deque[Event] = deque()
        self._filled = asyncio.Event()
        self._has_drained = has_drained
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Whether the session must wait."""
        return len(self._events) >= limits.EVENTS_WAITING_MAX

    def put(self, event: Event) -> None:
        """Adds an event; those of one row may go above the bound."""
        self._events.append(event)
        self._filled.set()

    def close(self) -> None:
        """Nothing more will come."""
        self._is_closed = True
        self._filled.set()

    def __aiter__(self) -> "Queue":
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self._is_closed:
                raise StopAsyncIteration
            self._filled.clear()
            await self._filled.wait()
        event = self._events.popleft()
        if len(self._events) == limits.EVENTS_WAITING_MAX // 2:
            self._has_drained()
        return event

    async def aclose(self) -> None:
        """The listener is done."""
        self._is_closed = True
        self._events.clear()
        self._has_drained()

    @property
    def is_closed(self) -> bool:
        """Whether the listener is gone, or nothing more will come."""
        return self._is_closed


class Listeners:
    """All listeners of one session."""

    def __init__(self, on_event: Callable[[Event], None] | None) -> None:
        self._on_event = on_event
        self._queues: list[Queue] = []
        self._drained = asyncio.Event()

    def tell(self, event: Event) -> None:
        """An event happened."""
        if self._on_event is not None:
            self._on_event(event)
        for queue in self._queues:
            queue.put(event)

    def listen(self) -> AsyncIterator[Event]:
        """A new listener, from now on."""
        queue = Queue(self._drained.set)
        self._queues.append(queue)
        return queue

    def room(self) -> Awaitable[None] | None:
        """Something to wait for before reading on; None when there is room."""
        if any(queue.is_full for queue in self._queues):
            return self._wait()
        return None

    async def _wait(self) -> None:
        while True:
            self._queues = [queue for queue in self._queues if not queue.is_closed]
            if not any(queue.is_full for queue in self._queues):
                return
            self._drained.clear()
            await self._drained.wait()

    def close(self) -> None:
        """The session is over."""
        for queue in self._queues:
            queue.close()
