"""The book of a market as a backtest shows it."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Level:
    """One price."""

    price: Decimal
    quantity: Decimal
    orders: int


@dataclass(frozen=True, slots=True)
class Book:
    """The best levels of both sides, best first."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    def __str__(self) -> str:
        lines = [f"{ask.price:>16} {ask.quantity:>16} {ask.orders:>6}" for ask in self.asks[::-1]]
        lines.append("-" * 40)
        lines += [f"{bid.price:>16} {bid.quantity:>16} {bid.orders:>6}" for bid in self.bids]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Resting:
    """A resting order; `order_id` is the venue's, which its report NEW told."""

    order_id: int
    account_id: int
    price_ticks: int
    leaves_lots: int
