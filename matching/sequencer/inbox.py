"""What waits to be sequenced: bounded, with shares for cancels and the venue's own commands.

Links and administration put, the sequencer takes. `put` waits while there is no room, so that a
link is not read and its clients wait in turn. Nothing is ever dropped.

While all that waits fits into one batch it is taken as it arrived. When it does not, the venue's
own commands go first, then cancels (at most half of the batch), then the rest; sessions take turns.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from cambist.orders.v1 import enums_pb2
from matching import limits

CANCEL: Final = int(enums_pb2.COMMAND_CLASS_CANCEL)
SYSTEM: Final = int(enums_pb2.COMMAND_CLASS_SYSTEM)
PERCENT: Final = 100


@dataclass(slots=True)
class Item:
    """One checked envelope. `turn` names who takes turns: a session, or a link."""

    envelope: bytes
    command_class: int
    count: int
    turn: int
    # Monotonic reading when it was queued.
    queued_ns: int
    # Sequence number of its first command in the session, or its correlation: for traces.
    first_seq_no: int = 0
    # Order of arrival; the inbox sets it.
    number: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """How many commands of all classes may wait before a class must wait for room."""

    orders: int
    cancels: int
    system: int

    @classmethod
    def of(cls, commands_max: int) -> "Room":
        """Shares of an inbox of `commands_max` commands."""
        system = commands_max * limits.INBOX_SYSTEM_PERCENT // PERCENT
        cancels = commands_max * limits.INBOX_CANCEL_PERCENT // PERCENT
        return cls(commands_max - system - cancels, commands_max - system, commands_max)

    def for_class(self, command_class: int) -> int:
        """Commands that may wait, whatever their class, for one more of this class to enter."""
        if command_class == SYSTEM:
            return self.system
        return self.cancels if command_class == CANCEL else self.orders


class Lane:
    """Items of one kind, in queues that take turns."""

    __slots__ = ("commands", "queues", "turns")

    def __init__(self) -> None:
        self.queues: dict[int, deque[Item]] = {}
        self.turns: deque[int] = deque()
        self.commands = 0

    def add(self, item: Item) -> None:
        """Behind the others of its turn."""
        queue = self.queues.get(item.turn)
        if queue is None:
            self.queues[item.turn] = deque((item,))
            self.turns.append(item.turn)
        else:
            queue.append(item)
        self.commands += item.count

    def take(self, fits: Callable[[Item], bool], taken: list[Item]) -> None:
        """Moves items to `taken`, one envelope a turn, until the next does not fit."""
        turns, queues = self.turns, self.queues
        while turns:
            turn = turns[0]
            queue = queues[turn]
            item = queue[0]
            if not fits(item):
                return
            turns.popleft()
            queue.popleft()
            if queue:
                turns.append(turn)
            else:
                del queues[turn]
            self.commands -= item.count
            taken.append(item)

    def take_all(self, taken: list[Item]) -> None:
        """Moves all items to `taken`, in no order."""
        for queue in self.queues.values():
            taken.extend(queue)
        self.queues.clear()
        self.turns.clear()
        self.commands = 0


class Budget:
    """What one batch may still take."""

    __slots__ = ("bytes", "commands", "envelopes", "is_empty")

    def __init__(self, commands: int, byte_count: int) -> None:
        self.commands = commands
        self.bytes = byte_count
        self.envelopes = limits.BATCH_ENVELOPES_MAX
        self.is_empty = True

    def take(self, item: Item, commands_kept: int = 0) -> bool:
        """Whether an item fits beside what must stay free; the first always does."""
        fits = (
            item.count <= self.commands - commands_kept
            and len(item.envelope) <= self.bytes
            and self.envelopes > 0
        )
        if not (fits or self.is_empty):
            return False
        self.is_empty = False
        self.commands -= item.count
        self.bytes -= len(item.envelope)
        self.envelopes -= 1
        return True


class Inbox:
    """The bounded queue before the sequencer; one taker."""

    def __init__(self, commands_max: int, bytes_max: int = limits.INBOX_BYTES_MAX) -> None:
        self._room = Room.of(commands_max)
        self._bytes_max = bytes_max
        self._orders, self._cancels, self._system = Lane(), Lane(), Lane()
        self._bytes = 0
        self._envelopes = 0
        self._next_number = 1
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}
        self._wake: asyncio.Future[None] | None = None

    @property
    def commands(self) -> int:
        """Commands that wait."""
        return self._orders.commands + self._cancels.commands + self._system.commands

    @property
    def bytes(self) -> int:
        """Bytes that wait."""
        return self._bytes

    @property
    def turns(self) -> int:
        """Sessions and links of which something waits."""
        lanes = (self._orders, self._cancels, self._system)
        return len({turn for lane in lanes for turn in lane.queues})

    def has_room(self, command_class: int, count: int, byte_count: int) -> bool:
        """Whether an envelope may enter; an empty inbox takes any."""
        return self._envelopes == 0 or (
            self.commands + count <= self._room.for_class(command_class)
            and self._bytes + byte_count <= self._bytes_max
        )

    async def put(self, item: Item) -> None:
        """Queues an item; waits while there is no room for its class."""
        kind = item.command_class
        waiting = self._waiting.get(kind)
        if waiting or not self.has_room(kind, item.count, len(item.envelope)):
            await self._wait_for_room(item)
        self.post(item)

    async def _wait_for_room(self, item: Item) -> None:
        """Waits in line; whoever is first in line is woken when anything was taken."""
        line = self._waiting.setdefault(item.command_class, deque())
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(ticket)
        try:
            while True:
                if line[0] is ticket and self.has_room(
                    item.command_class, item.count, len(item.envelope)
                ):
                    return
                await ticket
                index = line.index(ticket)
                ticket = asyncio.get_running_loop().create_future()
                line[index] = ticket
        finally:
            line.remove(ticket)
            # The next in line may fit beside what was put now.
            if line:
                resolve(line[0])

    def post(self, item: Item) -> None:
        """Queues without waiting: for what is bounded elsewhere, such as one loss per link."""
        item.number = self._next_number
        self._next_number += 1
        if item.command_class == SYSTEM:
            self._system.add(item)
        elif item.command_class == CANCEL:
            self._cancels.add(item)
        else:
            self._orders.add(item)
        self._bytes += len(item.envelope)
        self._envelopes += 1
        self.rouse()

    def rouse(self) -> None:
        """Ends the taker's wait, whether or not something is there."""
        if self._wake is not None:
            resolve(self._wake)

    async def wait(self, timeout_seconds: float | None) -> bool:
        """Returns when something waits, or False when the time is over."""
        if self._envelopes:
            return True
        await self.roused(timeout_seconds)
        return self._envelopes > 0

    async def roused(self, timeout_seconds: float | None = None) -> None:
        """Returns when something more waits, the taker was roused, or the time is over."""
        loop = asyncio.get_running_loop()
        self._wake = wake = loop.create_future()
        timer = None
        if timeout_seconds is not None:
            timer = loop.call_later(timeout_seconds, resolve, wake)
        try:
            await wake
        finally:
            self._wake = None
            if timer is not None:
                timer.cancel()

    def take(self, commands_max: int, bytes_max: int) -> list[Item]:
        """The items of the next batch, in the order in which they are applied."""
        taken: list[Item] = []
        lanes = (self._system, self._cancels, self._orders)
        if (
            self.commands <= commands_max
            and self._bytes <= bytes_max
            and self._envelopes <= limits.BATCH_ENVELOPES_MAX
        ):
            for lane in lanes:
                lane.take_all(taken)
            taken.sort(key=attrgetter("number"))
        else:
            budget = Budget(commands_max, bytes_max)
            half = commands_max // 2
            self._system.take(budget.take, taken)
            self._cancels.take(lambda item: budget.take(item, half), taken)
            self._orders.take(budget.take, taken)
            self._cancels.take(budget.take, taken)
        self._bytes -= sum(len(item.envelope) for item in taken)
        self._envelopes -= len(taken)
        for line in self._waiting.values():
            if line:
                resolve(line[0])
        return taken


def resolve(future: asyncio.Future[None]) -> None:
    """Ends a wait."""
    if not future.done():
        future.set_result(None)
