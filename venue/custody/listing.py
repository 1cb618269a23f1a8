"""The asset that custody holds, and a market for it; nobody starts with any.

Called before custody starts. It is an asset of its own, because the other ones of a demo are play
money: what accounts own of this one lies on a chain, to the last atom, and reconciliation says so.
"""

from typing import Final

from cambist.admin.v1 import admin_pb2
from cambist.client.admin import Admin
from cambist.client.enums import MarketPhase
from venue.flow.definitions import ASSETS, SHARD, AssetPlan, MarketPlan
from venue.stack import Stack

ASSET: Final = AssetPlan(5, "RBTC", 8, 0)
QUOTE: Final = next(asset for asset in ASSETS if asset.symbol == "USDT")
MARKET: Final = MarketPlan(
    (SHARD << 16) + 5, "RBTC-USDT", ASSET.asset_id, QUOTE.asset_id, 10**4, 10**5, 0, 0, 900_000
)


async def list_asset(stack: Stack) -> None:
    """Creates both; may be done again. Raises the SDK's errors."""
    async with Admin.connect(stack.admin_endpoint, shard=SHARD) as admin:
        await admin.create_asset(
            admin_pb2.Asset(asset_id=ASSET.asset_id, symbol=ASSET.symbol, decimals=ASSET.decimals)
        )
        await admin.create_market(
            admin_pb2.Market(
                market_id=MARKET.market_id,
                symbol=MARKET.symbol,
                base_asset_id=MARKET.base_asset_id,
                quote_asset_id=MARKET.quote_asset_id,
                lot_size_atoms=str(MARKET.lot_size_atoms),
                tick_size_atoms=str(MARKET.tick_size_atoms),
                limits=admin_pb2.MarketLimits(
                    maker_fee_ppm=MARKET.maker_fee_ppm, taker_fee_ppm=MARKET.taker_fee_ppm
                ),
            )
        )
        await admin.set_phase(MARKET.market_id, MarketPhase.CONTINUOUS)
