"""The state of a shard: tables of plain rows. Owned by the engine, changed by the rules."""

from bisect import bisect_left, insort
from dataclasses import dataclass, field

from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import enums_pb2
from matching.reference import limits
from matching.reference.types import (
    Account,
    Balance,
    Deposit,
    DisconnectWindow,
    Fees,
    FeeTiers,
    Key,
    Level,
    MarketParameters,
    Order,
    Session,
    TradingLimits,
    Withdrawal,
)

BUY = enums_pb2.SIDE_BUY
PPM = 1_000_000


@dataclass(slots=True)
class Market:
    """A market with its book."""

    created: system_pb2.CreateMarket
    tick_value: int
    lot_size: int
    parameters: MarketParameters
    phase: enums_pb2.MarketPhase.ValueType = enums_pb2.MARKET_PHASE_HALTED
    market_seq: int = 0
    trade_id: int = 0
    public_order_id: int = 0
    last_l2_market_seq: int = 0
    killed: bool = False
    clearing: bool = False
    cleared_count: int = 0
    reference_price_ticks: int = 0  # what the static band refers to; 0 = none
    order_count: int = 0
    # Price to level, and the prices ascending, of each side.
    levels: dict[int, dict[int, Level]] = field(default_factory=lambda: {1: {}, 2: {}})
    prices: dict[int, list[int]] = field(default_factory=lambda: {1: [], 2: []})
    # Orders that wait for a price by order id, and those of them that saw it, in queue order.
    waiting: dict[int, Order] = field(default_factory=dict)
    ready: list[int] = field(default_factory=list)
    last_price_ticks: int = 0  # of the last trade since rules version 2; 0 = none

    @property
    def market_id(self) -> int:
        """Its number."""
        return self.created.market_id

    @property
    def fees(self) -> Fees:
        """Those of accounts without a tier."""
        return Fees(self.parameters.maker_fee_ppm, self.parameters.taker_fee_ppm)

    @property
    def open_count(self) -> int:
        """How many orders rest or wait."""
        return self.order_count + len(self.waiting)

    @property
    def takes_triggered(self) -> bool:
        """Whether orders that saw their price may be entered."""
        is_open = self.phase == enums_pb2.MARKET_PHASE_CONTINUOUS
        return is_open and not self.killed and not self.clearing

    def stop_waiting(self, order: Order) -> None:
        """An order waits no more, ready or not."""
        del self.waiting[order.order_id]
        if order.seen_price_ticks:
            self.ready.remove(order.order_id)

    def best_price(self, side: int) -> int:
        """Best price of a side; 0 when it is empty."""
        prices = self.prices[side]
        if not prices:
            return 0
        return prices[-1] if side == BUY else prices[0]

    def best_first(self, side: int) -> list[int]:
        """Prices of a side, best first."""
        return self.prices[side][::-1] if side == BUY else list(self.prices[side])

    def first_order(self, side: int) -> Order | None:
        """The best resting order of a side."""
        price = self.best_price(side)
        if not price:
            return None
        return next(iter(self.levels[side][price].orders.values()))

    def would_trade(self, side: int, price_ticks: int) -> bool:
        """Whether an order of a side at a price meets the other side."""
        best = self.best_price(opposite(side))
        if not best:
            return False
        return price_ticks >= best if side == BUY else price_ticks <= best

    def add(self, order: Order) -> None:
        """Puts an order at the tail of its level."""
        levels = self.levels[order.side]
        if order.price_ticks not in levels:
            levels[order.price_ticks] = Level()
            insort(self.prices[order.side], order.price_ticks)
        level = levels[order.price_ticks]
        level.orders[order.order_id] = order
        level.quantity_lots += order.shown
        self.order_count += 1

    def remove(self, order: Order) -> None:
        """Takes an order out, with all that it shows."""
        level = self.levels[order.side][order.price_ticks]
        del level.orders[order.order_id]
        level.quantity_lots -= order.shown
        self.order_count -= 1
        if not level.orders:
            del self.levels[order.side][order.price_ticks]
            prices = self.prices[order.side]
            del prices[bisect_left(prices, order.price_ticks)]

    def shrink(self, order: Order, lots: int, *, is_trade: bool = False) -> None:
        """Takes lots from an order that keeps its place; a trade takes what an iceberg shows."""
        before = order.shown
        order.leaves_lots -= lots
        if order.display_lots and is_trade:
            order.shown_lots -= lots
        elif order.display_lots:
            order.shown_lots = min(order.shown_lots, order.display_lots, order.leaves_lots)
        self.levels[order.side][order.price_ticks].quantity_lots -= before - order.shown

    def level_row(self, side: int, price_ticks: int) -> tuple[int, int]:
        """Quantity and number of orders of a level; zeros when there is none."""
        level = self.levels[side].get(price_ticks)
        return (level.quantity_lots, len(level.orders)) if level else (0, 0)

    def quote(self) -> tuple[int, int, int, int]:
        """Best bid and ask with their quantities."""
        bid, ask = self.best_price(1), self.best_price(2)
        return bid, self.level_row(1, bid)[0], ask, self.level_row(2, ask)[0]


def opposite(side: int) -> int:
    """The other side."""
    return 3 - side


class AccountKeys:
    """Ids of one account."""

    __slots__ = ("by_id", "closed", "stale_floor_ns")

    def __init__(self) -> None:
        self.by_id: dict[bytes, Key] = {}
        # (sent_time_ns, id) of those that are not open, ascending.
        self.closed: list[tuple[int, bytes]] = []
        self.stale_floor_ns = 0

    def add(self, key: Key) -> None:
        """Adds an id that is unknown."""
        assert key.id not in self.by_id, "the look-up comes first"
        self.by_id[key.id] = key
        if not key.open:
            insort(self.closed, (key.sent_time_ns, key.id))

    def close(self, id_: bytes) -> None:
        """The order of an id does not rest any more."""
        key = self.by_id[id_]
        key.open = False
        insort(self.closed, (key.sent_time_ns, key.id))

    def trim(self, capacity: int) -> None:
        """Drops the oldest closed ids above the capacity; what is dropped becomes stale."""
        while len(self.closed) > capacity:
            sent_time_ns, id_ = self.closed.pop(0)
            del self.by_id[id_]
            self.stale_floor_ns = max(self.stale_floor_ns, sent_time_ns)


@dataclass(slots=True)
class State:
    """Everything a snapshot holds."""

    shard: int
    last_seq: int = 0
    time_ns: int = 0
    state_hash: bytes = bytes(32)
    next_order_id: int = 1
    rules_version: int = 1  # of the next batch
    killed: bool = False  # the kill switch of the whole shard
    assets: dict[int, system_pb2.CreateAsset] = field(default_factory=dict)
    balances: dict[tuple[int, int], Balance] = field(default_factory=dict)
    deposits: dict[bytes, Deposit] = field(default_factory=dict)
    withdrawals: dict[bytes, Withdrawal] = field(default_factory=dict)
    sources: dict[int, int] = field(default_factory=dict)
    firms: dict[int, system_pb2.CreateFirm] = field(default_factory=dict)
    killed_firms: set[int] = field(default_factory=set)
    accounts: dict[int, Account] = field(default_factory=dict)
    fee_tiers: FeeTiers = field(default_factory=dict)
    # By account and market; each has a limit.
    trading_limits: dict[tuple[int, int], TradingLimits] = field(default_factory=dict)
    markets: dict[int, Market] = field(default_factory=dict)
    sessions: dict[int, Session] = field(default_factory=dict)
    # By session, which may be gone.
    windows: dict[int, DisconnectWindow] = field(default_factory=dict)
    keys: dict[int, AccountKeys] = field(default_factory=dict)
    # (expire_time_ns, order_id, account_id) of resting GTD orders, ascending.
    timers: list[tuple[int, int, int]] = field(default_factory=list)

    # Accounts whose dead man's timer is armed.
    armed: set[int] = field(default_factory=set)

    def available(self, account_id: int, asset_id: int) -> int:
        """What an account has free, without making a row."""
        balance = self.balances.get((account_id, asset_id))
        return balance.available if balance else 0

    def is_killed(self, account: Account) -> bool:
        """Whether a switch of the account, its firm or the shard is on."""
        return account.killed or self.killed or account.firm_id in self.killed_firms

    def fees_of_markets(self) -> dict[int, Fees]:
        """The fees of each market itself."""
        return {market_id: market.fees for market_id, market in self.markets.items()}

    def fees_of(self, account_id: int, market: Market) -> Fees:
        """What new orders of an account pay in a market."""
        in_all = self.fee_tiers.get((account_id, 0), market.fees)
        return self.fee_tiers.get((account_id, market.market_id), in_all)

    def keys_of(self, account_id: int) -> AccountKeys:
        """Ids of an account."""
        return self.keys.setdefault(account_id, AccountKeys())

    def is_same_group(self, first_id: int, second_id: int) -> bool:
        """Whether two accounts must not trade with one another."""
        if first_id == second_id:
            return True
        group = self.accounts[first_id].self_trade_group_id
        return group != 0 and group == self.accounts[second_id].self_trade_group_id

    def resting_order(self, account_id: int, order_id: int) -> Order | None:
        """A resting or waiting order of an account."""
        return self.accounts[account_id].orders.get(order_id)

    def account_timers(self) -> list[tuple[int, int]]:
        """(cancel_all_at_ns, account_id) of the dead man's timers that are armed, ascending."""
        return sorted(
            (self.accounts[account_id].cancel_all_at_ns, account_id) for account_id in self.armed
        )

    def windows_by_end(self) -> list[tuple[int, int]]:
        """(ends_ns, session_id) of the windows that run, ascending."""
        return sorted((window.ends_ns, id_) for id_, window in self.windows.items())

    def arm(self, account: Account, cancel_all_at_ns: int) -> None:
        """Sets the dead man's timer of an account; 0 = off."""
        account.cancel_all_at_ns = cancel_all_at_ns
        if cancel_all_at_ns:
            self.armed.add(account.account_id)
        else:
            self.armed.discard(account.account_id)

    def list_order(self, order: Order) -> None:
        """An order rests or waits now: book or waiting ones, account, timers."""
        market = self.markets[order.market_id]
        if order.waits:
            market.waiting[order.order_id] = order
        else:
            market.add(order)
        self.accounts[order.account_id].orders[order.order_id] = order
        if order.expire_time_ns:
            insort(self.timers, (order.expire_time_ns, order.order_id, order.account_id))

    def unlist_order(self, order: Order) -> None:
        """An order that is out of its book leaves account and timers, and its id closes."""
        self.unlist_from_account(order)
        self.close_id(order)

    def unlist_from_account(self, order: Order) -> None:
        """An order leaves account and timers; its id stays open."""
        del self.accounts[order.account_id].orders[order.order_id]
        if order.expire_time_ns:
            timer = (order.expire_time_ns, order.order_id, order.account_id)
            del self.timers[bisect_left(self.timers, timer)]

    def close_id(self, order: Order) -> None:
        """The id of an order that is done is kept within the capacity of its account."""
        keys = self.keys[order.account_id]
        keys.close(order.cl_ord_id)
        keys.trim(self.accounts[order.account_id].id_capacity)


def fee_part(notional: int, ppm: int) -> int:
    """`f(n)`: a fee rounded up; of a rebate, rounded down in size."""
    if ppm >= 0:
        return -(-notional * ppm // PPM)
    return -(notional * -ppm // PPM)


def hold_of(order: Order, market: Market, leaves_lots: int) -> int:
    """What an order with these leaves holds, in its own asset."""
    if order.waits and order.budget_atoms:
        return order.budget_atoms
    if order.is_market:
        return 0
    if order.side == BUY:
        notional = order.price_ticks * leaves_lots * market.tick_value
        return notional + fee_part(notional, order.taker_fee_ppm)
    return leaves_lots * market.lot_size


def held_asset(order: Order, market: Market) -> int:
    """The asset in which an order holds."""
    created = market.created
    return created.quote_asset_id if order.side == BUY else created.base_asset_id


def is_firm_account(account_id: int) -> bool:
    """Whether a number is one that accounts of firms may have."""
    return account_id >= limits.FIRM_ACCOUNT_MIN
