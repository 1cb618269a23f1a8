"""The book of one market, kept from order-by-order events. Used by `image` and by the SDK's book.

It needs the public contract alone. It checks every market_seq and never guesses.
"""

import struct
import zlib
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from cambist.feed.errors import FeedBroken
from cambist.market_data.v1 import events_pb2 as market_data
from cambist.orders.v1 import enums_pb2 as enums

CRC_LEVELS = 10
QUANTITY_TOLD_MAX = (1 << 63) - 1  # stands for anything larger
CRC_LEVEL = struct.Struct("<qq")


@dataclass(slots=True)
class Level:
    """One price: open quantity of each order by public id, in queue order, and their sum."""

    quantity_lots: int = 0
    orders: dict[int, int] = field(default_factory=dict)

    @property
    def told_lots(self) -> int:
        """The sum as it is told."""
        return min(self.quantity_lots, QUANTITY_TOLD_MAX)


@dataclass(slots=True)
class Side:
    """Levels of one side and their prices, ascending."""

    is_bid: bool
    levels: dict[int, Level] = field(default_factory=dict)
    prices: list[int] = field(default_factory=list)

    def best_first(self) -> Iterator[tuple[int, Level]]:
        """Prices and levels, best price first."""
        for price in reversed(self.prices) if self.is_bid else self.prices:
            yield price, self.levels[price]

    def add(self, public_order_id: int, price_ticks: int, quantity_lots: int) -> None:
        """Puts an order at the tail of its level."""
        level = self.levels.get(price_ticks)
        if level is None:
            level = self.levels[price_ticks] = Level()
            insort(self.prices, price_ticks)
        level.quantity_lots += quantity_lots
        level.orders[public_order_id] = quantity_lots

    def set(self, public_order_id: int, price_ticks: int, left_lots: int) -> None:
        """Gives an order this quantity; at zero it leaves, and its level with the last order."""
        level = self.levels[price_ticks]
        level.quantity_lots += left_lots - level.orders[public_order_id]
        if left_lots:
            level.orders[public_order_id] = left_lots
            return
        del level.orders[public_order_id]
        if not level.orders:
            del self.levels[price_ticks]
            del self.prices[bisect_left(self.prices, price_ticks)]


@dataclass(slots=True)
class Book:
    """The book of one market."""

    market_seq: int = 0
    phase: enums.MarketPhase.ValueType = enums.MARKET_PHASE_HALTED
    bids: Side = field(default_factory=lambda: Side(is_bid=True))
    asks: Side = field(default_factory=lambda: Side(is_bid=False))
    places: dict[int, tuple[Side, int]] = field(default_factory=dict)

    def add(
        self,
        public_order_id: int,
        side: enums.Side.ValueType,
        price_ticks: int,
        quantity_lots: int,
    ) -> None:
        """Puts an order at the tail of its level.

        Raises FeedBroken(UNKNOWN_ORDER) unless it is new and sound.
        """
        sound = side in (enums.SIDE_BUY, enums.SIDE_SELL) and quantity_lots >= 1
        if public_order_id in self.places or not sound:
            raise FeedBroken("UNKNOWN_ORDER")
        levels = self.bids if side == enums.SIDE_BUY else self.asks
        levels.add(public_order_id, price_ticks, quantity_lots)
        self.places[public_order_id] = levels, price_ticks

    def apply(self, event: market_data.L3Event) -> None:
        """Applies one event. Raises FeedBroken: MARKET_GAP, UNKNOWN_ORDER, MALFORMED."""
        if event.market_seq != self.market_seq + 1:
            raise FeedBroken("MARKET_GAP")
        self.market_seq = event.market_seq
        lots = event.quantity_lots
        match event.action:
            case market_data.L3_ACTION_ADD:
                self.add(event.public_order_id, event.side, event.price_ticks, lots)
            case market_data.L3_ACTION_MODIFY:
                self._change(event.public_order_id, lambda _: lots)
            case market_data.L3_ACTION_DELETE:
                self._change(event.public_order_id, lambda _: 0)
            case market_data.L3_ACTION_EXECUTE:
                self._change(event.public_order_id, lambda present: present - lots)
            case market_data.L3_ACTION_PHASE:
                self.phase = event.phase
            case _:
                raise FeedBroken("MALFORMED")

    def _change(self, public_order_id: int, change: Callable[[int], int]) -> None:
        place = self.places.get(public_order_id)
        if place is None:
            raise FeedBroken("UNKNOWN_ORDER")
        side, price_ticks = place
        left_lots = change(side.levels[price_ticks].orders[public_order_id])
        if left_lots < 0:
            raise FeedBroken("UNKNOWN_ORDER")
        side.set(public_order_id, price_ticks, left_lots)
        if not left_lots:
            del self.places[public_order_id]

    def crc(self) -> int:
        """CRC32 over the best levels of both sides."""
        best = chain(
            islice(self.bids.best_first(), CRC_LEVELS), islice(self.asks.best_first(), CRC_LEVELS)
        )
        return zlib.crc32(b"".join(CRC_LEVEL.pack(price, level.told_lots) for price, level in best))

    def bbo(self) -> market_data.BestBidOffer:
        """The present best prices."""
        quote = market_data.BestBidOffer(market_seq=self.market_seq)
        for price, level in islice(self.bids.best_first(), 1):
            quote.bid_price_ticks, quote.bid_lots = price, level.told_lots
        for price, level in islice(self.asks.best_first(), 1):
            quote.ask_price_ticks, quote.ask_lots = price, level.told_lots
        return quote

    def l2(self, depth: int) -> market_data.L2Delta:
        """The levels as one delta: `depth` of each side, 0 = all, best first."""
        bids, asks = (
            [
                market_data.L2Level(
                    price_ticks=price,
                    quantity_lots=level.told_lots,
                    order_count=len(level.orders),
                )
                for price, level in islice(side.best_first(), depth or None)
            ]
            for side in (self.bids, self.asks)
        )
        return market_data.L2Delta(
            last_market_seq=self.market_seq, bids=bids, asks=asks, crc32=self.crc()
        )

    def l3(self) -> market_data.L3Events:
        """An ADD for every order at market_seq 0: bids, then asks, best first, in queue order."""
        return market_data.L3Events(
            events=[
                market_data.L3Event(
                    action=market_data.L3_ACTION_ADD,
                    public_order_id=public_order_id,
                    side=enums.SIDE_BUY if side.is_bid else enums.SIDE_SELL,
                    price_ticks=price,
                    quantity_lots=lots,
                )
                for side in (self.bids, self.asks)
                for price, level in side.best_first()
                for public_order_id, lots in level.orders.items()
            ]
        )
