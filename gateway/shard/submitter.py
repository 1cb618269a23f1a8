"""What waits for the link to matching, and who sent it.

Sessions and unary calls put envelopes here; the link takes them in order, those of class CANCEL and
SYSTEM first. When it is full the senders wait, so clients are not read and their `send` waits in
turn. It never drops: when the link breaks every sender is told which of its envelopes stayed here.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from cambist.internal.matching.v1 import matching_pb2
from gateway import limits
from gateway.errors import unavailable


class Sender(Protocol):
    """Who put an envelope and hears what became of it before the engine saw it."""

    def refused(self, number: int, refusal: matching_pb2.Refused) -> None:
        """Matching found the envelope malformed; nothing of it was applied."""
        ...

    def not_sent(self, number: int) -> None:
        """The link broke before the envelope left; surely not executed."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """One envelope that has not left."""

    number: int
    envelope: bytes
    sender: Sender | None


class Submitter:
    """Bounded queues before the link: one for orders, one for all that must get through."""

    __slots__ = ("_bytes", "_is_open", "_next", "_orders", "_room", "_urgent", "_wake")

    def __init__(self) -> None:
        self._orders: deque[Waiting] = deque()
        self._urgent: deque[Waiting] = deque()
        self._bytes = 0
        self._next = 1
        self._is_open = False
        self._room: deque[asyncio.Future[None]] = deque()
        self._wake: asyncio.Future[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the link is up."""
        return self._is_open

    @property
    def is_full(self) -> bool:
        """Whether an order has to wait."""
        return len(self._orders) >= limits.SUBMIT_ENVELOPES_MAX or (
            self._bytes >= limits.SUBMIT_BYTES_MAX
        )

    @property
    def waiting(self) -> int:
        """Envelopes that have not left."""
        return len(self._orders) + len(self._urgent)

    async def submit(self, envelope: bytes, sender: Sender | None, *, urgent: bool = False) -> int:
        """Queues an envelope and returns its ticket; waits while there is no room.

        Raises Unavailable when the link is down: nothing was sent. `urgent` (cancels and the
        venue's own) has room of its own.
        """
        while True:
            if not self._is_open:
                raise unavailable("SHARD_UNAVAILABLE", "the shard has no primary now")
            full = len(self._urgent) >= limits.SUBMIT_ENVELOPES_MAX if urgent else self.is_full
            if not full:
                return self.post(envelope, sender, urgent=urgent)
            room = asyncio.get_running_loop().create_future()
            self._room.append(room)
            try:
                await room
            except asyncio.CancelledError:
                if room.done() and not room.cancelled():
                    self._release(1)
                raise

    def post(self, envelope: bytes, sender: Sender | None, *, urgent: bool = True) -> int:
        """Queues without waiting: for what is bounded elsewhere, one loss or end per session.

        Nothing happens when the link is down: matching then ends its sessions by itself.
        """
        if not self._is_open:
            return 0
        ticket = self._next
        self._next += 1
        (self._urgent if urgent else self._orders).append(Waiting(ticket, envelope, sender))
        self._bytes += len(envelope)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        return ticket

    async def take(self) -> list[Waiting]:
        """The next envelopes, for one message of the link's writer; at least one."""
        urgent, orders = self._urgent, self._orders
        while not (urgent or orders):
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
            self._wake = None
        taken = [(urgent or orders).popleft()]
        size = len(taken[0].envelope)
        while (urgent or orders) and len(taken) < limits.SUBMIT_MESSAGE_ENVELOPES_MAX:
            size += len((urgent or orders)[0].envelope)
            if size > limits.SUBMIT_MESSAGE_BYTES_MAX:
                break
            taken.append((urgent or orders).popleft())
        self._bytes -= sum(len(waiting.envelope) for waiting in taken)
        if self._room:
            self._release(len(taken))
        return taken

    def open(self) -> None:
        """The link is up."""
        self._is_open = True

    def close(self) -> None:
        """The link is down: tells every sender what has not left."""
        self._is_open = False
        left = [*self._urgent, *self._orders]
        self._urgent.clear()
        self._orders.clear()
        self._bytes = 0
        for waiting in left:
            if waiting.sender is not None:
                waiting.sender.not_sent(waiting.number)
        self._release(len(self._room))

    def _release(self, count: int) -> None:
        released = 0
        while self._room and released < count:
            room = self._room.popleft()
            if not room.done():
                room.set_result(None)
                released += 1
