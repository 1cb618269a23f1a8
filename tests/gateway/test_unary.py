"""Unary twins: answers, the table of errors, and outcomes that are not known."""

import asyncio
import time
from typing import Any

import grpc.aio
import pytest

from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2, service_pb2
from gateway import limits
from gateway.door.permissions import Scope
from runtime import rpc_errors
from tests.gateway.venue import (
    ACCOUNT,
    MARKET,
    SECOND_ACCOUNT,
    SECOND_MARKET,
    Client,
    RunningGateway,
    Venue,
    fresh_id,
    new_order,
    status_of,
)

SECOND_NS = 1_000_000_000


def cancel_of(order_id: int = 0, **fields: Any) -> commands_pb2.Cancel:
    values = {"request_id": fresh_id(), "account_id": ACCOUNT, "sent_time_ns": time.time_ns()}
    return commands_pb2.Cancel(order_id=order_id, **{**values, **fields})


def amend_of(order_id: int, **fields: Any) -> commands_pb2.Amend:
    values = {"request_id": fresh_id(), "account_id": ACCOUNT, "sent_time_ns": time.time_ns()}
    return commands_pb2.Amend(order_id=order_id, **{**values, **fields})


class Unary:
    """Calls with the right token."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, method: str, request: Any, **options: Any) -> Any:
        metadata = self.client.metadata
        return await getattr(self.client.orders, method)(request, metadata=metadata, **options)

    async def new(self, **fields: Any) -> service_pb2.NewOrderResponse:
        request = service_pb2.NewOrderRequest(order=new_order(**fields))
        answer: service_pb2.NewOrderResponse = await self.call("NewOrder", request)
        return answer

    async def cancel(self, cancel: commands_pb2.Cancel) -> events_pb2.PrivateEvent:
        request = service_pb2.CancelOrderRequest(cancel=cancel)
        answer: events_pb2.PrivateEvent = (await self.call("CancelOrder", request)).answer
        return answer

    async def amend(self, amend: commands_pb2.Amend) -> service_pb2.AmendOrderResponse:
        request = service_pb2.AmendOrderRequest(amend=amend)
        answer: service_pb2.AmendOrderResponse = await self.call("AmendOrder", request)
        return answer

    async def resolve(self, **fields: Any) -> events_pb2.ResolveReport:
        resolve = commands_pb2.Resolve(account_id=ACCOUNT, **fields)
        request = service_pb2.ResolveOrderRequest(resolve=resolve)
        answer: events_pb2.ResolveReport
        answer = (await self.call("ResolveOrder", request)).answer.resolve_report
        return answer


@pytest.fixture
def unary(client: Client) -> Unary:
    return Unary(client)


async def test_life_of_an_order_by_single_calls(unary: Unary) -> None:
    placed = (await unary.new()).answer.execution_report
    assert placed.exec_type == enums_pb2.EXEC_TYPE_NEW
    amended = (await unary.amend(amend_of(placed.order_id, price_ticks=90))).answer
    assert amended.execution_report.exec_type == enums_pb2.EXEC_TYPE_REPLACED
    cancelled = await unary.cancel(cancel_of(placed.order_id))
    assert cancelled.execution_report.exec_type == enums_pb2.EXEC_TYPE_CANCELED
    resolved = await unary.resolve(id=placed.cl_ord_id, sent_time_ns=time.time_ns())
    assert resolved.state == enums_pb2.RESOLVE_STATE_APPLIED


async def test_fills_of_an_order_come_with_its_answer(unary: Unary) -> None:
    for price in (100, 101):
        await unary.new(account_id=SECOND_ACCOUNT, side=enums_pb2.SIDE_SELL, price_ticks=price)
    answer = await unary.new(price_ticks=101, quantity_lots=7)
    assert answer.answer.execution_report.exec_type == enums_pb2.EXEC_TYPE_NEW
    fills = [event.execution_report for event in answer.events]
    assert [(fill.last_price_ticks, fill.last_lots) for fill in fills] == [(100, 5), (101, 2)]
    assert fills[-1].leaves_lots == 0


async def test_a_mass_cancel_names_what_it_cancelled(unary: Unary) -> None:
    placed = [(await unary.new()).answer.execution_report.order_id for _ in range(3)]
    await unary.new(market_id=SECOND_MARKET)
    command = commands_pb2.MassCancel(
        request_id=fresh_id(), account_id=ACCOUNT, market_id=MARKET, sent_time_ns=time.time_ns()
    )
    answer = await unary.call("MassCancel", service_pb2.MassCancelRequest(mass_cancel=command))
    assert answer.answer.mass_cancel_report.affected_count == 3
    assert [event.execution_report.order_id for event in answer.events] == placed


async def test_the_same_id_and_body_again_is_the_first_answer(unary: Unary) -> None:
    order = new_order()
    request = service_pb2.NewOrderRequest(order=order)
    first = await unary.call("NewOrder", request)
    again = await unary.call("NewOrder", request)
    assert again.answer.execution_report.repeat
    assert again.answer.execution_report.first_answer_seq == first.answer.seq


async def test_calls_at_once_with_one_id_all_get_the_one_order(unary: Unary) -> None:
    request = service_pb2.NewOrderRequest(order=new_order())
    answers = await asyncio.gather(*(unary.call("NewOrder", request) for _ in range(20)))
    reports = [answer.answer.execution_report for answer in answers]
    assert len({report.order_id for report in reports}) == 1
    assert sorted(report.repeat for report in reports) == [False, *[True] * 19]


async def test_business_refusals_are_answers(unary: Unary) -> None:
    report = (await unary.new(price_ticks=0)).answer.execution_report
    assert report.reject_reason == enums_pb2.REJECT_REASON_INVALID_PRICE
    report = (await unary.new(quantity_lots=2**50)).answer.execution_report
    assert report.reject_reason == enums_pb2.REJECT_REASON_INSUFFICIENT_FUNDS
    report = (await unary.new(market_id=MARKET + 99)).answer.execution_report
    assert report.reject_reason == enums_pb2.REJECT_REASON_UNKNOWN_MARKET
    report = (await unary.new(market_id=9 << 16 | 1)).answer.execution_report
    assert report.reject_reason == enums_pb2.REJECT_REASON_WRONG_SHARD


async def fault_of(call: Any) -> rpc_errors.Fault:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return rpc_errors.fault_of(error.value)


async def test_same_id_other_body_is_already_exists(unary: Unary) -> None:
    identifier = fresh_id()
    await unary.new(cl_ord_id=identifier)
    fault = await fault_of(unary.new(cl_ord_id=identifier, price_ticks=7))
    assert (fault.code.name, fault.reason) == ("ALREADY_EXISTS", "ID_REUSED")
    assert fault.metadata["id"] == identifier.hex()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"order_id": 2**40}, ("NOT_FOUND", "UNKNOWN_ORDER")),
        ({"orig_cl_ord_id": bytes(15) + b"x"}, ("NOT_FOUND", "UNKNOWN_ORDER")),
        ({"order_id": 1, "account_id": 999_999}, ("NOT_FOUND", "UNKNOWN_ACCOUNT")),
        ({"order_id": 1, "account_id": 1}, ("NOT_FOUND", "UNKNOWN_ACCOUNT")),
        ({"order_id": 1, "sent_time_ns": 1}, ("FAILED_PRECONDITION", "STALE")),
        ({"order_id": 1, "sent_time_ns": 2**62}, ("FAILED_PRECONDITION", "SENT_TIME_AHEAD")),
        (
            {
                "order_id": 1,
                "sent_time_ns": time.time_ns() - 60 * SECOND_NS,
                "expires_after_ms": 1,
            },
            ("FAILED_PRECONDITION", "EXPIRED"),
        ),
        ({"order_id": 1, "request_id": b""}, ("INVALID_ARGUMENT", "MALFORMED_BAD_LENGTH")),
        ({"order_id": 1, "request_id": b"x"}, ("INVALID_ARGUMENT", "MALFORMED_BAD_LENGTH")),
        (
            {"order_id": 1, "expires_after_ms": 60_001},
            ("INVALID_ARGUMENT", "MALFORMED_OUT_OF_RANGE"),
        ),
    ],
)
async def test_refusals_that_are_faults_of_the_call(
    unary: Unary, fields: dict[str, Any], status: tuple[str, str]
) -> None:
    assert await status_of(unary.cancel(cancel_of(**fields))) == status


async def test_an_order_of_somebody_else_looks_unknown(
    venue: Venue, gateway: RunningGateway, unary: Unary
) -> None:
    placed = (await unary.new()).answer.execution_report
    other = Unary(await venue.client(gateway, await venue.key(account_ids=(SECOND_ACCOUNT,))))
    cancel = cancel_of(placed.order_id, account_id=SECOND_ACCOUNT)
    assert await status_of(other.cancel(cancel)) == ("NOT_FOUND", "UNKNOWN_ORDER")


async def test_an_unknown_enum_is_malformed_with_its_field(unary: Unary) -> None:
    fault = await fault_of(unary.new(side=99))
    assert (fault.code.name, fault.reason) == ("INVALID_ARGUMENT", "MALFORMED_UNKNOWN_ENUM_VALUE")
    assert fault.metadata["field"] == "4"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x0a\x7f\x01", id="truncated"),
        pytest.param(b"\x12\x00", id="another field"),
        pytest.param(b"\x0a\x00\x0a\x00", id="twice"),
        pytest.param(b"\xff\xff", id="noise"),
    ],
)
async def test_requests_that_are_none_are_malformed(venue: Venue, unary: Unary, raw: bytes) -> None:
    before = venue.matching.engine.last_seq
    channel: Any = unary.client.channel
    for method in ("NewOrder", "CancelOrder", "MassCancel", "ResolveOrder", "AmendOrder"):
        call = channel.unary_unary(f"/cambist.orders.v1.OrderEntryService/{method}")
        code, reason = await status_of(call(raw, metadata=unary.client.metadata))
        assert code in {"INVALID_ARGUMENT", "NOT_FOUND"}, method
        assert reason.startswith("MALFORMED") or reason == "UNKNOWN_ACCOUNT", method
    assert venue.matching.engine.last_seq == before


async def test_several_orders_have_an_answer_each_in_order(unary: Unary) -> None:
    prices = [90, 0, 92]
    request = service_pb2.BatchNewOrdersRequest(
        orders=[new_order(price_ticks=price) for price in prices]
    )
    answer = await unary.call("BatchNewOrders", request)
    reports = [result.answer.execution_report for result in answer.results]
    assert [report.cl_ord_id for report in reports] == [one.cl_ord_id for one in request.orders]
    new, rejected = enums_pb2.EXEC_TYPE_NEW, enums_pb2.EXEC_TYPE_REJECTED
    assert [report.exec_type for report in reports] == [new, rejected, new]
    cancels = service_pb2.BatchCancelOrdersRequest(
        cancels=[cancel_of(reports[0].order_id), cancel_of(2**40)]
    )
    answer = await unary.call("BatchCancelOrders", cancels)
    done, refused = (result.answer for result in answer.results)
    assert done.execution_report.exec_type == enums_pb2.EXEC_TYPE_CANCELED
    assert refused.cancel_reject.reject_reason == enums_pb2.REJECT_REASON_UNKNOWN_ORDER


async def test_one_malformed_order_stops_the_whole_batch(venue: Venue, unary: Unary) -> None:
    before = venue.matching.engine.last_seq
    request = service_pb2.BatchNewOrdersRequest(orders=[new_order(), new_order(side=99)])
    fault = await fault_of(unary.call("BatchNewOrders", request))
    assert (fault.reason, fault.metadata["index"]) == ("MALFORMED_UNKNOWN_ENUM_VALUE", "1")
    for count in (0, limits.UNARY_BATCH_MAX + 1):
        request = service_pb2.BatchNewOrdersRequest(orders=[new_order() for _ in range(count)])
        assert (await fault_of(unary.call("BatchNewOrders", request))).reason in {
            "INVALID_FIELD",
            "MALFORMED_REQUEST",
        }
    assert venue.matching.engine.last_seq == before


async def test_no_answer_in_time_is_an_unknown_outcome_that_resolve_settles(
    venue: Venue, unary: Unary
) -> None:
    order = new_order()
    venue.matching.commits.clear()
    request = service_pb2.NewOrderRequest(order=order)
    fault = await fault_of(unary.call("NewOrder", request, timeout=1.0))
    assert (fault.code.name, fault.reason) == ("DEADLINE_EXCEEDED", "OUTCOME_UNKNOWN")
    assert fault.metadata["id"] == order.cl_ord_id.hex()
    venue.matching.commits.set()
    report = await unary.resolve(id=order.cl_ord_id, sent_time_ns=order.sent_time_ns)
    assert report.state == enums_pb2.RESOLVE_STATE_OPEN


async def test_what_was_not_sent_on_is_unavailable_with_a_time(venue: Venue, unary: Unary) -> None:
    await unary.new()
    await venue.matching.stop()

    fault = await fault_of(unary.new())
    while fault.reason == "OUTCOME_UNKNOWN":
        fault = await fault_of(unary.new())
    assert (fault.code.name, fault.reason) == ("UNAVAILABLE", "SHARD_UNAVAILABLE")
    assert fault.retry_after_seconds is not None


async def test_rates_of_orders_and_cancels_are_apart_and_told(
    venue: Venue, gateway: RunningGateway
) -> None:
    key = await venue.key(orders_per_second=3, cancels_per_second=50)
    unary = Unary(await venue.client(gateway, key))
    placed = [await unary.new() for _ in range(3)]
    fault = await fault_of(unary.new())
    assert (fault.code.name, fault.reason) == ("RESOURCE_EXHAUSTED", "RATE_LIMITED")
    assert fault.retry_after_seconds is not None
    assert 0 < fault.retry_after_seconds <= 1
    for answer in placed:
        await unary.cancel(cancel_of(answer.answer.execution_report.order_id))


async def test_answers_tell_what_is_left_of_the_rates(client: Client) -> None:
    request = service_pb2.NewOrderRequest(order=new_order())
    call = client.orders.NewOrder(request, metadata=client.metadata)
    await call
    trailers = dict(await call.trailing_metadata())
    assert int(trailers["cambist-orders-remaining"]) > 0
    assert int(trailers["cambist-cancels-remaining"]) > 0


async def test_a_key_for_one_market_cannot_amend_an_order_on_another(
    venue: Venue, gateway: RunningGateway, unary: Unary
) -> None:
    placed = (await unary.new()).answer.execution_report
    key = await venue.key(market_ids=(SECOND_MARKET,), scopes=frozenset({Scope.TRADE}))
    narrow = Unary(await venue.client(gateway, key))
    for amend in (
        amend_of(placed.order_id, price_ticks=90),
        amend_of(0, orig_cl_ord_id=placed.cl_ord_id, price_ticks=90),
    ):
        assert await status_of(narrow.amend(amend)) == (
            "PERMISSION_DENIED",
            "MARKET_NOT_PERMITTED",
        )


async def test_many_calls_at_once_are_each_answered(unary: Unary) -> None:
    accounts = [ACCOUNT, SECOND_ACCOUNT] * 100
    answers = await asyncio.gather(*(unary.new(account_id=account) for account in accounts))
    for account, answer in zip(accounts, answers, strict=True):
        assert answer.answer.account_id == account
        assert answer.answer.execution_report.exec_type == enums_pb2.EXEC_TYPE_NEW
