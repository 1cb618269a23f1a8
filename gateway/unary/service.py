"""Unary twins of OrderEntryService, transfers and withdrawals.

The bytes of a command go on as they came; the parsed message is only looked at for account, market
and id. Refusals of the engine are fields, but for those that the protocol gives a code.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from cambist.orders.v1 import commands_pb2, events_pb2, service_pb2
from gateway import limits, wire
from gateway.door.accounts import own_account, shard_for
from gateway.door.calls import Call, Received
from gateway.errors import Unknown, denied, exhausted, invalid, malformed
from gateway.identity.buckets import BucketTable, TokenBucket
from gateway.identity.keys import Caller
from gateway.shard.shard import Shard
from gateway.stages import GatewayStages
from gateway.unary.answers import raise_refusal
from gateway.unary.board import Events, Question, UnaryBoard
from gateway.unary.strictness import fault_in

Command = commands_pb2.Command
AnyCommand = (
    commands_pb2.NewOrder
    | commands_pb2.Cancel
    | commands_pb2.Amend
    | commands_pb2.Replace
    | commands_pb2.MassCancel
    | commands_pb2.CancelAllAfter
    | commands_pb2.Resolve
    | commands_pb2.Transfer
    | commands_pb2.RequestWithdrawal
)
R = TypeVar("R", bound=Message)
NEW = Command.NEW_ORDER_FIELD_NUMBER
CANCEL = Command.CANCEL_FIELD_NUMBER
AMEND = Command.AMEND_FIELD_NUMBER
REPLACE = Command.REPLACE_FIELD_NUMBER
MASS_CANCEL = Command.MASS_CANCEL_FIELD_NUMBER
CANCEL_ALL_AFTER = Command.CANCEL_ALL_AFTER_FIELD_NUMBER
RESOLVE = Command.RESOLVE_FIELD_NUMBER
CANCEL_CLASS = frozenset({CANCEL, MASS_CANCEL, CANCEL_ALL_AFTER, RESOLVE})
# They enter an order, which answers.
ORDERS = frozenset({NEW, REPLACE})
NS_PER_MS = 1_000_000


class UnaryService:
    """One command per call, on any shard."""

    def __init__(
        self, shards: Mapping[int, Shard], rates: tuple[int, int], stages: GatewayStages
    ) -> None:
        self._shards = shards
        self._boards = {number: UnaryBoard(shard, stages) for number, shard in shards.items()}
        self._orders = BucketTable(rates[0], rates[0], limits.BUCKETS_MAX)
        self._cancels = BucketTable(rates[1], rates[1], limits.BUCKETS_MAX)

    async def new_order(
        self, received: Received[service_pb2.NewOrderRequest], call: Call
    ) -> service_pb2.NewOrderResponse:
        """One new order."""
        events = await self.single(NEW, message_of(received).order, received.raw, call)
        return service_pb2.NewOrderResponse(answer=events[0], events=events[1:])

    async def cancel_order(
        self, received: Received[service_pb2.CancelOrderRequest], call: Call
    ) -> service_pb2.CancelOrderResponse:
        """Cancels one order."""
        events = await self.single(CANCEL, message_of(received).cancel, received.raw, call)
        return service_pb2.CancelOrderResponse(answer=events[0])

    async def amend_order(
        self, received: Received[service_pb2.AmendOrderRequest], call: Call
    ) -> service_pb2.AmendOrderResponse:
        """Amends one order."""
        amend = message_of(received).amend
        self._check_amended_market(call.caller, amend)
        events = await self.single(AMEND, amend, received.raw, call)
        return service_pb2.AmendOrderResponse(answer=events[0], events=events[1:])

    async def replace_order(
        self, received: Received[service_pb2.ReplaceOrderRequest], call: Call
    ) -> service_pb2.ReplaceOrderResponse:
        """Cancels an order and enters another."""
        events = await self.single(REPLACE, message_of(received).replace, received.raw, call)
        return service_pb2.ReplaceOrderResponse(answer=events[0], events=events[1:])

    async def mass_cancel(
        self, received: Received[service_pb2.MassCancelRequest], call: Call
    ) -> service_pb2.MassCancelResponse:
        """Cancels all orders that match."""
        command = message_of(received).mass_cancel
        events = await self.single(MASS_CANCEL, command, received.raw, call)
        return service_pb2.MassCancelResponse(answer=events[0], events=events[1:])

    async def cancel_all_after(
        self, received: Received[service_pb2.CancelAllAfterRequest], call: Call
    ) -> service_pb2.CancelAllAfterResponse:
        """Arms, renews or disarms the dead man's timer of an account."""
        command = message_of(received).cancel_all_after
        events = await self.single(CANCEL_ALL_AFTER, command, received.raw, call)
        return service_pb2.CancelAllAfterResponse(
            fires_ns=fires_ns(command, events[0]), answer=events[0]
        )

    async def resolve_order(
        self, received: Received[service_pb2.ResolveOrderRequest], call: Call
    ) -> service_pb2.ResolveOrderResponse:
        """Settles an id."""
        events = await self.single(RESOLVE, message_of(received).resolve, received.raw, call)
        return service_pb2.ResolveOrderResponse(answer=events[0])

    async def batch_new_orders(
        self, received: Received[service_pb2.BatchNewOrdersRequest], call: Call
    ) -> service_pb2.BatchNewOrdersResponse:
        """Several new orders, each with its own answer."""
        orders = message_of(received).orders
        results = await self._several(NEW, orders, received.raw, call)
        return service_pb2.BatchNewOrdersResponse(
            results=[
                service_pb2.NewOrderResponse(answer=events[0], events=events[1:])
                for events in results
            ]
        )

    async def batch_cancel_orders(
        self, received: Received[service_pb2.BatchCancelOrdersRequest], call: Call
    ) -> service_pb2.BatchCancelOrdersResponse:
        """Several cancels, each with its own answer."""
        cancels = message_of(received).cancels
        results = await self._several(CANCEL, cancels, received.raw, call)
        return service_pb2.BatchCancelOrdersResponse(
            results=[service_pb2.CancelOrderResponse(answer=events[0]) for events in results]
        )

    async def single(self, field: int, command: AnyCommand, raw: bytes, call: Call) -> Events:
        """The events of one command; refusals with a code are raised."""
        payloads = wire.split(raw, 1)
        if not payloads:
            fault = "the request must be one command" if raw else "the command is missing"
            raise malformed("MALFORMED_REQUEST", fault)
        if len(payloads) > 1:
            raise malformed("MALFORMED_DUPLICATE_FIELD", "the command is there twice")
        return await self.carry_out(field, command, payloads[0], call)

    async def carry_out(
        self, field: int, command: AnyCommand, payload: memoryview, call: Call
    ) -> Events:
        """The events of one command whose bytes are `payload`."""
        self._admit(field, [command], call)
        events = await self._ask(field, command, payload, seconds_for(call))
        raise_refusal(events[0], id_of(command))
        return events

    async def carry_out_made(self, field: int, command: AnyCommand, seconds: float) -> Events:
        """The events of a command that this gateway made; whoever asks has looked at rights."""
        payload = memoryview(command.SerializeToString())
        events = await self._ask(field, command, payload, seconds)
        raise_refusal(events[0], id_of(command))
        return events

    async def _several(
        self, field: int, commands: Sequence[AnyCommand], raw: bytes, call: Call
    ) -> list[Events]:
        """The events of each command; all are looked at before the first is sent."""
        payloads = wire.split(raw, 1)
        if payloads is None:
            raise malformed("MALFORMED_UNKNOWN_FIELD", "the request has other fields")
        if not 1 <= len(commands) <= limits.UNARY_BATCH_MAX:
            raise invalid("commands", f"not 1 to {limits.UNARY_BATCH_MAX}")
        for index, (command, payload) in enumerate(zip(commands, payloads, strict=True)):
            fault = fault_in(command, len(payload))
            if fault is not None:
                metadata = {"index": str(index), "field": str(fault[1])}
                raise malformed(fault[0], f"command {index}", metadata)
        self._admit(field, commands, call)
        answers = await asyncio.gather(
            *(
                self._ask(field, command, payload, seconds_for(call))
                for command, payload in zip(commands, payloads, strict=True)
            ),
            return_exceptions=True,
        )
        # An unknown outcome outranks a command that was surely not executed.
        for error in sorted(
            (answer for answer in answers if isinstance(answer, BaseException)),
            key=lambda error: not isinstance(error, Unknown),
        ):
            raise error
        return [answer for answer in answers if not isinstance(answer, BaseException)]

    async def _ask(
        self, field: int, command: AnyCommand, payload: memoryview, seconds: float
    ) -> Events:
        account_id, market_id = place_of(command)
        shard = shard_for(self._shards, account_id, market_id)
        body = wire.header(field, len(payload)) + payload
        question = Question(
            account_id,
            id_of(command),
            wire.header(1, len(body)) + body,
            is_cancel=field in CANCEL_CLASS,
            is_order=field in ORDERS,
        )
        return await self._boards[shard.number].ask(question, seconds)

    def _admit(self, field: int, commands: Sequence[AnyCommand], call: Call) -> None:
        """Accounts, markets and rates, before anything is sent. Raises Rejected."""
        caller = call.caller
        is_cancel = field in CANCEL_CLASS
        for command in commands:
            account_id, market_id = place_of(command)
            shard = shard_for(self._shards, account_id, market_id)
            own_account(caller, shard, account_id)
            if not is_cancel and market_id and not caller.may_see_market(market_id):
                raise denied("MARKET_NOT_PERMITTED", f"market {market_id} is not on the key's list")
        bucket = caller.cancels if is_cancel else caller.orders
        table = self._cancels if is_cancel else self._orders
        now_ns = self._shards[min(self._shards)].clock.monotonic_ns()
        take(bucket, len(commands), now_ns, "the key's rate")
        for command in commands:
            take(table.bucket(place_of(command)[0], now_ns), 1, now_ns, "the account's rate")
        call.set_trailers(
            (
                ("cambist-orders-remaining", str(caller.orders.remaining(now_ns))),
                ("cambist-cancels-remaining", str(caller.cancels.remaining(now_ns))),
            )
        )

    def _check_amended_market(self, caller: Caller, amend: commands_pb2.Amend) -> None:
        """A key with a market list amends only orders that are seen to be on it."""
        if not caller.record.market_ids:
            return
        shard = shard_for(self._shards, amend.account_id)
        own_account(caller, shard, amend.account_id)
        market_id = open_order_market(shard, amend)
        if market_id and not caller.may_see_market(market_id):
            raise denied("MARKET_NOT_PERMITTED", f"market {market_id} is not on the key's list")


def open_order_market(shard: Shard, amend: commands_pb2.Amend) -> int:
    """Market of the open order that an amendment names; 0 when it is not open here."""
    image, account_id = shard.feed.image, amend.account_id
    if amend.order_id:
        page = image.order(account_id, amend.order_id)
    else:
        page = image.open_orders(account_id, 0, limits.RETRANSMIT_EVENTS_MAX)
    for event in events_pb2.PrivateEvents.FromString(page).events:
        report = event.execution_report
        if amend.order_id or report.cl_ord_id == amend.orig_cl_ord_id:
            return report.market_id
    return 0


def take(bucket: TokenBucket, count: int, now_ns: int, what: str) -> None:
    """Takes tokens. Raises Rejected RATE_LIMITED."""
    if not bucket.take(count, now_ns):
        seconds = bucket.milliseconds_until(count, now_ns) / 1_000
        raise exhausted("RATE_LIMITED", f"above {what}", seconds)


def message_of(received: Received[R]) -> R:
    """The parsed request; the door refused what is none."""
    assert received.message is not None
    return received.message


def place_of(command: AnyCommand) -> tuple[int, int]:
    """Account and market of a command; market 0 when it names none.

    Of Replace those of the new order: what it cancels needs no more than a Cancel does.
    """
    if isinstance(command, commands_pb2.Replace):
        return place_of(command.new_order)
    return command.account_id, getattr(command, "market_id", 0)


def fires_ns(command: commands_pb2.CancelAllAfter, answer: events_pb2.PrivateEvent) -> int:
    """When the timer fires; 0 when it is disarmed, or when this call armed nothing."""
    report = answer.mass_cancel_report
    if not answer.HasField("mass_cancel_report") or report.repeat or not command.timeout_ms:
        return 0
    return answer.sequenced_ns + command.timeout_ms * NS_PER_MS


def id_of(command: AnyCommand) -> bytes:
    """The command's own id."""
    if isinstance(command, commands_pb2.Replace):
        command = command.new_order
    if isinstance(command, commands_pb2.NewOrder):
        return command.cl_ord_id
    return command.id if isinstance(command, commands_pb2.Resolve) else command.request_id


def seconds_for(call: Call) -> float:
    """How long to wait: less than the caller does, so that it hears what is unknown."""
    left = call.seconds_left()
    if left is None:
        return limits.ANSWER_SECONDS
    return min(limits.ANSWER_SECONDS, max(left - limits.ANSWER_MARGIN_SECONDS, left * 0.8))
