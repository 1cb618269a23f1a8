"""Calls that wait for the committed answer of one command.

An answer is found by account, by the id of the command and by the time the gateway stamped on its
envelope, which is unique in the process. Only frames of accounts with a waiting call are opened.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import enums_pb2, events_pb2
from gateway import limits
from gateway.errors import exhausted, malformed, outcome_unknown, unavailable
from gateway.sessions.messages import malformed_name
from gateway.shard.envelopes import unary_envelope
from gateway.shard.shard import Shard
from gateway.stages import GatewayStages
from gateway.unary.answers import fault_of_reason
from runtime.order_traces import Numbered

Events = list[events_pb2.PrivateEvent]


@dataclass(frozen=True, slots=True)
class Question:
    """One command on its way: a Commands message and what its answer will be known by."""

    account_id: int
    identifier: bytes
    commands: bytes
    # Cancels have room of their own before the link.
    is_cancel: bool
    # Enters an order: answered by the order of this id, not by what names the id as a request.
    is_order: bool


@dataclass(frozen=True, slots=True)
class Waiter:
    """One call; hears the answer from whichever side it comes."""

    identifier: bytes
    is_order: bool
    # The events, and when they were durable.
    answer: asyncio.Future[tuple[Events, int]]

    def _fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def refused(self, _number: int, refusal: matching_pb2.Refused) -> None:
        """The engine's decoder refused the bytes; nothing was applied."""
        metadata = {"index": str(refusal.index), "field": str(refusal.field)}
        name = malformed_name(refusal.reason)
        self._fail(malformed(name, f"field {refusal.field} of the command", metadata))

    def not_sent(self, _number: int) -> None:
        """The link broke before the envelope left."""
        self._fail(unavailable("SHARD_UNAVAILABLE", "the shard changed its primary"))

    def system_answer(self, answer: frames_pb2.SystemAnswer) -> None:
        """Refused before an account could be told."""
        fault = fault_of_reason(answer.reason, self.identifier)
        if fault is None:
            name = enums_pb2.RejectReason.Name(answer.reason)
            fault = malformed(name.removeprefix("REJECT_REASON_"), "refused by the engine")
        self._fail(fault)


class AccountWaiters:
    """Waiting calls of one account by the time stamped on their envelopes."""

    __slots__ = ("by_time",)

    def __init__(self) -> None:
        self.by_time: dict[int, Waiter] = {}

    def private_frame(self, payload: memoryview, durable_ns: int) -> None:
        """Looks for answers in the account's frame of one row."""
        events = events_pb2.PrivateEvents.FromString(bytes(payload)).events
        for index, event in enumerate(events):
            waiter = self.by_time.get(event.received_ns)
            if waiter is None or waiter.answer.done():
                continue
            if is_answer(event, waiter.identifier, is_order=waiter.is_order):
                found = events_of_command(events, index, waiter.identifier)
                waiter.answer.set_result((found, durable_ns))


class UnaryBoard:
    """Asks the engine of one shard one command at a time."""

    def __init__(self, shard: Shard, stages: GatewayStages) -> None:
        self._shard = shard
        self._stages = stages
        self._accounts: dict[int, AccountWaiters] = {}
        self._waiting = 0
        self._last_ns = 0

    async def ask(self, question: Question, seconds: float) -> Events:
        """The events of the command on its account, its answer first.

        Raises Rejected (malformed, no such account), Unavailable (surely not executed), Unknown.
        """
        if self._waiting >= limits.UNARY_WAITING_MAX:
            raise exhausted("TOO_MANY_WAITING", "too many calls wait for an answer", 1.0)
        shard, router = self._shard, self._shard.feed.router
        # Unique, so that an answer is never taken for that of another call.
        self._last_ns = received_ns = max(self._last_ns + 1, shard.clock.wall_ns())
        correlation = shard.next_correlation()
        answer: asyncio.Future[tuple[Events, int]] = asyncio.get_running_loop().create_future()
        waiter = Waiter(question.identifier, question.is_order, answer)
        waiters = self._accounts.get(question.account_id)
        if waiters is None:
            waiters = self._accounts[question.account_id] = AccountWaiters()
            router.seek(question.account_id, waiters)
        waiters.by_time[received_ns] = waiter
        router.expect_answer(correlation, waiter)
        self._waiting += 1
        envelope = unary_envelope(question.commands, correlation, received_ns)
        numbered = Numbered(0, enums_pb2.COMMAND_CLASS_UNARY, correlation, 1)
        ticket = 0
        try:
            async with asyncio.timeout(seconds):
                ticket = await shard.submitter.submit(envelope, waiter, urgent=question.is_cancel)
                self._stages.received(numbered, received_ns)
                events, durable_ns = await waiter.answer
        except TimeoutError:
            if not ticket:
                raise unavailable("BUSY", "the shard takes no more now") from None
            raise outcome_unknown(question.identifier) from None
        else:
            self._stages.delivered((numbered,), durable_ns)
            return events
        finally:
            self._waiting -= 1
            router.forget(correlation)
            del waiters.by_time[received_ns]
            if not waiters.by_time:
                del self._accounts[question.account_id]
                router.stop_seeking(question.account_id)


def events_of_command(events: Sequence[events_pb2.PrivateEvent], index: int, id_: bytes) -> Events:
    """The answer at `index`, then what else the command did on the account, in order.

    The report of an order that is replaced comes before the answer.
    """
    answer = events[index]
    before = [
        one
        for one in events[:index]
        if one.seq == answer.seq and one.execution_report.request_id == id_
    ]
    return [answer, *before, *(one for one in events[index + 1 :] if one.seq == answer.seq)]


def is_answer(event: events_pb2.PrivateEvent, identifier: bytes, *, is_order: bool) -> bool:
    """Whether the event answers the command with this id.

    The end of an order that is replaced names the new order's id as its request: no answer.
    """
    match event.WhichOneof("event"):
        case "execution_report":
            report = event.execution_report
            return identifier == (report.cl_ord_id if is_order else report.request_id)
        case "cancel_reject":
            return event.cancel_reject.request_id == identifier
        case "mass_cancel_report":
            return event.mass_cancel_report.request_id == identifier
        case "resolve_report":
            return event.resolve_report.id == identifier
        case "money_report":
            return event.money_report.id == identifier
    return False
