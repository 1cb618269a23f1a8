"""Makes a recording as Bitstamp would: a random market, its order rows and its trades as CSV."""

from pathlib import Path
from random import Random

from cambist.client.enums import Side
from cambist.replay.flow import Enter, Remove
from cambist.replay.paper import PaperVenue

MIDDLE = 50_000
SPREAD = 12
ORDERS_HEADER = "id,timestamp,exchange_timestamp,price,volume,action,direction"
TRADES_HEADER = "trade_id,timestamp,exchange_timestamp,price,amount,buy_order_id,sell_order_id,side"
NAMES = {Side.BUY: "bid", Side.SELL: "ask"}


class Recorder:
    """Prices are cents, quantities 10^-8."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._venue = PaperVenue()
        self._next_order = 1
        self._now_ms = 1_700_000_000_000
        self.orders = [ORDERS_HEADER]
        self.trades = [TRADES_HEADER]

    def record(self, events: int) -> None:
        for _ in range(events):
            self._now_ms += self._random.randrange(3)
            resting = list(self._venue.orders)
            if resting and self._random.random() < 0.4:
                self._remove(self._random.choice(resting))
            else:
                self._enter()
        for order in list(self._venue.orders):
            self._remove(order)

    def _row(self, order: int, price: int, quantity: int, action: str, side: Side) -> None:
        cents, units = f"{price / 100:.2f}", f"{quantity / 10**8:.8f}"
        times = f"{self._now_ms},{self._now_ms}"
        self.orders.append(f"{order},{times},{cents},{units},{action},{NAMES[side]}")

    def _remove(self, order: int) -> None:
        resting = self._venue.orders[order]
        self._row(order, resting.price, resting.quantity, "deleted", resting.side)
        self._venue.play([Remove(0, 0, order)])

    def _enter(self) -> None:
        order, self._next_order = self._next_order, self._next_order + 1
        side = self._random.choice([Side.BUY, Side.SELL])
        away = self._random.randrange(-3, SPREAD)
        price = MIDDLE - away if side is Side.BUY else MIDDLE + away
        quantity = self._random.randrange(1, 500) * 10_000
        # Half of those that would trade are post-only: the exchange tells them and their end.
        is_post_only = self._random.random() < 0.5
        before = len(self._venue.trades)
        self._row(order, price, quantity, "created", side)
        self._venue.play([Enter(0, 0, order, side, price, quantity, is_post_only=is_post_only)])
        if order in self._venue.refused:
            self._row(order, price, quantity, "deleted", side)
            return
        left = quantity
        for trade in self._venue.trades[before:]:
            left -= trade.quantity
            maker = trade.sell_order if side is Side.BUY else trade.buy_order
            self._executed(maker, trade.price)
            self.trades.append(
                f"{len(self.trades)},{self._now_ms},{self._now_ms},{trade.price / 100:.2f},"
                f"{trade.quantity / 10**8:.8f},{trade.buy_order},{trade.sell_order},"
                f"{'buy' if side is Side.BUY else 'sell'}"
            )
        if left < quantity:
            self._row(order, price, left, "changed" if left else "deleted", side)

    def _executed(self, maker: int, price: int) -> None:
        resting = self._venue.orders.get(maker)
        side = Side.SELL if price >= MIDDLE else Side.BUY
        if resting is None:
            self._row(maker, price, 0, "deleted", side)
        else:
            self._row(maker, price, resting.quantity, "changed", resting.side)

    def save(self, folder: Path) -> Path:
        """Writes both files; the path of the orders."""
        (folder / "made-trades.csv").write_text("\n".join(self.trades) + "\n")
        path = folder / "made-orders.csv"
        path.write_text("\n".join(self.orders) + "\n")
        return path
