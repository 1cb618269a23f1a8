"""LOBSTER message files into a flow.

Columns without a header: time (seconds after midnight), type, order id, size, price (in 1/10,000),
direction of the resting order (1 buy, -1 sell). Types: 1 new, 2 partial cancel, 3 delete, 4 visible
execution, 5 hidden execution, 6 cross, 7 halt. Takers are not recorded: each execution is entered
as an immediate order of its own from the other side.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from cambist.client.enums import Side
from cambist.client.errors import InvalidInput
from cambist.replay.bitstamp import open_text
from cambist.replay.flow import Change, Enter, Flow, Note, Remove, Scale, Trade

SCALE: Final = Scale(price_decimals=4, quantity_decimals=0)
NANOSECOND_DIGITS: Final = 9
COLUMNS: Final = 6
NEW, REDUCE, DELETE, EXECUTE, HIDDEN, CROSS, HALT = range(1, 8)
# Above every id of an exchange: orders that the recording does not name.
FIRST_SYNTHETIC_ORDER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Message:
    """One row."""

    row: int
    time_ns: int
    kind: int
    order: int
    size: int
    price: int
    side: Side


class Translator:
    """Rows to commands."""

    def __init__(self) -> None:
        self.flow = Flow(SCALE)
        self._open: dict[int, int] = {}
        # Executed quantity of orders that are open.
        self._filled: defaultdict[int, int] = defaultdict(int)
        self._next_synthetic = FIRST_SYNTHETIC_ORDER

    def begin(self, messages: Sequence[Message]) -> None:
        """Orders that the recording names and never enters rested before it: they come first."""
        entered = {message.order for message in messages if message.kind == NEW}
        before: dict[int, tuple[Message, int]] = {}
        for message in messages:
            if message.kind in (REDUCE, DELETE, EXECUTE) and message.order not in entered:
                first, size = before.get(message.order, (message, 0))
                before[message.order] = first, size + message.size
        for order in sorted(before):
            first, size = before[order]
            self.flow.note(Note.RESTED_BEFORE, order)
            self._enter(Message(0, first.time_ns, NEW, order, size, first.price, first.side))

    def take(self, message: Message) -> None:
        """One row."""
        self.flow.rows += 1
        match message.kind:
            case 1:
                self._enter(message)
            case 2 | 3:
                self._reduce(message)
            case 4:
                self._execute(message)
            case 5:
                self._unseen(message, Note.HIDDEN_ORDER)
            case 6:
                self._unseen(message, Note.CROSS)
            case _:
                self.flow.note(Note.HALT, message.order)

    def _enter(self, message: Message) -> None:
        if message.order in self._open:
            self.flow.note(Note.ENTERED_TWICE, message.order)
            return
        self._open[message.order] = message.size
        self._filled.pop(message.order, None)
        self.flow.commands.append(
            Enter(
                message.row,
                message.time_ns,
                message.order,
                message.side,
                message.price,
                message.size,
                is_post_only=True,
            )
        )

    def _reduce(self, message: Message) -> None:
        left = self._open.get(message.order, 0) - message.size
        if message.order not in self._open:
            self.flow.note(Note.UNKNOWN_ORDER, message.order)
            return
        if message.kind == DELETE or left <= 0:
            del self._open[message.order]
            self.flow.commands.append(Remove(message.row, message.time_ns, message.order))
            return
        self._open[message.order] = left
        self.flow.commands.append(
            Change(
                message.row,
                message.time_ns,
                message.order,
                message.price,
                left,
                self._filled[message.order],
            )
        )

    def _execute(self, message: Message) -> None:
        if message.order not in self._open:
            self.flow.note(Note.UNKNOWN_ORDER, message.order)
        else:
            self._open[message.order] -= message.size
            self._filled[message.order] += message.size
            if self._open[message.order] <= 0:
                del self._open[message.order]
        taker = self._synthetic()
        side = Side.SELL if message.side is Side.BUY else Side.BUY
        self.flow.commands.append(
            Enter(
                message.row,
                message.time_ns,
                taker,
                side,
                message.price,
                message.size,
                is_immediate=True,
            )
        )
        self._trade(message, message.order, taker)

    def _unseen(self, message: Message, note: Note) -> None:
        """A trade that the displayed book did not make: expected, and its difference is named."""
        order = message.order or self._synthetic()
        self.flow.note(note, order)
        self._trade(message, order, self._synthetic())

    def _trade(self, message: Message, maker: int, taker: int) -> None:
        buy, sell = (maker, taker) if message.side is Side.BUY else (taker, maker)
        self.flow.trades.append(
            Trade(message.price, message.size, buy, sell, message.time_ns, message.row, taker)
        )

    def _synthetic(self) -> int:
        order, self._next_synthetic = self._next_synthetic, self._next_synthetic + 1
        return order


def translate(messages: Sequence[Message]) -> Flow:
    """The flow of all messages of a recording."""
    translator = Translator()
    translator.begin(messages)
    for message in messages:
        translator.take(message)
    return translator.flow


def read_messages(path: Path) -> Iterator[Message]:
    """Rows as they stand. Raises InvalidInput."""
    with open_text(path) as file:
        for number, row in enumerate(csv.reader(file), start=1):
            try:
                if len(row) < COLUMNS:
                    raise ValueError(f"{len(row)} columns")  # noqa: TRY301 - named below
                kind, order, size, price, direction = (int(text) for text in row[1:COLUMNS])
                time_ns = int(Decimal(row[0]).scaleb(NANOSECOND_DIGITS))
                side = {1: Side.BUY, -1: Side.SELL}[direction]
            except (ValueError, KeyError, InvalidOperation) as error:
                raise InvalidInput("BAD_FILE", f"{path} row {number}: {error}") from error
            yield Message(number, time_ns, kind, order, size, price, side)
