"""Limits of single accounts in a market, which rules version 2 knows."""

import grpc
import grpc.aio
import pytest

from cambist.admin.v1 import admin_pb2
from runtime import rpc_errors
from tests.matching.shard import ACCOUNT, MARKET, SHARD, Shard

WANTED = admin_pb2.TradingLimits(
    market_id=MARKET,
    order_lots_max=5,
    order_notional_atoms_max="600",
    open_orders_max=7,
    open_lots_max=80,
    open_notional_atoms_max="9000",
    position_atoms_max=str(1 << 120),
)


def setting(limits: admin_pb2.TradingLimits) -> admin_pb2.SetTradingLimitsRequest:
    return admin_pb2.SetTradingLimitsRequest(shard=SHARD, account_id=ACCOUNT, limits=limits)


async def limits_of(shard: Shard) -> list[admin_pb2.TradingLimits]:
    """The limits that an operator sees."""
    asked = admin_pb2.GetAccountsRequest(shard=SHARD, account_ids=[ACCOUNT])
    (account,) = (await shard.admin.GetAccounts(asked)).accounts
    return list(account.trading_limits)


async def test_limits_are_set_seen_and_taken_back(market: Shard) -> None:
    await market.admin.SwitchRules(admin_pb2.SwitchRulesRequest(shard=SHARD, version=2))
    assert await limits_of(market) == []
    await market.admin.SetTradingLimits(setting(WANTED))
    assert await limits_of(market) == [WANTED]
    await market.admin.SetTradingLimits(setting(admin_pb2.TradingLimits(market_id=MARKET)))
    assert await limits_of(market) == []


@pytest.mark.parametrize(
    ("version", "limits", "reason"),
    [
        (1, WANTED, "UNSUPPORTED"),
        (2, admin_pb2.TradingLimits(market_id=MARKET, open_lots_max=-1), "INVALID_PARAMETER"),
        (2, admin_pb2.TradingLimits(market_id=MARKET, position_atoms_max="-1"), "INVALID_AMOUNT"),
    ],
)
async def test_a_refusal_is_named_and_shows_in_no_account(
    market: Shard, version: int, limits: admin_pb2.TradingLimits, reason: str
) -> None:
    await market.admin.SwitchRules(admin_pb2.SwitchRulesRequest(shard=SHARD, version=version))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await market.admin.SetTradingLimits(setting(limits))
    assert rpc_errors.fault_of(caught.value).reason == reason
    assert await limits_of(market) == []
