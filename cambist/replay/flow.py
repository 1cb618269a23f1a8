"""What every reader of recorded order flow gives: commands with the recorder's order ids, and the
trades that should come out. Pure values; prices and quantities are integers of a stated scale.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from cambist.client.enums import Side, TimeInForce


@dataclass(frozen=True, slots=True)
class Scale:
    """One unit of price is 10^-price_decimals, one of quantity 10^-quantity_decimals."""

    price_decimals: int
    quantity_decimals: int


@dataclass(frozen=True, slots=True)
class Enter:
    """A new order. `price` 0 = market order."""

    row: int
    time_ns: int
    order: int
    side: Side
    price: int
    quantity: int
    # What does not trade at once does not rest.
    is_immediate: bool = False
    # It must not trade on entry: in the recording it did not.
    is_post_only: bool = False

    @property
    def time_in_force(self) -> TimeInForce:
        """A market order never rests."""
        rests = self.price and not self.is_immediate
        return TimeInForce.GTC if rests else TimeInForce.IOC

    def account_of(self, accounts: Sequence[tuple[int, int]]) -> int:
        """Whose it is, given buyer and seller of each pair: orders are spread over the pairs."""
        buyer, seller = accounts[self.order % len(accounts)]
        return buyer if self.side is Side.BUY else seller


@dataclass(frozen=True, slots=True)
class Change:
    """An order gets this price and this open quantity; filled quantity not counted."""

    row: int
    time_ns: int
    order: int
    price: int
    open_quantity: int
    # What the order had traded by then in the recording.
    filled: int = 0

    @property
    def total_quantity(self) -> int:
        """As an amendment names it: what is filled and what stays open."""
        return self.filled + self.open_quantity


@dataclass(frozen=True, slots=True)
class Remove:
    """An order is cancelled."""

    row: int
    time_ns: int
    order: int


Command: TypeAlias = Enter | Change | Remove


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade of the recording, or one that came out of a venue. An unknown order is 0."""

    price: int
    quantity: int
    buy_order: int
    sell_order: int
    time_ns: int = 0
    # Row of the recording, 0 for a venue's.
    row: int = 0
    # The order that came later, where it is known.
    taker: int = 0

    @property
    def identity(self) -> tuple[int, int, int, int]:
        """What must be equal."""
        return self.price, self.quantity, self.buy_order, self.sell_order


class Note(Enum):
    """Something in a recording that cannot be played as it stands; counted, never silent."""

    # A trade names an order that the recording never enters, or enters later.
    TRADE_BEFORE_ENTRY = "an order trades before the recording enters it"
    # Quantity left an order at no trade's doing, though the row says that it was executed.
    EXECUTION_WITHOUT_TRADE = "a row says executed and no trade names it"
    # An order by value: its quantity is that of its trades.
    ENTERED_BY_VALUE = "an order entered by value, its quantity taken from its trades"
    # An order that rested before the recording began; entered first.
    RESTED_BEFORE = "an order that rested before the recording began"
    # A row changes or removes an order that is not there.
    UNKNOWN_ORDER = "a row names an order that is not in the book"
    # An order is entered twice.
    ENTERED_TWICE = "an order is entered twice"
    # A trade for which no row of its orders can be found.
    TRADE_WITHOUT_ROW = "a trade that no row of its orders shows"
    # An order stands in the recording after it was gone: others rest across its price.
    GHOST = "an order that was gone before the recording says so"
    # A trade against an order that was never displayed.
    HIDDEN_ORDER = "a trade against a hidden order"
    # A trade that the continuous book did not make.
    CROSS = "an auction or cross trade"
    # Trading was halted or a book was cleared.
    HALT = "a halt or a cleared book"


@dataclass(slots=True)
class Flow:
    """A whole recording."""

    scale: Scale
    commands: list[Command] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    # Rows read.
    rows: int = 0
    # Which orders each note concerns.
    notes: dict[Note, list[int]] = field(default_factory=dict)

    def note(self, note: Note, order: int) -> None:
        """Writes down what cannot be played as it stands."""
        self.notes.setdefault(note, []).append(order)

    def entries(self) -> Iterator[Enter]:
        """Orders only."""
        return (command for command in self.commands if isinstance(command, Enter))
