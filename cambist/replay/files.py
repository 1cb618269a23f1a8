"""Which reader a recording needs, and its flow. Called by the command line and by tests."""

from enum import Enum
from itertools import islice
from pathlib import Path

from cambist.client.errors import InvalidInput
from cambist.replay import bitstamp, limits, lobster, mbo
from cambist.replay.flow import Flow


class Format(Enum):
    """What can be read."""

    BITSTAMP = "bitstamp"
    LOBSTER = "lobster"
    DBN = "dbn"


def format_of(path: Path) -> Format:
    """The format by name and first line. Raises InvalidInput."""
    if ".dbn" in path.suffixes:
        return Format.DBN
    try:
        with bitstamp.open_text(path) as file:
            first = file.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("BAD_FILE", f"{path}: {error}") from error
    columns = first.strip().split(",")
    if set(columns) >= bitstamp.ORDER_COLUMNS:
        return Format.BITSTAMP
    if len(columns) >= lobster.COLUMNS and columns[1].isdigit():
        return Format.LOBSTER
    raise InvalidInput("BAD_FILE", f"{path} is neither Bitstamp, LOBSTER nor DBN: name its format")


def read_flow(
    path: Path,
    file_format: Format | None = None,
    *,
    trades_path: Path | None = None,
    rows_max: int = limits.ROWS_MAX,
) -> Flow:
    """The flow of a recording's first rows. Raises InvalidInput that names file and fault.

    `trades_path`: Bitstamp's trades; by default the file beside, by its name.
    """
    try:
        match file_format or format_of(path):
            case Format.BITSTAMP:
                trades = bitstamp.read_trades(trades_path or bitstamp.trades_beside(path))
                rows = list(islice(bitstamp.read_orders(path), rows_max))
                end_ns = rows[-1].time_ns if rows else 0
                return bitstamp.translate(
                    rows, [trade for trade in trades if trade.time_ns <= end_ns]
                )
            case Format.LOBSTER:
                return lobster.translate(list(islice(lobster.read_messages(path), rows_max)))
            case Format.DBN:
                return mbo.translate(islice(mbo.read_records(path), rows_max))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput("BAD_FILE", f"{path}: {error}") from error
