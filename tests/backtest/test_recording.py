"""Recordings on the engine itself."""

import pytest

from cambist.backtest.recording import load
from cambist.client.enums import RejectReason, Side
from cambist.replay.flow import Change, Enter, Flow, Remove, Scale

pytest.importorskip("cambist_kernel", reason="the kernel: make kernel")


def flow() -> Flow:
    """A maker, a change, a taker, a removal of what is left."""
    return Flow(
        Scale(2, 8),
        [
            Enter(1, 50, 71, Side.SELL, 1_000, 500),
            # Recorders repeat a time, and some go back a little.
            Change(2, 40, 71, 1_001, 400),
            Enter(3, 60, 72, Side.BUY, 1_001, 100, is_immediate=True),
            Enter(4, 60, 73, Side.BUY, 0, 50),
            Remove(5, 70, 71),
        ],
    )


def test_a_recording_plays_with_its_own_numbers() -> None:
    loaded = load(flow(), pairs=2)
    assert loaded.test.time_ns == 50
    assert loaded.test.play(loaded.orders) == 5
    results = loaded.test.take()
    assert results.trades["price_ticks"].tolist() == [1_001, 1_001]
    assert results.trades["quantity_lots"].tolist() == [100, 50]
    assert set(results.fills["order"].tolist()) == {71, 72, 73}
    assert loaded.test.book(loaded.market).asks == ()
    assert len(results.rejected) == 0


def test_removing_what_is_gone_is_refused_and_told() -> None:
    gone = flow()
    gone.commands.append(Remove(6, 80, 71))
    loaded = load(gone)
    loaded.test.play(loaded.orders)
    rejected = loaded.test.take().rejected
    assert rejected["reject_reason"].tolist() == [RejectReason.ORDER_CLOSED]
    assert rejected["order"].tolist() == [71]


def test_an_empty_recording_is_no_orders() -> None:
    loaded = load(Flow(Scale(0, 0)))
    assert loaded.test.play(loaded.orders) == 0
