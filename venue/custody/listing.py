"""The assets that custody holds, and a market for each; nobody starts with any.

Called before custody starts. They are assets of their own, because the other ones of a demo are
play money: what accounts own of these lies on a chain, to the last atom, as reconciliation says.
"""

from collections.abc import Sequence
from typing import Final

from cambist.client.admin import Admin
from cambist.client.enums import MarketPhase
from venue.custody.chain_plan import HeldAsset
from venue.flow.definitions import ASSETS, SHARD, AssetPlan, MarketPlan
from venue.setup import enter_asset, enter_market
from venue.stack import Stack
from wallets.ethereum.addresses import text_of
from wallets.tron.addresses import address_of

QUOTE: Final = next(asset for asset in ASSETS if asset.symbol == "USDT")


def market_of(number: int, asset: AssetPlan, lot_atoms: int, tick_atoms: int) -> MarketPlan:
    """A market against the play money, without fees."""
    symbol = f"{asset.symbol}-{QUOTE.symbol}"
    return MarketPlan(
        (SHARD << 16) + number,
        symbol,
        asset.asset_id,
        QUOTE.asset_id,
        lot_atoms,
        tick_atoms,
        0,
        0,
        900_000,
    )


ASSET: Final = AssetPlan(5, "RBTC", 8, 0)
MARKET: Final = market_of(5, ASSET, 10**4, 10**5)
BITCOIN: Final = HeldAsset(ASSET, MARKET, withdrawal_fee_atoms=10_000)
TRX: Final = AssetPlan(6, "STRX", 6, 0)
TRON: Final = HeldAsset(TRX, market_of(6, TRX, 10**6, 10), withdrawal_fee_atoms=2_000_000)
TRON_TOKEN_KEY: Final = b"\x41" + b"\x07" * 20
TOKEN: Final = AssetPlan(7, "SUSDT", 6, 0)
TRON_TOKEN: Final = HeldAsset(
    TOKEN,
    market_of(7, TOKEN, 10**6, 10),
    withdrawal_fee_atoms=1_000_000,
    contract=TRON_TOKEN_KEY.hex(),
    contract_text=address_of(TRON_TOKEN_KEY),
)
ETHER: Final = AssetPlan(8, "DETH", 18, 0)
ETHEREUM: Final = HeldAsset(ETHER, market_of(8, ETHER, 10**15, 10**4), 10**15)
DOLLAR: Final = AssetPlan(9, "DUSDT", 6, 0)


def ethereum_token(contract: bytes) -> HeldAsset:
    """The token of a chain where it was just made."""
    return HeldAsset(
        DOLLAR,
        market_of(9, DOLLAR, 10**6, 10),
        withdrawal_fee_atoms=1_000_000,
        contract=contract.hex(),
        contract_text=text_of(contract),
    )


async def list_assets(stack: Stack, held: Sequence[HeldAsset]) -> None:
    """Creates all of them; may be done again. Raises the SDK's errors."""
    for one in held:
        await list_asset(stack, one.asset, one.market)


async def list_asset(stack: Stack, asset: AssetPlan, market: MarketPlan) -> None:
    """Creates both; may be done again. Raises the SDK's errors."""
    async with Admin.connect(stack.admin_endpoint, shard=SHARD) as admin:
        await enter_asset(admin, asset)
        await enter_market(admin, market)
        await admin.set_phase(market.market_id, MarketPhase.CONTINUOUS)
