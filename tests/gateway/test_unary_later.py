"""Unary twins of rules version 2: ReplaceOrder and CancelAllAfter, before the switch and after."""

import time
from typing import Any

import pytest

from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, service_pb2
from gateway.door.permissions import Scope
from runtime import rpc_errors
from tests.gateway.test_unary import Unary, fault_of
from tests.gateway.venue import (
    ACCOUNT,
    FOREIGN_ACCOUNT,
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

NEW, CANCELED = enums_pb2.EXEC_TYPE_NEW, enums_pb2.EXEC_TYPE_CANCELED
TRADE, REJECTED = enums_pb2.EXEC_TYPE_TRADE, enums_pb2.EXEC_TYPE_REJECTED
Reason = enums_pb2.RejectReason
HOUR_MS = 3_600_000


class Later(Unary):
    """Calls of rules version 2."""

    async def replace(
        self, orig: bytes, *, allow_missing: bool = False, **fields: Any
    ) -> service_pb2.ReplaceOrderResponse:
        return await self.replace_with(orig, new_order(**fields), allow_missing=allow_missing)

    async def replace_with(
        self, orig: bytes, order: commands_pb2.NewOrder, *, allow_missing: bool = False
    ) -> service_pb2.ReplaceOrderResponse:
        command = commands_pb2.Replace(
            orig_cl_ord_id=orig, new_order=order, allow_missing=allow_missing
        )
        answer: service_pb2.ReplaceOrderResponse
        request = service_pb2.ReplaceOrderRequest(replace=command)
        answer = await self.call("ReplaceOrder", request)
        return answer

    async def cancel_all_after(
        self, timeout_ms: int, **fields: Any
    ) -> service_pb2.CancelAllAfterResponse:
        request = service_pb2.CancelAllAfterRequest(cancel_all_after=timer(timeout_ms, **fields))
        answer: service_pb2.CancelAllAfterResponse = await self.call("CancelAllAfter", request)
        return answer


def timer(timeout_ms: int, **fields: Any) -> commands_pb2.CancelAllAfter:
    values = {"request_id": fresh_id(), "account_id": ACCOUNT, "sent_time_ns": time.time_ns()}
    return commands_pb2.CancelAllAfter(timeout_ms=timeout_ms, **{**values, **fields})


@pytest.fixture
def early(client: Client) -> Later:
    """Of a venue under rules version 1."""
    return Later(client)


@pytest.fixture
async def later(venue: Venue, client: Client) -> Later:
    """Of a venue under rules version 2."""
    switch = system_pb2.SwitchRules(version=2)
    await venue.matching.system(system_pb2.SystemCommand(switch_rules=switch))
    return Later(client)


async def test_before_the_switch_both_are_refused_by_name(early: Later) -> None:
    placed = (await early.new()).answer.execution_report
    order = new_order()
    answer = (await early.replace_with(placed.cl_ord_id, order)).answer.execution_report
    assert (answer.exec_type, answer.cl_ord_id) == (REJECTED, order.cl_ord_id)
    assert answer.reject_reason == Reason.REJECT_REASON_UNSUPPORTED
    refused = await early.cancel_all_after(1_000)
    assert refused.answer.cancel_reject.reject_reason == Reason.REJECT_REASON_UNSUPPORTED
    assert refused.fires_ns == 0


async def test_the_new_order_answers_and_the_end_of_the_old_one_comes_with_it(
    later: Later,
) -> None:
    old = (await later.new()).answer.execution_report
    order = new_order(price_ticks=101)
    replaced = await later.replace_with(old.cl_ord_id, order)
    report = replaced.answer.execution_report
    assert (report.exec_type, report.cl_ord_id) == (NEW, order.cl_ord_id)
    (gone,) = replaced.events
    assert gone.account_seq + 1 == replaced.answer.account_seq
    assert gone.execution_report.exec_type == CANCELED
    assert gone.execution_report.order_id == old.order_id
    assert gone.execution_report.request_id == order.cl_ord_id


async def test_fills_of_the_new_order_come_after_the_end_of_the_old_one(later: Later) -> None:
    await later.new(account_id=SECOND_ACCOUNT, side=enums_pb2.SIDE_SELL, price_ticks=105)
    old = (await later.new()).answer.execution_report
    replaced = await later.replace(old.cl_ord_id, price_ticks=105, quantity_lots=2)
    assert replaced.answer.execution_report.exec_type == NEW
    kinds = [event.execution_report.exec_type for event in replaced.events]
    assert kinds == [CANCELED, TRADE]


async def test_a_refused_replacement_leaves_the_old_order(later: Later) -> None:
    old = (await later.new()).answer.execution_report
    refusals: list[tuple[dict[str, Any], int]] = [
        ({"price_ticks": 0}, Reason.REJECT_REASON_INVALID_PRICE),
        ({"quantity_lots": 2**50}, Reason.REJECT_REASON_INSUFFICIENT_FUNDS),
        ({"market_id": MARKET + 99}, Reason.REJECT_REASON_UNKNOWN_MARKET),
    ]
    for fields, reason in refusals:
        refused = await later.replace(old.cl_ord_id, **fields)
        assert refused.answer.execution_report.reject_reason == reason
        assert not refused.events
    again = await later.replace(old.cl_ord_id)
    assert again.events[0].execution_report.order_id == old.order_id


async def test_what_is_not_there_is_not_replaced_unless_it_may_be_missing(later: Later) -> None:
    assert await status_of(later.replace(fresh_id())) == ("NOT_FOUND", "UNKNOWN_ORDER")
    old = (await later.new()).answer.execution_report
    await later.replace(old.cl_ord_id)
    refused = (await later.replace(old.cl_ord_id)).answer.execution_report
    assert refused.reject_reason == Reason.REJECT_REASON_ORDER_CLOSED
    entered = await later.replace(old.cl_ord_id, allow_missing=True)
    assert entered.answer.execution_report.exec_type == NEW
    assert not entered.events


async def test_the_same_replacement_again_is_the_first_answer(later: Later) -> None:
    old = (await later.new()).answer.execution_report
    order = new_order()
    first = await later.replace_with(old.cl_ord_id, order)
    again = await later.replace_with(old.cl_ord_id, order)
    assert again.answer.execution_report.repeat
    assert again.answer.execution_report.first_answer_seq == first.answer.seq
    assert again.answer.execution_report.order_id == first.answer.execution_report.order_id
    # The same id for another body, or for a plain new order, is refused.
    fault = await fault_of(later.replace_with(old.cl_ord_id, order, allow_missing=True))
    assert (fault.code.name, fault.reason) == ("ALREADY_EXISTS", "ID_REUSED")
    assert fault.metadata["id"] == order.cl_ord_id.hex()
    request = service_pb2.NewOrderRequest(order=order)
    assert (await fault_of(later.call("NewOrder", request))).reason == "ID_REUSED"


async def test_a_replacement_without_an_answer_in_time_is_settled_by_its_id(
    venue: Venue, later: Later
) -> None:
    old = (await later.new()).answer.execution_report
    order = new_order()
    venue.matching.commits.clear()
    command = commands_pb2.Replace(orig_cl_ord_id=old.cl_ord_id, new_order=order)
    request = service_pb2.ReplaceOrderRequest(replace=command)
    fault = await fault_of(later.call("ReplaceOrder", request, timeout=1.0))
    assert (fault.code.name, fault.reason) == ("DEADLINE_EXCEEDED", "OUTCOME_UNKNOWN")
    assert fault.metadata["id"] == order.cl_ord_id.hex()
    venue.matching.commits.set()
    report = await later.resolve(id=order.cl_ord_id, sent_time_ns=order.sent_time_ns)
    assert report.state == enums_pb2.RESOLVE_STATE_OPEN


async def test_a_timer_tells_when_it_fires_and_zero_when_it_does_not(later: Later) -> None:
    armed = await later.cancel_all_after(HOUR_MS)
    assert armed.answer.HasField("mass_cancel_report")
    assert armed.fires_ns == armed.answer.sequenced_ns + HOUR_MS * 1_000_000
    disarmed = await later.cancel_all_after(0)
    assert disarmed.answer.HasField("mass_cancel_report")
    assert disarmed.fires_ns == 0
    refused = await later.cancel_all_after(86_400_001)
    assert refused.answer.cancel_reject.reject_reason == Reason.REJECT_REASON_INVALID_PARAMETER
    assert refused.fires_ns == 0


async def test_a_repeated_timer_arms_nothing(later: Later) -> None:
    command = timer(HOUR_MS)
    request = service_pb2.CancelAllAfterRequest(cancel_all_after=command)
    first = await later.call("CancelAllAfter", request)
    again = await later.call("CancelAllAfter", request)
    assert again.answer.mass_cancel_report.repeat
    assert again.answer.mass_cancel_report.first_answer_seq == first.answer.seq
    assert again.fires_ns == 0
    other = timer(1, request_id=command.request_id)
    request = service_pb2.CancelAllAfterRequest(cancel_all_after=other)
    assert (await fault_of(later.call("CancelAllAfter", request))).reason == "ID_REUSED"


async def test_a_timer_that_is_not_renewed_cancels_what_is_open(later: Later) -> None:
    placed = (await later.new()).answer.execution_report
    await later.cancel_all_after(1)
    # The next command of anybody comes after the timer.
    await later.new(account_id=SECOND_ACCOUNT)
    gone = await later.replace(placed.cl_ord_id)
    assert gone.answer.execution_report.reject_reason == Reason.REJECT_REASON_ORDER_CLOSED


@pytest.mark.parametrize(
    ("account_id", "status"),
    [
        (999_999, ("NOT_FOUND", "UNKNOWN_ACCOUNT")),
        (FOREIGN_ACCOUNT, ("NOT_FOUND", "UNKNOWN_ACCOUNT")),
        (0, ("NOT_FOUND", "UNKNOWN_ACCOUNT")),
    ],
)
async def test_accounts_of_nobody_and_of_others_look_unknown(
    later: Later, account_id: int, status: tuple[str, str]
) -> None:
    assert await status_of(later.replace(fresh_id(), account_id=account_id)) == status
    assert await status_of(later.cancel_all_after(1, account_id=account_id)) == status


async def test_a_key_for_cancels_arms_timers_and_replaces_nothing(
    venue: Venue, gateway: RunningGateway, later: Later
) -> None:
    key = await venue.key(scopes=frozenset({Scope.CANCEL}))
    narrow = Later(await venue.client(gateway, key))
    assert (await narrow.cancel_all_after(HOUR_MS)).fires_ns > 0
    code, _ = await status_of(narrow.replace(fresh_id()))
    assert code == "PERMISSION_DENIED"


async def test_a_key_for_one_market_enters_no_order_elsewhere_by_replacing(
    venue: Venue, gateway: RunningGateway, later: Later
) -> None:
    old = (await later.new(market_id=SECOND_MARKET)).answer.execution_report
    narrow = Later(await venue.client(gateway, await venue.key(market_ids=(SECOND_MARKET,))))
    assert await status_of(narrow.replace(old.cl_ord_id)) == (
        "PERMISSION_DENIED",
        "MARKET_NOT_PERMITTED",
    )
    moved = await narrow.replace(old.cl_ord_id, market_id=SECOND_MARKET)
    assert moved.answer.execution_report.exec_type == NEW


async def test_replacements_take_of_the_rate_of_orders_and_timers_of_that_of_cancels(
    venue: Venue, gateway: RunningGateway, later: Later
) -> None:
    key = await venue.key(orders_per_second=1, cancels_per_second=1)
    narrow = Later(await venue.client(gateway, key))
    old = fresh_id()
    assert (await narrow.replace(old, allow_missing=True)).answer.HasField("execution_report")
    assert (await narrow.cancel_all_after(HOUR_MS)).fires_ns > 0
    for call in (narrow.replace(old), narrow.cancel_all_after(0)):
        fault: rpc_errors.Fault = await fault_of(call)
        assert (fault.code.name, fault.reason) == ("RESOURCE_EXHAUSTED", "RATE_LIMITED")


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"side": 99}, "MALFORMED_UNKNOWN_ENUM_VALUE"),
        ({"cl_ord_id": b"short"}, "MALFORMED_BAD_LENGTH"),
        ({"expires_after_ms": 60_001}, "MALFORMED_OUT_OF_RANGE"),
    ],
)
async def test_a_malformed_order_in_a_replacement_is_refused_whole(
    later: Later, order: dict[str, Any], reason: str
) -> None:
    old = (await later.new()).answer.execution_report
    fault = await fault_of(later.replace(old.cl_ord_id, **order))
    assert (fault.code.name, fault.reason) == ("INVALID_ARGUMENT", reason)
    assert (await later.replace(old.cl_ord_id)).events


@pytest.mark.parametrize("method", ["ReplaceOrder", "CancelAllAfter"])
@pytest.mark.parametrize("raw", [b"", b"\x0a\x7f\x01", b"\x12\x00", b"\x0a\x00\x0a\x00"])
async def test_requests_that_are_none_are_malformed(
    venue: Venue, later: Later, method: str, raw: bytes
) -> None:
    before = venue.matching.engine.last_seq
    channel: Any = later.client.channel
    call = channel.unary_unary(f"/cambist.orders.v1.OrderEntryService/{method}")
    code, reason = await status_of(call(raw, metadata=later.client.metadata))
    assert (code, reason[:9]) == ("INVALID_ARGUMENT", "MALFORMED")
    assert venue.matching.engine.last_seq == before
