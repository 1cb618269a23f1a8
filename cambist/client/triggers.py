"""What makes an order wait for a price, as people say it. Pure: for sessions and command line.

Prices are Decimal, str or int and must fit ticks exactly.
"""

from dataclasses import dataclass

from cambist.client.amounts import Number
from cambist.client.enums import OrderType
from cambist.client.errors import InvalidInput
from cambist.client.instruments import Market


@dataclass(frozen=True, slots=True)
class Trigger:
    """At most one of the four. A trailing distance is a price difference or parts per million."""

    stop_price: Number | None = None
    take_profit_price: Number | None = None
    trailing_offset: Number | None = None
    trailing_ppm: int = 0

    def __post_init__(self) -> None:
        named = (self.stop_price, self.take_profit_price, self.trailing_offset)
        if sum(one is not None for one in named) + bool(self.trailing_ppm) > 1:
            raise InvalidInput("INVALID_COMBINATION", "an order waits for one price at most")

    @property
    def waits(self) -> bool:
        """Whether there is anything to wait for."""
        prices = (self.stop_price, self.take_profit_price, self.trailing_offset)
        return bool(self.trailing_ppm) or any(price is not None for price in prices)

    def price_ticks(self, market: Market) -> int:
        """The trigger price; 0 of a trailing stop. Raises InvalidInput(OFF_TICK …)."""
        price = self.stop_price if self.stop_price is not None else self.take_profit_price
        return 0 if price is None else market.ticks(price)

    def offset_ticks(self, market: Market) -> int:
        """The distance of a trailing stop; 0 of others and by parts per million."""
        return 0 if self.trailing_offset is None else market.ticks(self.trailing_offset)

    def order_type(self, *, has_price: bool) -> OrderType:
        """What an order with or without a price is.

        A trailing stop stays a market order, and its price is the one that it will not pass.
        """
        if self.stop_price is not None:
            return OrderType.STOP_LIMIT if has_price else OrderType.STOP
        if self.take_profit_price is not None:
            return OrderType.TAKE_PROFIT_LIMIT if has_price else OrderType.TAKE_PROFIT
        if self.waits:
            return OrderType.TRAILING_STOP
        return OrderType.LIMIT if has_price else OrderType.MARKET
