"""Clients that are not ours trade from the proto files alone: grpcurl by hand, ghz in numbers."""

import base64
import time
from typing import Any

import pytest

from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2
from tests.foreign.client import ORDER_ENTRY, ForeignClient, text
from venue.flow.definitions import FIRST_ACCOUNT, MARKETS, SHARD

pytestmark = [pytest.mark.foreign, pytest.mark.timeout(300)]

MARKET = MARKETS[0]
LOAD_ORDERS = 200


def order_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def new_order(number: int, price_ticks: int) -> dict[str, Any]:
    return {
        "clOrdId": text(order_id(number)),
        "accountId": str(FIRST_ACCOUNT),
        "sentTimeNs": str(time.time_ns()),
        "marketId": MARKET.market_id,
        "side": "SIDE_BUY",
        "orderType": "ORDER_TYPE_LIMIT",
        "timeInForce": "TIME_IN_FORCE_GTC",
        "priceTicks": str(price_ticks),
        "quantityLots": "5",
    }


def commands(number: int) -> bytes:
    order = commands_pb2.NewOrder(
        cl_ord_id=order_id(number),
        account_id=FIRST_ACCOUNT,
        sent_time_ns=time.time_ns(),
        market_id=MARKET.market_id,
        side=enums_pb2.SIDE_SELL,
        order_type=enums_pb2.ORDER_TYPE_LIMIT,
        time_in_force=enums_pb2.TIME_IN_FORCE_GTC,
        price_ticks=MARKET.middle_ticks,
        quantity_lots=5,
    )
    batch = commands_pb2.Commands(commands=[commands_pb2.Command(new_order=order)])
    return batch.SerializeToString()


def reports(events: dict[str, Any]) -> list[events_pb2.ExecutionReport]:
    raw = base64.b64decode(events.get("privateEvents", ""))
    found = events_pb2.PrivateEvents.FromString(raw)
    return [event.execution_report for event in found.events]


async def test_grpcurl_drives_a_signed_order_session(foreign: ForeignClient) -> None:
    session = await foreign.call(
        f"{ORDER_ENTRY}/Negotiate", {"shard": SHARD, "sessionName": "by hand"}
    )
    async with foreign.order_session() as stream:
        await stream.send(
            {
                "establish": {
                    "sessionId": session["sessionId"],
                    "sessionVersion": session["sessionVersion"],
                    "keepAliveMs": 10_000,
                    "nextOrderSeqNo": "1",
                    "nextCancelSeqNo": "1",
                }
            }
        )
        established = await stream.receive("established")
        assert established["connection"] == 1
        await stream.send(
            {
                "batch": {
                    "commandClass": "COMMAND_CLASS_ORDER",
                    "firstSeqNo": "1",
                    "count": 1,
                    "commands": text(commands(1)),
                }
            }
        )
        events = await stream.receive("events")
        [report] = reports(events)
        assert report.exec_type == enums_pb2.EXEC_TYPE_NEW
        assert report.cl_ord_id == order_id(1)
        assert report.leaves_lots == 5
        await stream.send({"terminate": {"reason": "TERMINATE_REASON_FINISHED"}})


async def test_grpcurl_is_told_why_a_call_without_a_token_is_refused(
    foreign: ForeignClient,
) -> None:
    foreign.forget_token()
    status, _, errors = await foreign.try_call(
        f"{ORDER_ENTRY}/NewOrder", {"order": new_order(1, MARKET.middle_ticks)}
    )
    assert status != 0
    assert "Unauthenticated" in errors


async def test_ghz_enters_orders_in_numbers_and_each_is_accepted(foreign: ForeignClient) -> None:
    requests = [
        {"order": new_order(number, MARKET.middle_ticks - number)}
        for number in range(1, LOAD_ORDERS + 1)
    ]
    report = await foreign.load(f"{ORDER_ENTRY}/NewOrder", requests)
    assert report["statusCodeDistribution"] == {"OK": LOAD_ORDERS}
    answer = await foreign.call(f"{ORDER_ENTRY}/NewOrder", requests[0])
    first = answer["answer"]["executionReport"]
    assert first["repeat"] is True, "the same id with the same body gives the first answer"
