"""Candles of one minute from trades, per market. Pure."""

from dataclasses import dataclass
from typing import Any, Final

from cambist.market_data.v1 import events_pb2

MINUTE_NS: Final = 60 * 1_000_000_000


@dataclass(slots=True)
class Candle:
    """Trades of one market in one minute of engine time, as far as they were seen."""

    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int = 0
    trades: int = 0

    def add(self, trade: events_pb2.Trade) -> None:
        """Takes the next trade."""
        price = trade.price_ticks
        self.high_ticks = max(self.high_ticks, price)
        self.low_ticks = min(self.low_ticks, price)
        self.close_ticks = price
        self.volume_lots += trade.quantity_lots
        self.trades += 1


class CandleFold:
    """Candles by (market, start of the minute)."""

    def __init__(self) -> None:
        self.candles: dict[tuple[int, int], Candle] = {}

    def add(self, market_id: int, time_ns: int, trades: events_pb2.Trades) -> None:
        """Takes the trades of a row with this engine time."""
        key = (market_id, time_ns - time_ns % MINUTE_NS)
        candle = self.candles.get(key)
        for trade in trades.trades:
            if candle is None:
                price = trade.price_ticks
                candle = self.candles[key] = Candle(price, price, price, price)
            candle.add(trade)

    def rows(self, shard: int) -> list[tuple[Any, ...]]:
        """Rows in the order of the table's columns."""
        return [
            (
                shard,
                *key,
                candle.open_ticks,
                candle.high_ticks,
                candle.low_ticks,
                candle.close_ticks,
                candle.volume_lots,
                candle.trades,
            )
            for key, candle in self.candles.items()
        ]
