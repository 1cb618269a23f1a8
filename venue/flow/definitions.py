"""The venue of demo, tests and benchmarks: assets, markets, firms, accounts and their money."""

from dataclasses import dataclass
from typing import Final

SHARD: Final = 1
FIRST_ACCOUNT: Final = 4_096
ACCOUNTS_PER_FIRM: Final = 9
# Ids of closed orders kept per account: an account must not outrun them while it has commands on
# their way.
ID_CAPACITY: Final = 16_384
OPEN_ORDERS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class AssetPlan:
    """An asset and what each account starts with, in atoms."""

    asset_id: int
    symbol: str
    decimals: int
    start_atoms: int


@dataclass(frozen=True, slots=True)
class MarketPlan:
    """A market and around which price it trades, in ticks."""

    market_id: int
    symbol: str
    base_asset_id: int
    quote_asset_id: int
    lot_size_atoms: int
    tick_size_atoms: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    middle_ticks: int


@dataclass(frozen=True, slots=True)
class FirmPlan:
    """A firm with its accounts."""

    firm_id: int
    name: str
    account_ids: tuple[int, ...]


ASSETS: Final = (
    AssetPlan(1, "BTC", 8, 10**6 * 10**8),
    AssetPlan(2, "ETH", 18, 10**7 * 10**18),
    AssetPlan(3, "USDT", 6, 10**12 * 10**6),
    AssetPlan(4, "TRX", 6, 10**12 * 10**6),
)
MARKETS: Final = (
    MarketPlan((SHARD << 16) + 1, "BTC-USDT", 1, 3, 10**4, 10**5, 100, 400, 900_000),
    MarketPlan((SHARD << 16) + 2, "ETH-USDT", 2, 3, 10**15, 10**4, -50, 500, 310_000),
    MarketPlan((SHARD << 16) + 3, "ETH-BTC", 2, 1, 10**15, 10**3, 0, 300, 3_400),
    MarketPlan((SHARD << 16) + 4, "TRX-USDT", 4, 3, 10**6, 10, 100, 1_000, 27_000),
)


def firms(count: int, accounts_per_firm: int = ACCOUNTS_PER_FIRM) -> tuple[FirmPlan, ...]:
    """`count` firms; account numbers follow one another."""
    plans = []
    for index in range(count):
        first = FIRST_ACCOUNT + index * accounts_per_firm
        accounts = tuple(range(first, first + accounts_per_firm))
        plans.append(FirmPlan(index + 1, f"Firm {index + 1}", accounts))
    return tuple(plans)
