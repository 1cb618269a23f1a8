"""A market by its symbol, for operators: they have no key, so they ask matching, not a gateway."""

from cambist.admin.v1 import admin_pb2 as pb
from cambist.client.admin import Admin
from cambist.client.enums import MarketPhase
from cambist.client.errors import InvalidInput
from cambist.client.instruments import Asset, Market


async def market_of(admin: Admin, symbol: str) -> Market:
    """The market. Raises InvalidInput (UNKNOWN_MARKET) and the SDK's errors."""
    present = await admin.definitions()
    for found in present.markets:
        if found.symbol == symbol:
            return as_client_market(found, present)
    known = ", ".join(market.symbol for market in present.markets) or "none"
    raise InvalidInput("UNKNOWN_MARKET", f"no market {symbol} on shard {admin.shard}: {known}")


def as_client_market(market: pb.Market, present: pb.ListDefinitionsResponse) -> Market:
    """As the SDK knows markets, for what it converts."""
    assets = {
        asset.asset_id: Asset(asset.asset_id, asset.symbol, asset.decimals)
        for asset in present.assets
    }
    return Market(
        market_id=market.market_id,
        symbol=market.symbol,
        base=assets[market.base_asset_id],
        quote=assets[market.quote_asset_id],
        lot_size_atoms=int(market.lot_size_atoms),
        tick_size_atoms=int(market.tick_size_atoms),
        tick_value_atoms=market.tick_value_atoms,
        price_step_ticks=max(1, market.limits.price_step_ticks),
        quantity_step_lots=max(1, market.limits.quantity_step_lots),
        phase=MarketPhase(market.phase),
    )
