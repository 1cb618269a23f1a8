"""The fast path of load generators: encoded batches in, encoded events out, no object per order.

Batches are numbered, kept until the engine has taken them, and sent again after a reconnect, as in
the typed session. Nothing is decoded but session events; repeats of private events around a resume
are passed over by row.
"""

import asyncio
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from cambist.client import limits
from cambist.client.channels import Channels
from cambist.client.core import Core
from cambist.client.driver import Driver, Statistics, Terms
from cambist.client.enums import CommandClass
from cambist.client.errors import CambistError, InvalidInput, SessionEnded
from cambist.orders.v1 import events_pb2, service_pb2


@dataclass(slots=True, eq=False)
class RawBatch:
    """Commands of one class, encoded: `cambist.orders.v1.Commands`."""

    command_class: CommandClass
    count: int
    commands: bytes
    # Free for the sender, for example a time; told to `on_taken`.
    mark: Any = None
    sends: int = 0
    error: CambistError | None = None


class RawCore(Core[RawBatch]):
    """Whole batches stand in the lanes."""

    can_split = False

    def __init__(
        self,
        on_taken: Callable[[RawBatch], None],
        on_row: Callable[[service_pb2.EventBatch], None] | None,
    ) -> None:
        super().__init__(batch_commands=limits.BATCH_COMMANDS_MAX)
        self._on_taken = on_taken
        self._on_row = on_row

    def next_message(self, now_ns: int) -> bytes | None:
        """One queued batch per message, never joined."""
        for lane in (self.lanes.cancel, self.lanes.order):
            if lane.waiting:
                self.lanes.batch_commands = lane.waiting[0].count
                if (message := super().next_message(now_ns)) is not None:
                    return message
        return None

    def encode(self, entries: list[RawBatch]) -> bytes:
        """The body of a batch."""
        return b"".join(entry.commands for entry in entries)

    def renumbered(self, from_seq_no: int, shift: int) -> None:
        """Encoded cancels cannot change; senders of raw cancels leave order numbers out."""

    def taken(self, entries: Iterable[RawBatch]) -> None:
        """Answered, or to be answered by the resume."""
        for entry in entries:
            self._on_taken(entry)

    def settle_again(self, entries: list[RawBatch]) -> None:
        """Whoever wants lost answers reads the drop copy."""

    def failed(self, entry: RawBatch, error: CambistError) -> None:
        """Malformed, or never sent."""
        entry.error = error
        self._on_taken(entry)

    def row(self, batch: service_pb2.EventBatch, events: Iterable[events_pb2.SessionEvent]) -> None:
        """A row, as it came."""
        del events
        if self._on_row is not None:
            self._on_row(batch)

    def page(self, page: service_pb2.OpenOrders) -> None:
        """Snapshots are for those who keep orders."""


class RawSession:
    """`async with client.raw_session("load") as session`, then `await session.send(batch)`.

    `on_row` gets every EventBatch (its `private_events` still encoded); `on_taken` every batch
    that the engine has taken, in order of its class.
    """

    def __init__(self, channels: Channels, terms: Terms) -> None:
        self.on_row: Callable[[service_pb2.EventBatch], None] | None = None
        self.on_taken: Callable[[RawBatch], None] | None = None
        self._core = RawCore(self._taken, self._row)
        self._driver = Driver(self._core, terms, channels, on_progress=self._progress)
        self._task: asyncio.Task[None] | None = None
        self._progressed = asyncio.Event()
        # Commands queued and not taken.
        self.outstanding = 0

    async def open(self) -> Self:
        """Connects. Raises SessionEnded."""
        self._task = asyncio.create_task(self._driver.run(), name="cambist-raw-session")
        await self._driver.opened()
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self.open().__await__()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection; the session stays."""
        self._driver.close(is_over=False)
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=2 * limits.CLOSE_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._driver.channels.close()

    @property
    def statistics(self) -> Statistics:
        """Counters of the session."""
        return self._driver.statistics

    @property
    def account_ids(self) -> tuple[int, ...]:
        """Accounts of the session."""
        return self._driver.account_ids

    @property
    def ended(self) -> SessionEnded | None:
        """Why it is over; None while it lives."""
        return self._driver.ended

    @property
    def room(self) -> int:
        """Orders that may be sent before answers come."""
        maximum = self._core.lanes.max_in_flight
        return maximum - maximum // limits.CANCEL_CREDIT_SHARE - self.outstanding

    def send_now(self, batch: RawBatch) -> None:
        """Queues a batch without waiting: the caller looks at `room`. Raises SessionEnded."""
        if self._driver.ended is not None:
            raise self._driver.ended
        if not 1 <= batch.count <= limits.BATCH_COMMANDS_MAX:
            raise InvalidInput("OUT_OF_RANGE", "a batch has 1 to 1,000 commands")
        self.outstanding += batch.count
        self._core.lanes.lane(batch.command_class).queue(batch)
        self._driver.wake()

    async def send(self, batch: RawBatch) -> None:
        """Queues a batch; waits while the venue's credit is used up."""
        while self.room < batch.count and self.outstanding and self._driver.ended is None:
            self._progressed.clear()
            await self._progressed.wait()
        self.send_now(batch)

    async def drain(self) -> None:
        """Waits until everything is taken. Raises SessionEnded."""
        while self.outstanding:
            if self._driver.ended is not None:
                raise self._driver.ended
            self._progressed.clear()
            await self._progressed.wait()

    def _taken(self, batch: RawBatch) -> None:
        self.outstanding -= batch.count
        if self.on_taken is not None:
            self.on_taken(batch)

    def _row(self, batch: service_pb2.EventBatch) -> None:
        if self.on_row is not None:
            self.on_row(batch)

    def _progress(self) -> None:
        self._progressed.set()
