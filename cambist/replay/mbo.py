"""Databento DBN files of schema MBO into a flow; needs the package `databento-dbn`.

A fill names the resting order and does not change the book; the cancel that follows it does. So a
fill is entered as an immediate order from the other side, and its cancel is left out. Takers are
not named by fills; they get numbers of their own.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cambist.client.enums import Side
from cambist.client.errors import InvalidInput
from cambist.replay.flow import Change, Enter, Flow, Note, Remove, Scale, Trade
from cambist.replay.lobster import FIRST_SYNTHETIC_ORDER

SCALE: Final = Scale(price_decimals=9, quantity_decimals=0)
CHUNK_BYTES: Final = 1 << 20
# In 10^-9 units of money: what a market of that tick can hold.
PRICE_MAX: Final = 1 << 53
PRICED: Final = frozenset("AMF")
SIDES: Final = {"B": Side.BUY, "A": Side.SELL}


@dataclass(slots=True)
class Resting:
    """An order while its records are read."""

    side: Side
    price: int
    left: int
    filled: int = 0


class Translator:
    """Records of one instrument to commands."""

    def __init__(self) -> None:
        self.flow = Flow(SCALE)
        self._open: dict[int, Resting] = {}
        # Filled quantity whose cancel has not come yet.
        self._awaited: Counter[int] = Counter()
        self._next_synthetic = FIRST_SYNTHETIC_ORDER
        self.instrument_id = 0

    def take(self, record: Any) -> None:
        """One MBO record. Raises InvalidInput: several instruments, a price that is none."""
        self.instrument_id = self.instrument_id or record.instrument_id
        if record.instrument_id != self.instrument_id:
            raise InvalidInput("BAD_FILE", "several instruments in one file: give one")
        self.flow.rows += 1
        action = str(record.action)
        if action in PRICED and not 0 < record.price <= PRICE_MAX:
            text = f"record {self.flow.rows}: price {record.price} is not in 1 to {PRICE_MAX}"
            raise InvalidInput("BAD_FILE", text)
        match action:
            case "A":
                self._add(record)
            case "C":
                self._cancel(record)
            case "M":
                self._modify(record)
            case "F":
                self._fill(record)
            case "R":
                self._clear(record)
            case _:
                # Trades are told by their fills; the rest is no change.
                pass

    def _add(self, record: Any) -> None:
        side = SIDES.get(str(record.side))
        if side is None or record.order_id in self._open:
            self.flow.note(Note.ENTERED_TWICE, record.order_id)
            return
        self._open[record.order_id] = Resting(side, record.price, record.size)
        self.flow.commands.append(
            Enter(
                self.flow.rows,
                record.ts_event,
                record.order_id,
                side,
                record.price,
                record.size,
                is_post_only=True,
            )
        )

    def _cancel(self, record: Any) -> None:
        order = record.order_id
        executed = min(self._awaited[order], record.size)
        self._awaited[order] -= executed
        if executed and executed == record.size:
            return
        resting = self._open.get(order)
        if resting is None:
            self.flow.note(Note.UNKNOWN_ORDER, order)
            return
        resting.left -= record.size - executed
        if resting.left <= 0:
            del self._open[order]
            self.flow.commands.append(Remove(self.flow.rows, record.ts_event, order))
        else:
            self._change(record, resting)

    def _modify(self, record: Any) -> None:
        resting = self._open.get(record.order_id)
        if resting is None:
            self.flow.note(Note.UNKNOWN_ORDER, record.order_id)
            return
        self._awaited.pop(record.order_id, None)
        if (record.price, record.size) == (resting.price, resting.left):
            # It tells what a fill left.
            return
        resting.price, resting.left = record.price, record.size
        self._change(record, resting)

    def _change(self, record: Any, resting: Resting) -> None:
        self.flow.commands.append(
            Change(
                self.flow.rows,
                record.ts_event,
                record.order_id,
                resting.price,
                resting.left,
                resting.filled,
            )
        )

    def _fill(self, record: Any) -> None:
        maker_side = SIDES.get(str(record.side))
        if maker_side is None:
            self.flow.note(Note.CROSS, record.order_id)
            return
        order = record.order_id
        resting = self._open.get(order)
        if resting is None:
            self.flow.note(Note.TRADE_BEFORE_ENTRY, order)
        else:
            resting.left -= record.size
            resting.filled += record.size
            self._awaited[order] += record.size
            if resting.left <= 0:
                del self._open[order]
        taker, self._next_synthetic = self._next_synthetic, self._next_synthetic + 1
        taker_side = Side.SELL if maker_side is Side.BUY else Side.BUY
        row, time_ns = self.flow.rows, record.ts_event
        self.flow.commands.append(
            Enter(row, time_ns, taker, taker_side, record.price, record.size, is_immediate=True)
        )
        buy, sell = (order, taker) if maker_side is Side.BUY else (taker, order)
        self.flow.trades.append(Trade(record.price, record.size, buy, sell, time_ns, row, taker))

    def _clear(self, record: Any) -> None:
        for order in self._open:
            self.flow.note(Note.HALT, order)
            self.flow.commands.append(Remove(self.flow.rows, record.ts_event, order))
        self._open.clear()
        self._awaited.clear()


def translate(records: Iterable[Any]) -> Flow:
    """The flow of all records. Raises InvalidInput."""
    translator = Translator()
    for record in records:
        translator.take(record)
    return translator.flow


def read_records(path: Path) -> Iterator[Any]:
    """MBO records of a file. Raises InvalidInput."""
    try:
        import databento_dbn as dbn
    except ImportError as error:
        text = "DBN files need the package databento-dbn: pip install 'cambist[replay]'"
        raise InvalidInput("MISSING_PACKAGE", text) from error
    compression = dbn.Compression.from_str("zstd" if path.suffix == ".zst" else "none")
    decoder = dbn.DBNDecoder(compression=compression)
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                for record in decoder.write_and_decode(chunk):
                    if isinstance(record, dbn.MBOMsg):
                        yield record
    except dbn.DBNError as error:
        raise InvalidInput("BAD_FILE", f"{path}: {error}") from error
