"""A firm's risk manager: all orders of all its accounts, of nobody else, and by RISK alone."""

from typing import Any

import pytest

from cambist.query.v1 import query_pb2, query_pb2_grpc
from cambist.risk.v1 import risk_pb2, risk_pb2_grpc
from gateway.door.permissions import Scope
from tests.gateway.test_unary import Unary, fault_of
from tests.gateway.venue import (
    ACCOUNT,
    FOREIGN_ACCOUNT,
    MARKET,
    OTHER_FIRM,
    SECOND_ACCOUNT,
    SECOND_MARKET,
    Client,
    RunningGateway,
    Venue,
    status_of,
)


async def cancel_firm(client: Client, market_id: int = 0, **options: Any) -> int:
    request = risk_pb2.MassCancelFirmRequest(market_id=market_id)
    stub = risk_pb2_grpc.RiskServiceStub(client.channel)
    answer = await stub.MassCancelFirm(request, metadata=client.metadata, **options)
    return int(answer.cancelled_count)


@pytest.fixture
async def manager(venue: Venue, gateway: RunningGateway) -> Client:
    """With no scope but RISK."""
    return await venue.client(gateway, await venue.key(scopes=frozenset({Scope.RISK})))


async def open_orders(client: Client, account_id: int) -> list[int]:
    stub = query_pb2_grpc.OrderQueryServiceStub(client.channel)
    request = query_pb2.ListOpenOrdersRequest(account_id=account_id)
    answer = await stub.ListOpenOrders(request, metadata=client.metadata)
    return [event.execution_report.market_id for event in answer.orders]


async def test_all_orders_of_all_accounts_of_the_firm_go_and_nobody_elses(
    venue: Venue, gateway: RunningGateway, client: Client, manager: Client
) -> None:
    ours = Unary(client)
    for account_id in (ACCOUNT, ACCOUNT, SECOND_ACCOUNT):
        await ours.new(account_id=account_id)
    foreign = await venue.client(gateway, await venue.key(firm_id=OTHER_FIRM))
    await Unary(foreign).new(account_id=FOREIGN_ACCOUNT)
    assert await cancel_firm(manager) == 3
    assert await cancel_firm(manager) == 0
    assert await open_orders(client, ACCOUNT) == await open_orders(client, SECOND_ACCOUNT) == []
    assert await open_orders(foreign, FOREIGN_ACCOUNT) == [MARKET]


async def test_of_one_market_those_of_others_stay(client: Client, manager: Client) -> None:
    for market_id in (MARKET, SECOND_MARKET):
        await Unary(client).new(market_id=market_id)
    assert await cancel_firm(manager, SECOND_MARKET) == 1
    assert await open_orders(client, ACCOUNT) == [MARKET]


async def test_a_key_of_some_accounts_cancels_theirs_alone(
    venue: Venue, gateway: RunningGateway, client: Client
) -> None:
    for account_id in (ACCOUNT, SECOND_ACCOUNT):
        await Unary(client).new(account_id=account_id)
    key = await venue.key(account_ids=(SECOND_ACCOUNT,))
    assert await cancel_firm(await venue.client(gateway, key)) == 1
    assert await open_orders(client, ACCOUNT) == [MARKET]


@pytest.mark.parametrize("market_id", [MARKET + 99, 7 << 16 | 1, 5])
async def test_an_unknown_market_cancels_nothing(
    client: Client, manager: Client, market_id: int
) -> None:
    await Unary(client).new()
    call = cancel_firm(manager, market_id)
    assert await status_of(call) == ("NOT_FOUND", "UNKNOWN_MARKET")
    assert await open_orders(client, ACCOUNT) == [MARKET]


async def test_without_the_scope_it_is_denied(venue: Venue, gateway: RunningGateway) -> None:
    key = await venue.key(scopes=frozenset(Scope) - {Scope.RISK})
    call = cancel_firm(await venue.client(gateway, key))
    assert (await status_of(call))[0] == "PERMISSION_DENIED"


async def test_without_answers_in_time_it_says_how_far_it_came_and_again_does_the_rest(
    venue: Venue, client: Client, manager: Client
) -> None:
    await Unary(client).new()
    venue.matching.commits.clear()
    fault = await fault_of(cancel_firm(manager, timeout=1.0))
    assert (fault.code.name, fault.reason) == ("DEADLINE_EXCEEDED", "OUTCOME_UNKNOWN")
    assert fault.metadata == {"accounts_answered": "0", "cancelled_count": "0"}
    venue.matching.commits.set()
    # The first call's commands may be carried out before those of the second.
    assert await cancel_firm(manager) in {0, 1}
    assert await open_orders(client, ACCOUNT) == []


async def test_what_was_not_sent_on_is_unavailable(venue: Venue, manager: Client) -> None:
    await cancel_firm(manager)
    await venue.matching.stop()
    fault = await fault_of(cancel_firm(manager))
    while fault.reason == "OUTCOME_UNKNOWN":
        fault = await fault_of(cancel_firm(manager))
    assert (fault.code.name, fault.reason) == ("UNAVAILABLE", "SHARD_UNAVAILABLE")
