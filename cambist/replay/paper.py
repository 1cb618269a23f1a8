"""A plain price-time book that plays a flow in this process: no money, no accounts, no venue.

For a first look at a file, and for tests of the readers. The venue itself is the real measure.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field

from cambist.client.enums import Side
from cambist.replay.flow import Change, Command, Enter, Remove, Trade


@dataclass(slots=True)
class Resting:
    """An order in the book."""

    order: int
    side: Side
    price: int
    quantity: int


@dataclass(slots=True)
class PaperSide:
    """One side; keys are prices, negated for bids, so that the smallest is the best."""

    levels: dict[int, dict[int, Resting]] = field(default_factory=dict)
    keys: list[int] = field(default_factory=list)

    def add(self, key: int, resting: Resting) -> None:
        """At the tail of its level."""
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = {}
            insort(self.keys, key)
        level[resting.order] = resting

    def remove(self, key: int, order: int) -> None:
        """Takes an order away."""
        level = self.levels[key]
        del level[order]
        if not level:
            del self.levels[key]
            del self.keys[bisect_left(self.keys, key)]


class PaperVenue:
    """Plays commands one after another."""

    def __init__(self) -> None:
        self.bids = PaperSide()
        self.asks = PaperSide()
        self.orders: dict[int, Resting] = {}
        self.trades: list[Trade] = []
        # Post-only orders that would have traded.
        self.refused: set[int] = set()

    def play(self, commands: Iterable[Command]) -> list[Trade]:
        """All trades so far, after these commands."""
        for command in commands:
            match command:
                case Enter():
                    self._enter(command)
                case Change():
                    self._change(command)
                case Remove():
                    self._take_away(command.order)
        return self.trades

    def _side(self, side: Side) -> PaperSide:
        return self.bids if side is Side.BUY else self.asks

    def _enter(self, enter: Enter) -> None:
        if enter.order in self.orders:
            return
        taker = Resting(enter.order, enter.side, enter.price, enter.quantity)
        if enter.is_post_only and self._would_trade(taker):
            self.refused.add(enter.order)
            return
        self._match(taker, enter.time_ns)
        if taker.quantity and enter.price and not enter.is_immediate:
            self._rest(taker)

    def _rest(self, order: Resting) -> None:
        key = -order.price if order.side is Side.BUY else order.price
        self._side(order.side).add(key, order)
        self.orders[order.order] = order

    def _would_trade(self, taker: Resting) -> bool:
        is_buy = taker.side is Side.BUY
        keys = (self.asks if is_buy else self.bids).keys
        return bool(keys) and (keys[0] <= taker.price if is_buy else -keys[0] >= taker.price)

    def _match(self, taker: Resting, time_ns: int) -> None:
        is_buy = taker.side is Side.BUY
        other = self.asks if is_buy else self.bids
        while taker.quantity and other.keys:
            key = other.keys[0]
            if taker.price and (key > taker.price if is_buy else -key < taker.price):
                return
            maker = next(iter(other.levels[key].values()))
            quantity = min(taker.quantity, maker.quantity)
            taker.quantity -= quantity
            maker.quantity -= quantity
            buy, sell = (taker, maker) if is_buy else (maker, taker)
            self.trades.append(
                Trade(maker.price, quantity, buy.order, sell.order, time_ns, 0, taker.order)
            )
            if not maker.quantity:
                other.remove(key, maker.order)
                del self.orders[maker.order]

    def _change(self, change: Change) -> None:
        resting = self.orders.get(change.order)
        if resting is None:
            return
        if change.price == resting.price and change.open_quantity <= resting.quantity:
            resting.quantity = change.open_quantity
            return
        self._take_away(change.order)
        resting.price, resting.quantity = change.price, change.open_quantity
        self._match(resting, change.time_ns)
        if resting.quantity:
            self._rest(resting)

    def _take_away(self, order: int) -> None:
        resting = self.orders.pop(order, None)
        if resting is not None:
            key = -resting.price if resting.side is Side.BUY else resting.price
            self._side(resting.side).remove(key, order)
