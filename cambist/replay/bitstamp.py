"""Bitstamp's order events ("L3") and trades as CSV, plain or .gz, into a flow.

Orders: id, timestamp, exchange_timestamp, price, volume, action (created, changed, deleted),
direction (bid, ask). Trades: trade_id, timestamp, exchange_timestamp, price, amount, buy_order_id,
sell_order_id, side. A row of an order that a trade names is an execution, which the venue does by
itself; other rows are what the owner did.
"""

import csv
import gzip
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Final

from cambist.client.enums import Side
from cambist.client.errors import InvalidInput
from cambist.replay.flow import Change, Enter, Flow, Note, Remove, Scale, Trade
from cambist.replay.ghosts import Life, clean_up_row, find_ghosts

SCALE: Final = Scale(price_decimals=2, quantity_decimals=8)
MILLISECOND_NS: Final = 1_000_000
SIDES: Final = {"bid": Side.BUY, "ask": Side.SELL}
ORDER_COLUMNS: Final = frozenset(
    {"id", "exchange_timestamp", "price", "volume", "action", "direction"}
)
TRADE_COLUMNS: Final = frozenset(
    {"exchange_timestamp", "price", "amount", "buy_order_id", "sell_order_id", "side"}
)


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One row of the orders file."""

    row: int
    order: int
    time_ns: int
    price: int
    volume: int
    action: str
    side: Side


@dataclass(slots=True)
class State:
    """An order while its rows are read."""

    side: Side
    price: int
    open_quantity: int
    filled: int = 0


@dataclass(slots=True)
class Translator:
    """Rows of orders and all trades, to commands."""

    flow: Flow
    # Trades of each order that no row has shown yet, in order.
    _fills: dict[int, deque[Trade]] = field(default_factory=lambda: defaultdict(deque))
    # Orders that trade on entry; all others are entered post-only, as they rested or were refused.
    _takers: set[int] = field(default_factory=set)
    _orders: dict[int, State] = field(default_factory=dict)

    def expect(self, trades: Iterable[Trade]) -> None:
        """All trades of the recording."""
        for trade in trades:
            self.flow.trades.append(trade)
            self._fills[trade.buy_order].append(trade)
            self._fills[trade.sell_order].append(trade)
            self._takers.add(trade.taker)

    def take(self, row: OrderRow) -> None:
        """One row."""
        self.flow.rows += 1
        match row.action:
            case "created":
                self._created(row)
            case "changed":
                self._changed(row)
            case "deleted":
                self._deleted(row)

    def finish(self) -> None:
        """Trades that no row has shown are written down."""
        for order, fills in self._fills.items():
            for trade in fills:
                if order and order not in self._orders:
                    self.flow.note(Note.TRADE_BEFORE_ENTRY, order)
                elif trade.buy_order == order:
                    self.flow.note(Note.TRADE_WITHOUT_ROW, order)

    def remove_ghost(self, row: OrderRow, order: int) -> None:
        """An order was gone before this row, though nothing says so."""
        self.flow.note(Note.GHOST, order)
        self._orders[order].open_quantity = 0
        self.flow.commands.append(Remove(row.row, row.time_ns, order))

    def _created(self, row: OrderRow) -> None:
        if row.order in self._orders:
            self.flow.note(Note.ENTERED_TWICE, row.order)
            return
        price, volume = row.price, row.volume
        is_taker = row.order in self._takers
        if is_taker and not volume:
            # By value ("buy for 5 USD"): rows show neither price nor quantity.
            price, volume = 0, sum(trade.quantity for trade in self._fills.pop(row.order))
            self.flow.note(Note.ENTERED_BY_VALUE, row.order)
        self._orders[row.order] = State(row.side, price, volume)
        self.flow.commands.append(
            Enter(
                row.row,
                row.time_ns,
                row.order,
                row.side,
                price,
                volume,
                is_immediate=not price,
                is_post_only=bool(price) and not is_taker,
            )
        )

    def _changed(self, row: OrderRow) -> None:
        state = self._orders.get(row.order)
        if state is None:
            self.flow.note(Note.UNKNOWN_ORDER, row.order)
            return
        if not state.price:
            return
        reduction = state.open_quantity - row.volume - self._filled(row, state)
        state.open_quantity = row.volume
        # A fill shows the price of the trade, not the order's own.
        if reduction:
            self.flow.commands.append(
                Change(row.row, row.time_ns, row.order, state.price, row.volume, state.filled)
            )

    def _deleted(self, row: OrderRow) -> None:
        state = self._orders.get(row.order)
        if state is None:
            self.flow.note(Note.UNKNOWN_ORDER, row.order)
            return
        if not state.price:
            # Market orders leave nothing in the book.
            return
        left = state.open_quantity - self._filled(row, state)
        state.open_quantity = 0
        if left > 0:
            if not row.volume:
                self.flow.note(Note.EXECUTION_WITHOUT_TRADE, row.order)
            self.flow.commands.append(Remove(row.row, row.time_ns, row.order))

    def _filled(self, row: OrderRow, state: State) -> int:
        """Quantity that trades took from the order since its last row."""
        missing = state.open_quantity - row.volume
        taken = 0
        fills = self._fills.get(row.order)
        while fills and taken + fills[0].quantity <= missing:
            taken += fills.popleft().quantity
        state.filled += taken
        return taken


def translate(rows: Sequence[OrderRow], trades: Sequence[Trade]) -> Flow:
    """The flow of all rows and trades of a recording."""
    translator = Translator(Flow(SCALE))
    translator.expect(trades)
    takers = {trade.taker for trade in trades}
    ghosts = find_ghosts(
        [life for life in lives_of(rows) if life.order not in takers],
        clean_up_row((row.row, row.action == "deleted") for row in rows),
    )
    gone = {row: order for order, row in ghosts.items()}
    for row in rows:
        if row.row in gone:
            translator.remove_ghost(row, gone[row.row])
        translator.take(row)
    translator.finish()
    return translator.flow


def lives_of(rows: Sequence[OrderRow]) -> Iterator[Life]:
    """First and last row of every order."""
    first: dict[int, OrderRow] = {}
    last: dict[int, OrderRow] = {}
    for row in rows:
        if row.action == "created":
            first.setdefault(row.order, row)
        last[row.order] = row
    for order, row in first.items():
        end = last[order]
        is_there = end is row or end.time_ns > row.time_ns
        yield Life(
            order,
            row.side,
            row.price,
            row.volume,
            row.row,
            end.row if end.action == "deleted" else rows[-1].row + 1,
            has_rested=is_there and bool(row.price),
        )


def trades_beside(orders_path: Path) -> Path:
    """The trades file that belongs to an orders file by its name."""
    return orders_path.with_name(orders_path.name.replace("orders", "trades"))


def open_text(path: Path) -> IO[str]:
    """A text file, plain or gzip."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def rows_of(path: Path, columns: frozenset[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Numbered rows of a CSV file. Raises InvalidInput when a column is missing."""
    with open_text(path) as file:
        reader = csv.DictReader(file)
        if missing := columns - set(reader.fieldnames or ()):
            raise InvalidInput("BAD_FILE", f"{path}: no column {', '.join(sorted(missing))}")
        yield from enumerate(reader, start=2)


def read_orders(path: Path) -> Iterator[OrderRow]:
    """Rows of the orders file, as they stand. Raises InvalidInput."""
    for number, row in rows_of(path, ORDER_COLUMNS):
        try:
            yield OrderRow(
                number,
                int(row["id"]),
                int(row["exchange_timestamp"]) * MILLISECOND_NS,
                scaled(row["price"], SCALE.price_decimals),
                scaled(row["volume"], SCALE.quantity_decimals),
                row["action"],
                SIDES[row["direction"]],
            )
        except (ValueError, KeyError, TypeError, InvalidOperation) as error:
            raise InvalidInput("BAD_FILE", f"{path} row {number}: {error}") from error


def read_trades(path: Path) -> Iterator[Trade]:
    """Rows of the trades file, in order. Raises InvalidInput."""
    for number, row in rows_of(path, TRADE_COLUMNS):
        try:
            buy, sell = int(row["buy_order_id"]), int(row["sell_order_id"])
            yield Trade(
                scaled(row["price"], SCALE.price_decimals),
                scaled(row["amount"], SCALE.quantity_decimals),
                buy,
                sell,
                int(row["exchange_timestamp"]) * MILLISECOND_NS,
                number,
                {"buy": buy, "sell": sell}[row["side"]],
            )
        except (ValueError, KeyError, TypeError, InvalidOperation) as error:
            raise InvalidInput("BAD_FILE", f"{path} row {number}: {error}") from error


def scaled(text: str, decimals: int) -> int:
    """A decimal as an integer of 10^-decimals; raises ValueError when digits are left over."""
    value = Decimal(text).scaleb(decimals)
    if value != value.to_integral_value() or value < 0:
        raise ValueError(f"{text!r} does not fit {decimals} decimals")
    return int(value)
