"""The kernel as a candidate of `tracebook-conformance`: `python -m tests.conformance.adapter`.

What that suite's reference does and the venue does not is done here: prices are rounded to the
tick, a replacement is a cancel and a new order, `clear` cancels what rests, numbers are used again.
"""

import os
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import count

from tracebook.conformance.model import (
    BookSnapshot,
    BookState,
    ConformanceConfig,
    EngineMetadata,
    Observation,
    Outcome,
    RestingOrder,
    TradeFill,
    canonical_decimal,
)
from tracebook.conformance.protocol import serve_stdio
from tracebook.core.order import NO_OWNER, OrderSide, OrderType, SelfTradePolicy
from tracebook.events import MarketEvent

from cambist.backtest import Backtest, Kind, Side, TimeInForce, empty_orders
from cambist.client.enums import ExecType, SelfTradePrevention
from cambist.client.instruments import Market

MODES = {
    SelfTradePolicy.NONE: SelfTradePrevention.NONE,
    SelfTradePolicy.CANCEL_RESTING: SelfTradePrevention.CANCEL_OLDEST,
    SelfTradePolicy.CANCEL_INCOMING: SelfTradePrevention.CANCEL_NEWEST,
}
KINDS = {
    OrderType.LIMIT: (Kind.LIMIT, TimeInForce.GTC),
    OrderType.IOC: (Kind.LIMIT, TimeInForce.IOC),
    OrderType.FOK: (Kind.LIMIT, TimeInForce.FOK),
    OrderType.MARKET: (Kind.MARKET, TimeInForce.IOC),
}
MONEY_ATOMS = 10**34


class Refused(Exception):
    """An event that is not applied, by the suite's reason."""


@dataclass(frozen=True, slots=True)
class Entered:
    """An order of the trace as we entered it."""

    source_id: int
    owner: int
    account_id: int
    number: int
    side: Side


@dataclass(frozen=True, slots=True)
class Open:
    """An entered order that rests."""

    entered: Entered
    price_ticks: int
    leaves_lots: int


@dataclass(slots=True)
class Symbol:
    """A market and the orders that were entered in it."""

    market: Market
    by_number: dict[int, Entered] = field(default_factory=dict)
    # Our number by the venue's order id.
    number_of: dict[int, int] = field(default_factory=dict)


class Adapter:
    """One engine for one trace."""

    def __init__(self, config: ConformanceConfig) -> None:
        self.metadata = EngineMetadata("cambist-kernel", "1", "Rust")
        self._mode = MODES[config.self_trade_policy]
        self._tick = Fraction(str(config.tick_size))
        # A lot is the last decimal of a quantity.
        self._lots = 10**config.quantity_decimal_places
        self._places = config.quantity_decimal_places
        self._test = Backtest()
        self._base = self._test.asset("BASE", self._places)
        self._quote = self._test.asset("QUOTE", 0)
        self._accounts: dict[int, int] = {}
        self._symbols: dict[str, Symbol] = {}
        self._numbers = count(1)
        # By our number of the order.
        self._filled_lots: dict[int, int] = {}

    def apply(self, event: MarketEvent, index: int) -> Observation:
        """One event of the trace."""
        trades: tuple[TradeFill, ...] = ()
        try:
            self._carry_out(event)
            outcome = Outcome("applied")
            if event.symbol in self._symbols:
                trades = self._trades(event.symbol)
        except Refused as refused:
            outcome = Outcome("rejected", str(refused))
        state = self.snapshot()
        return Observation(index, outcome, trades, state.digest(), state.order_count)

    def _carry_out(self, event: MarketEvent) -> None:
        symbol = self._symbol(event)
        if event.op == "clear":
            for one in [*self._open(symbol, Side.BUY), *self._open(symbol, Side.SELL)]:
                self._cancel(one.entered)
            return
        resting = {
            one.entered.source_id: one
            for side in (Side.BUY, Side.SELL)
            for one in self._open(symbol, side)
        }
        named = resting.get(event.order_id or 0)
        if event.op == "new":
            if named is not None:
                raise Refused("DUPLICATE_ORDER_ID")
            self._enter(event, symbol)
        elif named is None:
            raise Refused("ORDER_NOT_ACTIVE")
        elif event.op == "cancel":
            self._cancel(named.entered)
        elif event.op == "reduce":
            self._reduce(event, named)
        else:
            self._replace(event, symbol, named)

    def _symbol(self, event: MarketEvent) -> Symbol:
        if event.symbol not in self._symbols:
            if event.op in ("cancel", "reduce", "replace"):
                raise Refused("ORDER_NOT_ACTIVE")
            # A tick is one quote atom for a lot.
            market = self._test.market(
                event.symbol,
                self._base,
                self._quote,
                lot_size_atoms=1,
                tick_size_atoms=10**self._places,
            )
            self._symbols[event.symbol] = Symbol(market)
        return self._symbols[event.symbol]

    def _account(self, owner: int) -> int:
        if owner not in self._accounts:
            self._accounts[owner] = self._test.account()
            for asset in (self._base, self._quote):
                self._test.deposit(self._accounts[owner], asset, MONEY_ATOMS)
        return self._accounts[owner]

    def _ticks(self, price: float | None) -> int:
        ticks: int = round(Fraction(str(price)) / self._tick)
        if ticks < 1:
            raise Refused("INVALID_ORDER")
        return ticks

    def _lots_of(self, quantity: float | None) -> int:
        lots: int = round(Fraction(str(quantity)) * self._lots)
        return lots

    def _enter(self, event: MarketEvent, symbol: Symbol) -> None:
        assert event.side is not None
        kind, time_in_force = KINDS[event.order_type]
        self._send_new(
            symbol,
            Entered(
                event.order_id or 0,
                event.owner,
                self._account(event.owner),
                next(self._numbers),
                Side.BUY if event.side is OrderSide.BUY else Side.SELL,
            ),
            kind=kind,
            time_in_force=time_in_force,
            price_ticks=self._ticks(event.price) if kind is Kind.LIMIT else 0,
            quantity_lots=self._lots_of(event.quantity),
        )

    def _send_new(self, symbol: Symbol, entered: Entered, **fields: int) -> None:
        symbol.by_number[entered.number] = entered
        # Orders without an owner trade with one another.
        mode = SelfTradePrevention.NONE if entered.owner == NO_OWNER else self._mode
        self._send(
            entered,
            market_id=symbol.market.market_id,
            side=entered.side,
            self_trade_prevention=mode,
            **fields,
        )

    def _send(self, entered: Entered, **fields: int) -> None:
        row = empty_orders(1)
        row["time_ns"] = self._test.time_ns
        row["account_id"], row["order"] = entered.account_id, entered.number
        for name, value in fields.items():
            row[name] = value
        self._test.play(row)

    def _cancel(self, entered: Entered) -> None:
        self._send(entered, kind=Kind.CANCEL)

    def _reduce(self, event: MarketEvent, one: Open) -> None:
        left = one.leaves_lots - self._lots_of(event.quantity)
        if left < 0:
            raise Refused("INVALID_ORDER")
        if left == 0:
            self._cancel(one.entered)
            return
        # An amendment names the whole quantity: what is filled and what stays open.
        filled_lots = self._filled_lots.get(one.entered.number, 0)
        self._send(one.entered, kind=Kind.AMEND, quantity_lots=filled_lots + left)

    def _replace(self, event: MarketEvent, symbol: Symbol, one: Open) -> None:
        price_ticks = one.price_ticks if event.price is None else self._ticks(event.price)
        lots = one.leaves_lots if event.quantity is None else self._lots_of(event.quantity)
        if lots < 1:
            raise Refused("INVALID_REPLACEMENT")
        self._cancel(one.entered)
        old = one.entered
        again = Entered(old.source_id, old.owner, old.account_id, next(self._numbers), old.side)
        self._send_new(
            symbol,
            again,
            kind=Kind.LIMIT,
            time_in_force=TimeInForce.GTC,
            price_ticks=price_ticks,
            quantity_lots=lots,
        )

    def _trades(self, name: str) -> tuple[TradeFill, ...]:
        """Takes in what the engine told: ids, fills, and the trades to tell."""
        symbol = self._symbols[name]
        results = self._test.take()
        for report in results.of_type(ExecType.NEW):
            symbol.number_of[int(report["order_id"])] = int(report["order"])
        sides: dict[int, dict[Side, int]] = {}
        for fill in results.fills:
            number = int(fill["order"])
            self._filled_lots[number] = int(fill["cum_lots"])
            entered = symbol.by_number[number]
            sides.setdefault(int(fill["trade_id"]), {})[entered.side] = entered.source_id
        return tuple(
            TradeFill(
                name,
                sides[int(trade["trade_id"])][Side.BUY],
                sides[int(trade["trade_id"])][Side.SELL],
                self._price(int(trade["price_ticks"])),
                self._quantity(int(trade["quantity_lots"])),
            )
            for trade in results.trades
        )

    def _price(self, ticks: int) -> str:
        return canonical_decimal(float(ticks * self._tick))

    def _quantity(self, lots: int) -> str:
        return canonical_decimal(Decimal(lots).scaleb(-self._places), self._places)

    def _open(self, symbol: Symbol, side: Side) -> list[Open]:
        """The orders of a side that rest, as they would trade."""
        return [
            Open(symbol.by_number[symbol.number_of[one.order_id]], one.price_ticks, one.leaves_lots)
            for one in self._test.queue(symbol.market, side)
        ]

    def _shown(self, symbol: Symbol, side: Side) -> tuple[RestingOrder, ...]:
        return tuple(
            RestingOrder(
                one.entered.source_id,
                self._price(one.price_ticks),
                self._quantity(one.leaves_lots),
                one.entered.owner,
            )
            for one in self._open(symbol, side)
        )

    def snapshot(self) -> BookState:
        """What rests."""
        return BookState(
            tuple(
                BookSnapshot(
                    name,
                    self._shown(self._symbols[name], Side.BUY),
                    self._shown(self._symbols[name], Side.SELL),
                )
                for name in sorted(self._symbols)
            )
        )

    def close(self) -> None:
        """Nothing is held."""


if __name__ == "__main__":
    status = serve_stdio(Adapter)
    sys.stdout.flush()
    # The suite waits a moment only; taking the interpreter apart is longer on a busy machine.
    os._exit(status)
