"""Bitstamp rows become what their owners did; executions are left to the venue."""

import gzip
from pathlib import Path

import pytest

from cambist.client.enums import Side
from cambist.client.errors import InvalidInput
from cambist.replay.compare import Cause, compare
from cambist.replay.files import read_flow
from cambist.replay.flow import Change, Enter, Flow, Note, Remove
from cambist.replay.paper import PaperVenue

HEADER = "id,timestamp,exchange_timestamp,price,volume,action,direction"
TRADES_HEADER = "trade_id,timestamp,exchange_timestamp,price,amount,buy_order_id,sell_order_id,side"
MAKER, TAKER = 11, 12


def flow_of(folder: Path, rows: list[str], trades: list[str]) -> Flow:
    orders = folder / "x-orders.csv"
    orders.write_text("\n".join([HEADER, *rows]) + "\n")
    (folder / "x-trades.csv").write_text("\n".join([TRADES_HEADER, *trades]) + "\n")
    return read_flow(orders)


def test_a_taker_trades_and_its_maker_is_reduced_by_the_venue(tmp_path: Path) -> None:
    flow = flow_of(
        tmp_path,
        [
            f"{MAKER},1,1,100.5,2.0,created,ask",
            f"{TAKER},2,2,100.5,0.5,created,bid",
            f"{MAKER},2,2,100.5,1.5,changed,ask",
            f"{TAKER},2,2,100.5,0.0,deleted,bid",
            f"{MAKER},3,3,100.5,1.5,deleted,ask",
        ],
        [f"1,2,2,100.5,0.5,{TAKER},{MAKER},buy"],
    )
    assert flow.commands == [
        Enter(2, 1_000_000, MAKER, Side.SELL, 10_050, 200_000_000, is_post_only=True),
        Enter(3, 2_000_000, TAKER, Side.BUY, 10_050, 50_000_000),
        Remove(6, 3_000_000, MAKER),
    ]
    assert [trade.identity for trade in flow.trades] == [(10_050, 50_000_000, TAKER, MAKER)]
    comparison = compare(flow, PaperVenue().play(flow.commands))
    assert (comparison.equal, comparison.differences) == (1, [])


def test_a_reduction_that_no_trade_names_is_the_owners(tmp_path: Path) -> None:
    flow = flow_of(
        tmp_path,
        [
            f"{MAKER},1,1,100.5,2.0,created,ask",
            f"{TAKER},2,2,100.5,0.5,created,bid",
            f"{MAKER},2,2,100.5,1.5,changed,ask",
            f"{MAKER},3,3,100.5,1.0,changed,ask",
        ],
        [f"1,2,2,100.5,0.5,{TAKER},{MAKER},buy"],
    )
    change = flow.commands[-1]
    assert change == Change(5, 3_000_000, MAKER, 10_050, 100_000_000, filled=50_000_000)


def test_an_order_by_value_gets_the_quantity_of_its_trades(tmp_path: Path) -> None:
    flow = flow_of(
        tmp_path,
        [f"{MAKER},1,1,100,2,created,ask", f"{TAKER},2,2,0,0,created,bid"],
        [f"1,2,2,100,0.25,{TAKER},{MAKER},buy", f"2,2,2,100,0.5,{TAKER},{MAKER},buy"],
    )
    assert flow.commands[-1] == Enter(
        3, 2_000_000, TAKER, Side.BUY, 0, 75_000_000, is_immediate=True
    )
    assert flow.notes[Note.ENTERED_BY_VALUE] == [TAKER]


def test_an_order_that_others_rest_across_was_gone(tmp_path: Path) -> None:
    ghost, bid = 20, 21
    flow = flow_of(
        tmp_path,
        [
            f"{ghost},1,1,100,1,created,ask",
            f"{bid},2,2,101,1,created,bid",
            f"{bid},9,9,101,1,deleted,bid",
            "30,9,9,50,1,created,bid",
            f"{ghost},10,10,100,1,deleted,ask",
        ],
        [],
    )
    assert flow.notes[Note.GHOST] == [ghost]
    removed = [command.order for command in flow.commands if isinstance(command, Remove)]
    assert removed[0] == ghost
    assert PaperVenue().play(flow.commands) == []


def test_the_cause_of_a_trade_with_a_ghost_is_named(tmp_path: Path) -> None:
    flow = flow_of(
        tmp_path,
        [f"{MAKER},1,1,100,1,created,ask", f"{TAKER},2,2,100,1,created,bid"],
        [f"1,2,2,100,1,{TAKER},99,buy"],
    )
    comparison = compare(flow, PaperVenue().play(flow.commands))
    assert comparison.causes == {Cause.TRADE_BEFORE_ENTRY: 2}


def test_compressed_files_are_read(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a-orders.csv.gz", "wt") as file:
        file.write(f"{HEADER}\n{MAKER},1,1,100,1,created,ask\n")
    with gzip.open(tmp_path / "a-trades.csv.gz", "wt") as file:
        file.write(f"{TRADES_HEADER}\n1,2,2,100,1,{TAKER},{MAKER},buy\n")
    flow = read_flow(tmp_path / "a-orders.csv.gz")
    # The trade is later than the last row.
    assert (flow.rows, flow.trades) == (1, [])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"{MAKER},1,1,100.123,1,created,ask", "row 2"),
        (f"{MAKER},1,1,100,-1,created,ask", "row 2"),
        (f"{MAKER},1,1,NaN,1,created,ask", "row 2"),
        (f"{MAKER},1,x,100,1,created,ask", "row 2"),
        (f"{MAKER},1,1,100,1,created,middle", "row 2"),
        (f"{MAKER},1", "row 2"),
    ],
)
def test_a_faulty_row_is_named(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as caught:
        flow_of(tmp_path, [row], [])
    assert caught.value.reason == "BAD_FILE"


def test_missing_trades_are_a_named_fault(tmp_path: Path) -> None:
    orders = tmp_path / "x-orders.csv"
    orders.write_text(HEADER + "\n")
    with pytest.raises(InvalidInput, match="x-trades"):
        read_flow(orders)
