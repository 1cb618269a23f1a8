"""Reference prices and bands of markets, which rules version 2 knows."""

import grpc
import grpc.aio
import pytest

from cambist.admin.v1 import admin_pb2
from runtime import rpc_errors
from tests.matching.shard import MARKET, SHARD, Shard


async def market_of(shard: Shard) -> admin_pb2.Market:
    """The market that an operator sees."""
    listed = await shard.admin.ListDefinitions(admin_pb2.ListDefinitionsRequest(shard=SHARD))
    markets: list[admin_pb2.Market] = list(listed.markets)
    (found,) = (market for market in markets if market.market_id == MARKET)
    return found


async def test_a_reference_price_and_a_band_are_set_and_seen(market: Shard) -> None:
    await market.admin.SwitchRules(admin_pb2.SwitchRulesRequest(shard=SHARD, version=2))
    wanted = admin_pb2.MarketLimits(static_band_ppm=50_000, market_protection_ppm=10_000)
    await market.admin.UpdateMarket(admin_pb2.UpdateMarketRequest(market_id=MARKET, limits=wanted))
    asked = admin_pb2.SetReferencePriceRequest(market_id=MARKET, price_ticks=77)
    await market.admin.SetReferencePrice(asked)
    seen = await market_of(market)
    assert seen.reference_price_ticks == 77
    assert (seen.limits.static_band_ppm, seen.limits.market_protection_ppm) == (50_000, 10_000)


async def test_the_first_rules_version_refuses_a_reference_price(market: Shard) -> None:
    asked = admin_pb2.SetReferencePriceRequest(market_id=MARKET, price_ticks=77)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await market.admin.SetReferencePrice(asked)
    assert rpc_errors.fault_of(caught.value).reason == "UNSUPPORTED"
    assert (await market_of(market)).reference_price_ticks == 0
