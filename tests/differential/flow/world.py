"""What a tape's venue is made of: assets, markets, firms, accounts, sessions.

Pure data, used by the flow and by its plays. Numbers are chosen so that steps, minimums, fees,
rebates, price widths and magnitudes of money all differ between markets.
"""

from dataclasses import dataclass, field
from typing import Final

SHARD: Final = 7
START_NS: Final = 1_700_000_000_000_000_000
AMOUNT_ATOMS_MAX: Final = 1 << 120
FEES: Final = 1
EXTERNAL: Final = 4

BTC, USDT, ETH, JPY, GRAIN, HUGE, WHALE, GIANT = range(1, 9)


@dataclass(frozen=True, slots=True)
class AssetPlan:
    """An asset and what each rich account starts with, in atoms."""

    asset_id: int
    symbol: str
    decimals: int
    start_atoms: int


@dataclass(frozen=True, slots=True)
class MarketPlan:
    """A market, around which price it trades, and how much of the flow goes there."""

    market_id: int
    symbol: str
    base_asset_id: int
    quote_asset_id: int
    lot_size_atoms: int
    tick_size_atoms: int
    middle_ticks: int
    weight: int
    price_step_ticks: int = 0
    quantity_step_lots: int = 0
    minimum_quantity_lots: int = 0
    maximum_quantity_lots: int = 0
    minimum_notional_atoms: int = 0
    maximum_notional_atoms: int = 0
    maker_fee_ppm: int = 0
    taker_fee_ppm: int = 0
    resting_orders_max: int = 0


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """An account, its limits, its self-trade group and whether it gets money."""

    account_id: int
    firm_id: int
    group_id: int = 0
    open_orders_max: int = 0
    id_capacity: int = 0
    is_rich: bool = True


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """A session of a firm, as it is established."""

    session_id: int
    firm_id: int
    account_ids: tuple[int, ...]
    market_ids: tuple[int, ...] = ()
    may_trade: bool = True
    link_id: int = 1


def market_id(number: int, shard: int = SHARD) -> int:
    """The id of a market of a shard."""
    return shard << 16 | number


ASSETS: Final = (
    AssetPlan(BTC, "BTC", 8, 10**6 * 10**8),
    AssetPlan(USDT, "USDT", 6, 10**12 * 10**6),
    AssetPlan(ETH, "ETH", 18, 10**8 * 10**18),
    AssetPlan(JPY, "JPY", 0, 10**15),
    AssetPlan(GRAIN, "GRAIN", 30, 10**35),
    AssetPlan(HUGE, "HUGE", 2, 1 << 119),
    AssetPlan(WHALE, "WHALE", 0, 1 << 90),
    AssetPlan(GIANT, "GIANT", 0, 0),
)
MARKETS: Final = (
    MarketPlan(
        market_id(1), "BTC-USDT", BTC, USDT, 10**4, 10**4, 600_000, 10,
        maker_fee_ppm=-50, taker_fee_ppm=200,
    ),
    MarketPlan(
        market_id(2), "ETH-USDT", ETH, USDT, 10**15, 10**3, 3_000_000, 6,
        price_step_ticks=5, quantity_step_lots=10, minimum_quantity_lots=20,
        maximum_quantity_lots=2_000, minimum_notional_atoms=70_000_000,
        maximum_notional_atoms=2_900_000_000, maker_fee_ppm=100, taker_fee_ppm=501,
    ),
    # Prices above 2^32, around a place where the lower 32 bits change their sign.
    MarketPlan(market_id(3), "BTC-ETH", BTC, ETH, 10**5, 10**12, (1 << 40) + (1 << 31), 4),
    # Small notionals: fees of every fill are rounded up from a fraction.
    MarketPlan(
        market_id(4), "BTC-JPY", BTC, JPY, 10**8, 1, 40, 4,
        maker_fee_ppm=-1_000, taker_fee_ppm=1_000, resting_orders_max=25,
    ),
    MarketPlan(
        market_id(5), "GRAIN-HUGE", GRAIN, HUGE, 10**30, 7 * 10**7, 1 << 20, 1,
        maker_fee_ppm=7, taker_fee_ppm=99_999,
    ),
    # Tick value 2^60: notionals near the bound.
    MarketPlan(
        market_id(6), "WHALE-HUGE", WHALE, HUGE, 1 << 40, 1 << 20, 1 << 30, 2,
        maker_fee_ppm=-3, taker_fee_ppm=3,
    ),
    MarketPlan(market_id(8), "ETH-JPY", ETH, JPY, 10**18, 1, 300, 4, taker_fee_ppm=100_000),
)  # fmt: skip
ACCOUNTS: Final = (
    AccountPlan(4_096, 1),
    AccountPlan(4_097, 1, 0, 10_000, 4_096),
    AccountPlan(4_098, 1, 900),
    AccountPlan(4_099, 1, 900, 40, 200),
    AccountPlan(4_100, 2),
    AccountPlan(4_101, 2, 901),
    AccountPlan(4_102, 2, 901, 12, 64),
    AccountPlan(4_103, 2, is_rich=False),
    AccountPlan(5_000, 3),
    AccountPlan(5_001, 3, 900),
    AccountPlan(5_002, 3, 5_000, 3, 16),
    AccountPlan(5_003, 3, is_rich=False),
    AccountPlan(1 << 40, 4),
    AccountPlan((1 << 40) + 1, 4),
)
SESSIONS: Final = (
    SessionPlan(11, 1, (4_096, 4_097, 4_098, 4_099)),
    SessionPlan(12, 1, (4_096, 4_098), (market_id(1), market_id(4)), link_id=2),
    SessionPlan(13, 1, (4_097, 4_099), may_trade=False, link_id=2),
    SessionPlan(21, 2, (4_100, 4_101, 4_102, 4_103)),
    SessionPlan(22, 2, (4_100, 4_102), (market_id(2), market_id(3), market_id(8)), link_id=3),
    SessionPlan(31, 3, (5_000, 5_001, 5_002, 5_003), link_id=3),
    SessionPlan(1 << 63, 4, (1 << 40, (1 << 40) + 1), link_id=1 << 63),
)


@dataclass(frozen=True, slots=True)
class World:
    """A venue."""

    shard: int = SHARD
    start_ns: int = START_NS
    firms: tuple[int, ...] = (1, 2, 3, 4)
    assets: tuple[AssetPlan, ...] = ASSETS
    markets: tuple[MarketPlan, ...] = MARKETS
    accounts: tuple[AccountPlan, ...] = ACCOUNTS
    sessions: tuple[SessionPlan, ...] = SESSIONS
    market_weights: tuple[int, ...] = field(default=tuple(plan.weight for plan in MARKETS))
