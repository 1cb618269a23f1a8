"""Fees of single accounts, which rules version 2 knows."""

from typing import Any

import grpc
import grpc.aio
import pytest

from cambist.admin.v1 import admin_pb2
from runtime import rpc_errors
from tests.matching.shard import ACCOUNT, MARKET, SHARD, Shard

OWN = admin_pb2.FeeTier(market_id=MARKET, maker_fee_ppm=0, taker_fee_ppm=50)
IN_ALL = admin_pb2.FeeTier(taker_fee_ppm=70)


def wanted(tier: admin_pb2.FeeTier, **fields: Any) -> admin_pb2.SetFeeTierRequest:
    return admin_pb2.SetFeeTierRequest(shard=SHARD, account_id=ACCOUNT, tier=tier, **fields)


async def tiers_of(shard: Shard) -> list[admin_pb2.FeeTier]:
    """The tiers that an operator sees."""
    asked = admin_pb2.GetAccountsRequest(shard=SHARD, account_ids=[ACCOUNT])
    (account,) = (await shard.admin.GetAccounts(asked)).accounts
    return list(account.fee_tiers)


async def test_tiers_are_set_seen_and_taken_back(market: Shard) -> None:
    await market.admin.SwitchRules(admin_pb2.SwitchRulesRequest(shard=SHARD, version=2))
    assert await tiers_of(market) == []
    await market.admin.SetFeeTier(wanted(OWN))
    await market.admin.SetFeeTier(wanted(IN_ALL))
    assert await tiers_of(market) == [IN_ALL, OWN]
    await market.admin.SetFeeTier(wanted(admin_pb2.FeeTier(market_id=MARKET), remove=True))
    assert await tiers_of(market) == [IN_ALL]


async def test_the_first_rules_version_refuses_them(market: Shard) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await market.admin.SetFeeTier(wanted(OWN))
    assert rpc_errors.fault_of(caught.value).reason == "UNSUPPORTED"


async def test_a_refusal_is_named_and_shows_in_no_account(market: Shard) -> None:
    await market.admin.SwitchRules(admin_pb2.SwitchRulesRequest(shard=SHARD, version=2))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await market.admin.SetFeeTier(wanted(admin_pb2.FeeTier(taker_fee_ppm=100_001)))
    assert rpc_errors.fault_of(caught.value).reason == "INVALID_PARAMETER"
    assert await tiers_of(market) == []
