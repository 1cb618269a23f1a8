"""What a client writes down while it trades, and how the checker reads it again.

A log is one line of JSON (who), then records of one fixed size: each command before it is sent,
each event as the SDK told it. A log is written by one process, only appended to, and flushed when
the client ends. The last word (the client's own view) is a JSON file beside it.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

RECORD: Final = struct.Struct("<BBHIQQQQqqqqQQ16s16s")
READ_RECORDS: Final = 4_096
SENT: Final = 1
EVENT: Final = 2

# Codes of events, for both kinds of readers.
ACCEPTED: Final = 1
FILLED: Final = 2
CANCELED: Final = 3
REPLACED: Final = 4
REFUSED: Final = 5
EXPIRED: Final = 6
RESTATED: Final = 7
MASS_CANCELED: Final = 8
RESOLVED: Final = 9
PREVENTED: Final = 10
MONEY: Final = 11
STATUS: Final = 12
# Added to the code of an answer that repeats an earlier one.
REPEAT: Final = 128

NO_ID: Final = bytes(16)
_MASK_64: Final = (1 << 64) - 1


class Record(NamedTuple):
    """One line of a log. What a field means depends on `code`; unused ones are zero."""

    kind: int
    code: int
    reason: int
    market_id: int
    account_id: int
    account_seq: int
    seq: int
    order_id: int
    leaves_lots: int
    cum_lots: int
    lots: int
    price_ticks: int
    trade_id: int
    # Low 64 bits of fee or amount.
    amount_atoms: int
    id: bytes
    request_id: bytes


def sent(account_id: int, command_id: bytes, code: int = 0) -> Record:
    """A command is about to be sent."""
    return Record(SENT, code, 0, 0, account_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, command_id, NO_ID)


def event(  # noqa: PLR0913 - one argument per column
    code: int,
    account_id: int,
    account_seq: int,
    seq: int,
    *,
    reason: int = 0,
    market_id: int = 0,
    order_id: int = 0,
    leaves_lots: int = 0,
    cum_lots: int = 0,
    lots: int = 0,
    price_ticks: int = 0,
    trade_id: int = 0,
    amount_atoms: int = 0,
    id: bytes = b"",  # noqa: A002 - the column's name
    request_id: bytes = b"",
) -> Record:
    """An event that a client was told."""
    return Record(
        EVENT,
        code,
        reason,
        market_id,
        account_id,
        account_seq,
        seq,
        order_id,
        leaves_lots,
        cum_lots,
        lots,
        price_ticks,
        trade_id,
        amount_atoms & _MASK_64,
        id.ljust(16, b"\0"),
        request_id.ljust(16, b"\0"),
    )


@dataclass(frozen=True, slots=True)
class Header:
    """Who wrote a log: accounts are in one log only."""

    client: str
    account_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FinalView:
    """A client's last word, computed by the client from what it was told.

    `open_orders`: order id → (account, leaves, cum). `complete` = it has heard every answer.
    """

    open_orders: dict[int, tuple[int, int, int]]
    # (account, asset) → (available, held), as last told by the balance query.
    balances: dict[tuple[int, int], tuple[int, int]]
    complete: bool


class LogWriter:
    """Appends records; the operating system's buffer is the only one after `flush`."""

    def __init__(self, path: Path, header: Header) -> None:
        self._file: BinaryIO = path.open("wb", buffering=1 << 16)
        self._file.write(json.dumps(asdict(header)).encode() + b"\n")
        self._path = path

    def write(self, record: Record) -> None:
        """Appends one record."""
        self._file.write(RECORD.pack(*record))

    def close(self, view: FinalView) -> None:
        """Ends the log with the client's view."""
        self._file.close()
        write_view(self._path, view)


def write_view(log: Path, view: FinalView) -> None:
    """Writes a client's last word beside its log."""
    content: dict[str, Any] = {
        "complete": view.complete,
        "open_orders": {str(key): value for key, value in view.open_orders.items()},
        "balances": [[*key, *map(str, value)] for key, value in view.balances.items()],
    }
    view_path(log).write_text(json.dumps(content))


def view_path(log: Path) -> Path:
    """Where the view of a log lies."""
    return log.with_suffix(".view.json")


def read_header(path: Path) -> Header:
    """Who wrote this log."""
    with path.open("rb") as file:
        content = json.loads(file.readline())
    return Header(content["client"], tuple(content["account_ids"]))


def read_records(path: Path) -> Iterator[Record]:
    """The records in the order they were written; a torn last one is left out."""
    with path.open("rb") as file:
        file.readline()
        while chunk := file.read(RECORD.size * READ_RECORDS):
            whole = len(chunk) - len(chunk) % RECORD.size
            for values in RECORD.iter_unpack(chunk[:whole]):
                yield Record._make(values)


def read_view(path: Path) -> FinalView | None:
    """The client's last word, or None when it never came to it."""
    place = view_path(path)
    if not place.exists():
        return None
    content = json.loads(place.read_text())
    orders = {int(key): (v[0], v[1], v[2]) for key, v in content["open_orders"].items()}
    balances = {(b[0], b[1]): (int(b[2]), int(b[3])) for b in content["balances"]}
    return FinalView(orders, balances, content["complete"])
