"""Databento DBN files, written here with Databento's own encoder."""

from collections.abc import Sequence
from pathlib import Path

import databento_dbn as dbn
import pytest

from cambist.client.enums import Side
from cambist.client.errors import InvalidInput
from cambist.replay.compare import compare
from cambist.replay.files import Format, format_of, read_flow
from cambist.replay.flow import Change, Enter, Flow, Note, Remove
from cambist.replay.lobster import FIRST_SYNTHETIC_ORDER
from cambist.replay.paper import PaperVenue

Row = tuple[str, str, int, int, int]
PRICE = 5_000_250_000_000
BID, ASK = 1, 2


def write(path: Path, rows: Sequence[Row], instrument_ids: Sequence[int] = ()) -> Path:
    metadata = dbn.Metadata(
        dataset="GLBX.MDP3",
        start=1,
        stype_in=dbn.SType.from_str("raw_symbol"),
        stype_out=dbn.SType.from_str("instrument_id"),
        schema=dbn.Schema.from_str("mbo"),
    )
    encoded = bytes(metadata)
    for index, (action, side, order, price, size) in enumerate(rows):
        message = dbn.MBOMsg(
            publisher_id=1,
            instrument_id=instrument_ids[index] if instrument_ids else 5,
            ts_event=1_000 + index,
            order_id=order,
            price=price,
            size=size,
            action=dbn.Action.from_str(action),
            side=dbn.Side.from_str(side),
            ts_recv=2_000 + index,
        )
        encoded += bytes(message)
    path.write_bytes(encoded)
    return path


def flow_of(folder: Path, *rows: Row) -> Flow:
    path = write(folder / "es.mbo.dbn", rows)
    assert format_of(path) is Format.DBN
    return read_flow(path)


def test_a_fill_trades_again_and_its_cancel_is_left_out(tmp_path: Path) -> None:
    flow = flow_of(
        tmp_path,
        ("A", "B", BID, PRICE, 10),
        ("T", "A", 0, PRICE, 4),
        ("F", "B", BID, PRICE, 4),
        ("C", "B", BID, PRICE, 4),
        ("C", "B", BID, PRICE, 6),
    )
    assert flow.commands == [
        Enter(1, 1_000, BID, Side.BUY, PRICE, 10, is_post_only=True),
        Enter(3, 1_002, FIRST_SYNTHETIC_ORDER, Side.SELL, PRICE, 4, is_immediate=True),
        Remove(5, 1_004, BID),
    ]
    comparison = compare(flow, PaperVenue().play(flow.commands))
    assert (comparison.expected, comparison.equal, comparison.differences) == (1, 1, [])


def test_a_modification_after_a_fill_counts_what_was_filled(tmp_path: Path) -> None:
    flow = flow_of(
        tmp_path,
        ("A", "A", ASK, PRICE, 10),
        ("F", "A", ASK, PRICE, 4),
        # Tells what the fill left: nothing to do.
        ("M", "A", ASK, PRICE, 6),
        ("M", "A", ASK, PRICE + 1, 9),
    )
    assert flow.commands[2:] == [Change(4, 1_003, ASK, PRICE + 1, 9, filled=4)]


def test_a_partial_cancel_is_a_change(tmp_path: Path) -> None:
    flow = flow_of(tmp_path, ("A", "A", ASK, PRICE, 10), ("C", "A", ASK, PRICE, 3))
    assert flow.commands[1:] == [Change(2, 1_001, ASK, PRICE, 7)]


def test_a_cleared_book_removes_all_and_is_noted(tmp_path: Path) -> None:
    flow = flow_of(
        tmp_path, ("A", "A", ASK, PRICE, 1), ("A", "B", BID, PRICE - 1, 1), ("R", "N", 0, PRICE, 0)
    )
    assert [type(command) for command in flow.commands[2:]] == [Remove, Remove]
    assert sorted(flow.notes[Note.HALT]) == [BID, ASK]


@pytest.mark.parametrize("price", [0, -PRICE, dbn.UNDEF_PRICE])
def test_a_price_that_a_market_cannot_hold_is_named(tmp_path: Path, price: int) -> None:
    with pytest.raises(InvalidInput, match="record 1"):
        flow_of(tmp_path, ("A", "A", ASK, price, 1))


def test_several_instruments_are_refused(tmp_path: Path) -> None:
    rows = [("A", "A", ASK, PRICE, 1), ("A", "B", BID, PRICE - 1, 1)]
    path = write(tmp_path / "two.dbn", rows, instrument_ids=[5, 6])
    with pytest.raises(InvalidInput, match="several instruments"):
        read_flow(path)


def test_a_file_that_is_not_dbn_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.dbn"
    path.write_bytes(b"not at all")
    with pytest.raises(InvalidInput, match=r"broken\.dbn"):
        read_flow(path)
