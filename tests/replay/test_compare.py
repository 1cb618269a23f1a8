"""Every difference has a cause of the closed list; what has none is unexplained."""

import pytest

from cambist.replay.compare import EXPLAINING, Cause, compare, subtract
from cambist.replay.flow import Flow, Note, Scale, Trade
from cambist.replay.orders import Fit
from tests.replay.engine_player import market_for

BUYER, SELLER, OTHER = 1, 2, 3
SCALE = Scale(price_decimals=2, quantity_decimals=8)


def trade(price: int = 100, quantity: int = 5, seller: int = SELLER, taker: int = BUYER) -> Trade:
    return Trade(price, quantity, BUYER, seller, taker=taker)


def flow_with(*trades: Trade) -> Flow:
    return Flow(SCALE, trades=list(trades))


def test_equal_trades_are_equal_one_for_one() -> None:
    twice = [trade(), trade()]
    assert compare(flow_with(*twice), twice).equal == 2
    once = compare(flow_with(*twice), [trade()])
    assert (once.equal, once.equal_share) == (1, 0.5)
    assert subtract(twice, [trade()]) == [trade()]


def test_a_recording_without_trades_is_wholly_equal() -> None:
    assert compare(flow_with(), []).equal_share == 1.0


@pytest.mark.parametrize(
    ("came_out", "differences"),
    [([], 1), ([trade(price=101)], 2), ([trade(quantity=4)], 2), ([trade(), trade()], 1)],
)
def test_what_nothing_explains_is_unexplained(came_out: list[Trade], differences: int) -> None:
    comparison = compare(flow_with(trade()), came_out)
    assert comparison.unexplained == len(comparison.differences) == differences


@pytest.mark.parametrize("note", EXPLAINING)
def test_a_note_on_an_order_explains_its_trades_and_those_it_touches(note: Note) -> None:
    flow = flow_with(trade())
    flow.note(note, OTHER)
    comparison = compare(flow, [trade(seller=OTHER, quantity=3)])
    assert comparison.causes == {EXPLAINING[note]: 2}


@pytest.mark.parametrize("note", [Note.RESTED_BEFORE, Note.ENTERED_BY_VALUE])
def test_notes_that_change_no_trade_explain_none(note: Note) -> None:
    flow = flow_with(trade())
    flow.note(note, BUYER)
    assert compare(flow, []).unexplained == 1


def test_a_note_on_an_order_that_trades_as_recorded_explains_nothing() -> None:
    flow = flow_with(trade(), Trade(100, 1, 8, 9, taker=8))
    flow.note(Note.GHOST, BUYER)
    comparison = compare(flow, [trade()])
    assert (comparison.equal, comparison.unexplained) == (1, 1)


def test_another_maker_of_the_same_price_is_a_matter_of_the_queue() -> None:
    comparison = compare(flow_with(trade()), [trade(seller=OTHER)])
    assert comparison.causes == {Cause.QUEUE_PLACE: 2}
    worse = compare(flow_with(trade()), [trade(seller=OTHER, price=101)])
    assert worse.unexplained == 2


def test_a_refused_order_explains_its_trades() -> None:
    comparison = compare(flow_with(trade()), [], {BUYER: "INSUFFICIENT_FUNDS"})
    assert comparison.causes == {Cause.REFUSED: 1}


def test_a_market_fits_a_recording_only_exactly() -> None:
    market = market_for(SCALE)
    assert Fit.of(market, SCALE) == Fit(market.market_id, 1, 1)
    assert Fit.of(market, Scale(0, 6)) == Fit(market.market_id, 100, 100)
    with pytest.raises(Exception, match="DOES_NOT_FIT"):
        Fit.of(market, Scale(3, 8))
