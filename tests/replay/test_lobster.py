"""LOBSTER rows: executions are entered as orders from the other side, and trade again."""

from pathlib import Path

import pytest

from cambist.client.enums import Side
from cambist.client.errors import InvalidInput
from cambist.replay.compare import Cause, compare
from cambist.replay.files import Format, format_of, read_flow
from cambist.replay.flow import Change, Enter, Flow, Note
from cambist.replay.lobster import FIRST_SYNTHETIC_ORDER
from cambist.replay.paper import PaperVenue

BUYER, SELLER = 7, 8


def flow_of(folder: Path, *rows: str) -> Flow:
    path = folder / "AAPL_message_10.csv"
    path.write_text("\n".join(rows) + "\n")
    assert format_of(path) is Format.LOBSTER
    return read_flow(path)


def test_an_execution_comes_out_as_a_trade_of_the_resting_order(tmp_path: Path) -> None:
    flow = flow_of(
        tmp_path,
        f"34200.000000001,1,{BUYER},100,5853300,1",
        f"34200.5,2,{BUYER},30,5853300,1",
        f"34201.0,4,{BUYER},50,5853300,1",
        f"34202.0,2,{BUYER},5,5853300,1",
        f"34203.0,3,{BUYER},15,5853300,1",
    )
    entered = flow.commands[0]
    assert isinstance(entered, Enter)
    assert (entered.time_ns, entered.side) == (34_200_000_000_001, Side.BUY)
    taker = flow.commands[2]
    assert taker == Enter(
        3,
        34_201_000_000_000,
        FIRST_SYNTHETIC_ORDER,
        Side.SELL,
        5_853_300,
        50,
        is_immediate=True,
    )
    assert flow.commands[3] == Change(4, 34_202_000_000_000, BUYER, 5_853_300, 15, filled=50)
    assert [trade.identity for trade in flow.trades] == [
        (5_853_300, 50, BUYER, FIRST_SYNTHETIC_ORDER)
    ]
    assert compare(flow, PaperVenue().play(flow.commands)).equal == 1


def test_orders_from_before_the_recording_are_entered_first(tmp_path: Path) -> None:
    flow = flow_of(
        tmp_path, f"1.0,4,{SELLER},10,200,-1", f"2.0,4,{SELLER},20,200,-1", "3.0,3,9,5,100,1"
    )
    first, second = flow.commands[:2]
    assert isinstance(first, Enter)
    assert isinstance(second, Enter)
    assert (first.order, first.quantity, second.order) == (SELLER, 30, 9)
    assert flow.notes[Note.RESTED_BEFORE] == [SELLER, 9]
    comparison = compare(flow, PaperVenue().play(flow.commands))
    assert (comparison.equal, comparison.differences) == (2, [])


@pytest.mark.parametrize(
    ("kind", "note", "cause"),
    [(5, Note.HIDDEN_ORDER, Cause.HIDDEN_ORDER), (6, Note.CROSS, Cause.CROSS)],
)
def test_trades_outside_the_displayed_book_differ_for_a_named_cause(
    tmp_path: Path, kind: int, note: Note, cause: Cause
) -> None:
    flow = flow_of(tmp_path, f"1.0,{kind},0,10,200,-1")
    assert len(flow.notes[note]) == 1
    assert compare(flow, PaperVenue().play(flow.commands)).causes == {cause: 1}


def test_a_halt_is_noted(tmp_path: Path) -> None:
    flow = flow_of(tmp_path, "1.0,7,0,0,-1,-1")
    assert list(flow.notes) == [Note.HALT]
    assert flow.commands == []


@pytest.mark.parametrize("row", ["1.0,1,7,100,200,2", "x,1,7,100,200,1"])
def test_a_faulty_row_is_named(tmp_path: Path, row: str) -> None:
    with pytest.raises(InvalidInput, match="row 2"):
        flow_of(tmp_path, "1.0,1,7,100,200,1", row)
