"""A market of its own for a replay: assets, market, accounts and their money, over AdminService.

Everything may be done again and is then found as it is. Development only: it makes money.
"""

from cambist.admin.v1 import admin_pb2
from cambist.client.admin import Admin
from cambist.client.enums import MarketPhase
from cambist.replay import limits
from cambist.replay.flow import Scale

EXTERNAL = 4
APPROVERS = ("replay one", "replay two")
# Accounts of replays: beyond those that operators number by hand.
ACCOUNT_BASE = 0x5250_0000
FIRM_SHIFT = 32


async def create_scratch(
    admin: Admin, scale: Scale, firm_id: int, pairs: int
) -> tuple[str, list[tuple[int, int]]]:
    """Symbol of the market, and pairs of buyer and seller. Raises Rejected, Unavailable."""
    definitions = await admin.definitions()
    base_decimals = scale.quantity_decimals
    quote_decimals = scale.price_decimals + scale.quantity_decimals
    base_id = await asset_of(admin, definitions, f"REPLAY-BASE-{base_decimals}", base_decimals)
    definitions = await admin.definitions()
    quote_id = await asset_of(admin, definitions, f"REPLAY-QUOTE-{quote_decimals}", quote_decimals)
    symbol = f"REPLAY-{scale.price_decimals}-{scale.quantity_decimals}"
    market_id = await market_of(admin, symbol, base_id, quote_id, 10**scale.quantity_decimals)
    await admin.set_phase(market_id, MarketPhase.CONTINUOUS)
    first = (firm_id << FIRM_SHIFT) + ACCOUNT_BASE
    accounts = [first + index for index in range(2 * pairs)]
    for account_id in accounts:
        await admin.create_account(
            admin_pb2.Account(
                account_id=account_id,
                firm_id=firm_id,
                open_orders_max=limits.OPEN_ORDERS_MAX,
                id_capacity=limits.ID_CAPACITY,
            )
        )
        for asset_id in (base_id, quote_id):
            await admin.adjust(
                account_id.to_bytes(8, "big") + asset_id.to_bytes(8, "big"),
                from_account_id=EXTERNAL,
                to_account_id=account_id,
                asset_id=asset_id,
                amount_atoms=limits.MONEY_ATOMS,
                approvers=APPROVERS,
            )
    return symbol, list(zip(accounts[::2], accounts[1::2], strict=True))


async def asset_of(
    admin: Admin, definitions: admin_pb2.ListDefinitionsResponse, symbol: str, decimals: int
) -> int:
    """The asset of this symbol, created when there is none."""
    known = {asset.symbol: asset.asset_id for asset in definitions.assets}
    if symbol not in known:
        known[symbol] = max(known.values(), default=0) + 1
        asset = admin_pb2.Asset(asset_id=known[symbol], symbol=symbol, decimals=decimals)
        await admin.create_asset(asset)
    return known[symbol]


async def market_of(
    admin: Admin, symbol: str, base_id: int, quote_id: int, tick_size_atoms: int
) -> int:
    """The market of this symbol, created when there is none: one lot is one base atom."""
    definitions = await admin.definitions()
    known = {market.symbol: market.market_id for market in definitions.markets}
    if symbol not in known:
        first = admin.shard << 16
        known[symbol] = max([*known.values(), first]) + 1
        await admin.create_market(
            admin_pb2.Market(
                market_id=known[symbol],
                symbol=symbol,
                base_asset_id=base_id,
                quote_asset_id=quote_id,
                lot_size_atoms="1",
                tick_size_atoms=str(tick_size_atoms),
            )
        )
    return known[symbol]
