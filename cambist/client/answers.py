"""Answers of one typed session: which event settles which command, what is told once.

No I/O. A command is settled once: by its event, by what Resolve says of it, or by the end of the
session. Events are told in order of `account_seq`, each once.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from cambist.client import commands
from cambist.client.commands import Request
from cambist.client.core import ConnectionFault, Core
from cambist.client.decode import decode_event
from cambist.client.enums import (
    CancelReason,
    CommandClass,
    OrderType,
    RejectReason,
    ResolveState,
    Side,
    TimeInForce,
)
from cambist.client.errors import CambistError, InvalidInput, Unknown
from cambist.client.events import (
    Accepted,
    Answer,
    Canceled,
    Event,
    EventsMissed,
    MassCanceled,
    MoneyMoved,
    Refused,
    Replaced,
    Resolved,
)
from cambist.orders.v1 import events_pb2, service_pb2

Key: TypeAlias = tuple[bool, int, bytes]
RESENT: Final = 2


@dataclass(slots=True, eq=False)
class Pending:
    """A command without an answer."""

    request: Request
    future: asyncio.Future[Answer]
    sends: int = 0
    # Numbers of class ORDER given out before it, told to the venue by cancels.
    after_order_seq_no: int = 0
    # Asks what became of this one.
    origin: "Pending | None" = None

    @property
    def count(self) -> int:
        """One command."""
        return 1

    @property
    def key(self) -> Key:
        """Where its answer is looked for."""
        return self.request.kind == "resolve", self.request.account_id, self.request.id


class Answers(Core[Pending]):
    """The typed session."""

    def __init__(self, tell: Callable[[Event], None], *, batch_commands: int) -> None:
        super().__init__(batch_commands=batch_commands)
        self._tell = tell
        self.pending: dict[Key, Pending] = {}
        self.account_seqs: dict[int, int] = {}
        self._missed_once: tuple[int, int] | None = None
        self._is_private_gap_told = False

    def submit(self, request: Request, future: asyncio.Future[Answer]) -> asyncio.Future[Answer]:
        """Queues a command; the same one again gives the first one's future."""
        pending = Pending(request, future)
        present = self.pending.get(pending.key)
        if present is not None:
            if present.request is request:
                return present.future
            raise InvalidInput("ID_REUSED", "a command with this id has no answer yet")
        self.pending[pending.key] = pending
        self._queue(pending)
        return future

    def _queue(self, pending: Pending) -> None:
        if pending.request.command_class == CommandClass.CANCEL:
            pending.after_order_seq_no = self.lanes.order.next_seq_no - 1
            self.lanes.cancel.queue(pending)
        else:
            self.lanes.order.queue(pending)

    # --- what Core asks

    def encode(self, entries: list[Pending]) -> bytes:
        """The body of a batch."""
        for pending in entries:
            commands.set_after_order(pending.request, pending.after_order_seq_no)
        return commands.encode([pending.request for pending in entries])

    def renumbered(self, from_seq_no: int, shift: int) -> None:
        """Cancels that wait name order numbers: these move with them."""
        for pending in self.lanes.cancel.entries():
            if pending.after_order_seq_no >= from_seq_no:
                pending.after_order_seq_no = max(0, pending.after_order_seq_no + shift)

    def taken(self, entries: Iterable[Pending]) -> None:
        """Their answers came before, in the same row, or come with the resume."""
        for _ in entries:
            pass

    def settle_again(self, entries: list[Pending]) -> None:
        """Sent again under new numbers: the engine repeats its first answer to a known id."""
        for pending in entries:
            if not pending.future.done():
                self._queue(pending)

    def failed(self, entry: Pending, error: CambistError) -> None:
        """It left its lane without being taken."""
        self.pending.pop(entry.key, None)
        self._fail(entry, error)

    def row(self, batch: service_pb2.EventBatch, events: Iterable[events_pb2.SessionEvent]) -> None:
        """Private events first: then all commands of an applied batch have their answers."""
        if batch.private_events:
            for message in events_pb2.PrivateEvents.FromString(batch.private_events).events:
                self._private(message)
        for event in events:
            if event.HasField("refused"):
                self._refused(event)

    def page(self, page: service_pb2.OpenOrders) -> None:
        """Open orders, told as Accepted; what is missing before them is named once per account."""
        for message in events_pb2.PrivateEvents.FromString(page.private_events).events:
            last = self.account_seqs.get(message.account_id)
            if last is not None and message.account_seq > last:
                self._miss(message, last + 1, message.account_seq)
            self.account_seqs[message.account_id] = max(last or 0, message.account_seq)
            event = decode_event(message)
            if event is not None:
                self._tell(event)
                self._settle(event)

    def abandon(self) -> None:
        """Everything without an answer is settled with what is known of it."""
        super().abandon()
        for pending in list(self.pending.values()):
            self._fail(pending, unknown(pending.request, "the session ended before its answer"))
        self.pending.clear()

    # --- events

    def _private(self, message: events_pb2.PrivateEvent) -> None:
        last = self.account_seqs.get(message.account_id)
        if last is not None:
            if message.account_seq <= last:
                return
            if message.account_seq > last + 1:
                gap = message.account_id, message.account_seq
                if gap != self._missed_once:
                    self._missed_once = gap
                    raise ConnectionFault(f"events of account {message.account_id} are missing")
                self._miss(message, last + 1, message.account_seq - 1)
        self.account_seqs[message.account_id] = message.account_seq
        event = decode_event(message)
        if event is not None:
            self._tell(event)
            self._settle(event)

    def _miss(self, message: events_pb2.PrivateEvent, first: int, last: int) -> None:
        times = message.received_ns, message.sequenced_ns
        self._tell(EventsMissed(message.seq, last, message.account_id, *times, first))

    def _refused(self, event: events_pb2.SessionEvent) -> None:
        """Refused before an account could be told: named by its id alone."""
        refused = event.refused
        for key, pending in list(self.pending.items()):
            if key[2] == refused.id:
                answer = Refused(
                    event.seq,
                    0,
                    pending.request.account_id,
                    0,
                    0,
                    id=refused.id,
                    reason=RejectReason(refused.reason),
                )
                self._done(pending, answer)

    def _settle(self, event: Event) -> None:
        key = answered_by(event)
        pending = None if key is None else self.pending.get(key)
        if pending is None or not isinstance(event, Answer):
            return
        if pending.request.kind == "replace" and isinstance(event, Canceled):
            # The old order went; the new one answers.
            return
        if is_stale(event) and pending.sends >= RESENT:
            self._ask(pending)
        elif pending.origin is not None and isinstance(event, Resolved):
            self._done(pending, event)
            self._conclude(pending.origin, event)
        else:
            self._done(pending, event)

    def _ask(self, origin: Pending) -> None:
        """Too old to be told from a new one, and sent before: Resolve settles it."""
        request = origin.request
        question = commands.resolve(request.account_id, request.id, request.sent_time_ns)
        pending = Pending(question, origin.future.get_loop().create_future(), origin=origin)
        if pending.key not in self.pending:
            self.pending[pending.key] = pending
            self._queue(pending)

    def _conclude(self, origin: Pending, resolved: Resolved) -> None:
        if resolved.state == ResolveState.FORGOTTEN:
            self.pending.pop(origin.key, None)
            self._fail(origin, unknown(origin.request, "too old to tell: ask the history"))
            return
        self._done(origin, answer_of(origin.request, resolved))

    def _done(self, pending: Pending, answer: Answer) -> None:
        self.pending.pop(pending.key, None)
        if not pending.future.done():
            pending.future.set_result(answer)

    def _fail(self, pending: Pending, error: CambistError) -> None:
        if not pending.future.done():
            pending.future.set_exception(error)
            # Nobody may ask for it, and asyncio would complain.
            pending.future.exception()
        if pending.origin is not None:
            self._fail(pending.origin, error)


def unknown(request: Request, text: str) -> Unknown:
    """The error of a command whose outcome is not known."""
    return Unknown(f"{request.kind}: {text}", id=request.id, sent_time_ns=request.sent_time_ns)


def is_stale(event: Event) -> bool:
    """Whether the engine could not tell a repeat from a new command."""
    return isinstance(event, Refused) and event.reason == RejectReason.STALE


def answered_by(event: Event) -> Key | None:
    """Which command an event may answer."""
    match event:
        case Accepted(cl_ord_id=id_):
            return False, event.account_id, id_
        case Refused(id=id_) | MoneyMoved(id=id_):
            return False, event.account_id, id_
        case Canceled(request_id=id_) | Replaced(request_id=id_) | MassCanceled(request_id=id_):
            return (False, event.account_id, id_) if id_ else None
        case Resolved(id=id_):
            return True, event.account_id, id_
    return None


def answer_of(request: Request, resolved: Resolved) -> Answer:
    """The answer that a command had, as far as Resolve tells it."""
    head = resolved.seq, resolved.account_seq, resolved.account_id, 0, resolved.sequenced_ns
    if resolved.state == ResolveState.NEVER_APPLIED:
        return Refused(*head, id=request.id, reason=RejectReason.STALE)
    if resolved.state == ResolveState.REJECTED:
        return Refused(*head, id=request.id, reason=resolved.reason, repeat=True)
    if request.kind in ("new_order", "replace"):
        order = request.message.new_order
        if request.kind == "replace":
            order = request.message.replace.new_order
        accepted = Accepted(
            *head,
            request.id,
            resolved.order_id,
            order.market_id,
            Side(order.side),
            price_ticks=order.price_ticks,
            quantity_lots=order.quantity_lots,
            order_type=OrderType(order.order_type),
            time_in_force=TimeInForce(order.time_in_force),
            tag=order.tag,
            repeat=True,
            first_answer_seq=resolved.first_answer_seq,
        )
        return replace(accepted, leaves_lots=resolved.leaves_lots, cum_lots=resolved.cum_lots)
    if request.kind == "cancel":
        named = request.message.cancel.orig_cl_ord_id
        return Canceled(
            *head,
            named,
            resolved.order_id,
            0,
            Side.UNSPECIFIED,
            CancelReason.REQUESTED,
            request.id,
            repeat=True,
        )
    return resolved
