"""The protocol of an order session without I/O: numbers, credit, resume, what the venue said.

`driver` moves the messages; `answers` (typed) and `raw` (bytes) give it meaning. It never sends a
command under another id and never forgets one before the engine has taken it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Final, Generic

from cambist.client import limits
from cambist.client.enums import CommandClass
from cambist.client.errors import CambistError, InvalidInput, Rejected, Unavailable
from cambist.client.lanes import Entry, Lanes, Outgoing
from cambist.orders.v1 import enums_pb2, events_pb2, service_pb2

NANOSECONDS_PER_MILLISECOND: Final = 1_000_000
MALFORMED: Final = "MALFORMED"
OLD_CONNECTION: Final = enums_pb2.REJECT_REASON_OLD_CONNECTION
UNKNOWN_SESSION: Final = enums_pb2.REJECT_REASON_UNKNOWN_SESSION


class ConnectionFault(CambistError):
    """This connection is of no use any more; the session goes on with the next one."""


class Core(ABC, Generic[Entry]):
    """State of one session over all its connections."""

    # Whether a refused batch may go out again in smaller ones.
    can_split = True

    def __init__(self, *, batch_commands: int) -> None:
        self.lanes: Lanes[Entry] = Lanes(batch_commands=batch_commands)
        self.connection = 0
        # Journal sequence up to which everything has been heard: the resume point.
        self.last_seq = 0
        self.established_seq = 0
        self.batch_bytes_max = limits.AUTO_BATCH_BYTES
        self.previous_end = 0
        # Entries that the engine had taken when the connection came back, until it has caught up.
        self.unsettled: list[Entry] = []
        self.is_reading_pages = False

    # --- what the kinds of session add

    @abstractmethod
    def encode(self, entries: list[Entry]) -> bytes:
        """The body of a batch."""

    @abstractmethod
    def renumbered(self, from_seq_no: int, shift: int) -> None:
        """Order-class numbers from this one on moved by `shift`."""

    @abstractmethod
    def taken(self, entries: Iterable[Entry]) -> None:
        """The engine has taken them; their answers are there or will come."""

    @abstractmethod
    def settle_again(self, entries: list[Entry]) -> None:
        """They were taken, and their answers can no longer come by themselves."""

    @abstractmethod
    def failed(self, entry: Entry, error: CambistError) -> None:
        """It left its lane without being taken."""

    @abstractmethod
    def row(self, batch: service_pb2.EventBatch, events: Iterable[events_pb2.SessionEvent]) -> None:
        """Events of one row that is new to us."""

    @abstractmethod
    def page(self, page: service_pb2.OpenOrders) -> None:
        """A page of open orders: what was between the resume point and it is gone."""

    # --- connection

    def opened(self, established: service_pb2.Established) -> None:
        """A connection is open: what was not taken goes out again."""
        self.connection = established.connection
        self.lanes.max_in_flight = established.max_in_flight
        self.batch_bytes_max = min(limits.AUTO_BATCH_BYTES, established.batch_bytes_max)
        self.lanes.batch_commands = min(
            self.lanes.batch_commands, established.batch_commands_max or self.lanes.batch_commands
        )
        self.established_seq = established.seq
        self.previous_end = established.previous_end.reason
        self.last_seq = self.last_seq or established.seq
        self.is_reading_pages = bool(established.oldest_seq)
        # Until the pages are read, answers could be hidden behind them: nothing goes out.
        self.lanes.is_open = not self.is_reading_pages
        opened = self.lanes.opened(established.last_order_seq_no, established.last_cancel_seq_no)
        if shift := opened.shifts.get(CommandClass.ORDER):
            self.renumbered(0, shift)
        self.taken(opened.taken)
        self.unsettled.extend(opened.taken)

    def lost(self) -> None:
        """The connection is gone."""
        self.lanes.closed()
        self.is_reading_pages = False

    def next_message(self, now_ns: int) -> bytes | None:
        """The next batch to send, as bytes; None when nothing may go out."""
        outgoing = self.lanes.next_batch(now_ns)
        return None if outgoing is None else self.message(outgoing)

    def message(self, outgoing: Outgoing[Entry]) -> bytes:
        """A batch as bytes."""
        batch = service_pb2.CommandBatch(
            command_class=enums_pb2.CommandClass.ValueType(outgoing.command_class),
            first_seq_no=outgoing.first_seq_no,
            count=sum(entry.count for entry in outgoing.entries),
            commands=self.encode(outgoing.entries),
        )
        return service_pb2.OrderEntrySessionRequest(batch=batch).SerializeToString()

    def heartbeat(self) -> bytes:
        """Our heartbeat as bytes."""
        sequence = service_pb2.Sequence(
            next_order_seq_no=self.lanes.order.next_seq_no,
            next_cancel_seq_no=self.lanes.cancel.next_seq_no,
        )
        return service_pb2.OrderEntrySessionRequest(sequence=sequence).SerializeToString()

    # --- what the venue says

    def events(self, batch: service_pb2.EventBatch) -> None:
        """A row. One that was heard before is passed over: it holds nothing of this connection."""
        if batch.last_seq > self.last_seq:
            events = events_pb2.SessionEvents.FromString(batch.session_events).events
            self.row(batch, events)
            self.last_seq = batch.last_seq
            for event in events:
                self.session_event(event)
        self.heard(batch.last_seq)

    def heard(self, seq: int) -> None:
        """The venue has told all up to here; after the resume, what has no answer is asked for."""
        if self.unsettled and not self.is_reading_pages and seq >= self.established_seq:
            unsettled, self.unsettled = self.unsettled, []
            self.settle_again(unsettled)

    def sequence(self, sequence: service_pb2.Sequence) -> None:
        """The venue's heartbeat: a valid resume point."""
        if not self.is_reading_pages:
            self.last_seq = max(self.last_seq, sequence.last_seq)
            self.heard(sequence.last_seq)

    def open_orders(self, page: service_pb2.OpenOrders) -> None:
        """A page of the snapshot that replaces what is no longer kept."""
        self.page(page)
        if page.last_page:
            self.is_reading_pages = False
            self.lanes.is_open = True
            self.last_seq = max(self.last_seq, page.as_of_seq)
            self.heard(max(page.as_of_seq, self.established_seq))

    def session_event(self, event: events_pb2.SessionEvent) -> None:
        """An event of this session; those of other connections say nothing about the wire."""
        if event.connection != self.connection:
            return
        if event.HasField("applied"):
            applied = event.applied
            lane = self.lanes.lane(applied.command_class)
            self.taken(lane.taken_up_to(applied.first_seq_no + applied.count - 1))
            lane.answered(rewind=False)
        elif event.HasField("not_applied"):
            if event.not_applied.reason in (OLD_CONNECTION, UNKNOWN_SESSION):
                raise ConnectionFault("the engine does not know this connection")
            self.lanes.lane(event.not_applied.command_class).answered(rewind=True)

    def batch_refused(self, refused: service_pb2.BatchRefused, now_ns: int) -> None:
        """A batch did not reach the engine: wait, shrink it, or drop the command at fault."""
        if int(refused.command_class) not in (CommandClass.ORDER, CommandClass.CANCEL):
            raise ConnectionFault(f"refused: {refused.reason}")
        lane = self.lanes.lane(refused.command_class)
        if refused.retry_after_ms:
            pause_ns = refused.retry_after_ms * NANOSECONDS_PER_MILLISECOND
            lane.not_before_ns = max(lane.not_before_ns, now_ns + pause_ns)
        elif refused.reason.startswith(MALFORMED):
            self._drop(refused, InvalidInput(refused.reason, f"field {refused.field}"))
        elif self.can_split and refused.count > 1:
            self.lanes.batch_commands = max(1, refused.count // 2)
        else:
            self._drop(refused, Rejected(refused.reason))
        lane.answered(rewind=True)

    def _drop(self, refused: service_pb2.BatchRefused, error: CambistError) -> None:
        lane = self.lanes.lane(refused.command_class)
        entry = lane.remove(refused.first_seq_no, refused.index)
        if entry is None:
            raise ConnectionFault(f"refused: {refused.reason}")
        if lane is self.lanes.order:
            self.renumbered(refused.first_seq_no + refused.index, -entry.count)
        self.failed(entry, error)

    def abandon(self) -> None:
        """The session is over: what never went out was surely not carried out."""
        self.lanes.closed()
        for lane in (self.lanes.order, self.lanes.cancel):
            lane.rewind()
            for entry in lane.waiting:
                if not entry.sends:
                    self.failed(entry, Unavailable("SESSION_ENDED", "never sent"))
            lane.waiting.clear()
            lane.waiting_commands = 0
