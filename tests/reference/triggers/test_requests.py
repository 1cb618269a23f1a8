"""Section 6: cancels, amendments, timers, kill switches and cursors on waiting orders."""

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from matching.reference import limits
from tests.differential.flow.messages import amount
from tests.reference.triggers.orders import (
    GTD,
    STOP,
    STOP_LIMIT,
    conditional,
    trade_at,
    waiting_ids,
)
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    MARKET,
    OTHER_MARKET,
    QUOTE,
    SECOND_NS,
    SELL,
    WEALTH,
    Venue,
)


def test_a_waiting_order_is_cancelled_by_either_name(second_venue: Venue) -> None:
    venue = second_venue
    sent = conditional(venue, STOP, SELL, 90)
    [report] = venue.send(sent).reports(FIRST)
    told = venue.send(venue.cancel(FIRST, sent.cl_ord_id))
    assert told.lines(FIRST) == ["CANCELED REQUESTED 1 cum 0"]
    assert told.l3(MARKET) == []
    late = venue.send(venue.cancel(FIRST, sent.cl_ord_id))
    assert late.lines(FIRST) == ["CANCEL REJECTED ORDER_CLOSED"]
    late = venue.send(venue.cancel(FIRST, report.order_id))
    assert late.lines(FIRST) == ["CANCEL REJECTED UNKNOWN_ORDER"]
    assert trade_at(venue, 50).lines(FIRST) == []


def test_a_mass_cancel_takes_waiting_and_resting_orders_by_number(second_venue: Venue) -> None:
    venue = second_venue
    venue.send(conditional(venue, STOP, SELL, 90, 1))
    venue.place(FIRST, SELL, 200, 2)
    venue.send(conditional(venue, STOP, SELL, 90, 3))
    venue.send(conditional(venue, STOP, SELL, 90, 4, market_id=OTHER_MARKET))
    venue.send(conditional(venue, STOP_LIMIT, BUY, 90, 5, price=91))
    told = venue.send(venue.mass_cancel(FIRST, market_id=MARKET, side=SELL))
    assert told.lines(FIRST) == [
        "MASS CANCEL 3",
        *(f"CANCELED MASS_CANCEL {lots} cum 0" for lots in (1, 2, 3)),
    ]
    assert len(waiting_ids(venue)) == len(waiting_ids(venue, OTHER_MARKET)) == 1


def test_price_and_quantity_of_a_waiting_order_can_be_amended(second_venue: Venue) -> None:
    venue = second_venue
    sent = conditional(venue, STOP_LIMIT, BUY, 90, 10, price=100)
    venue.send(sent)
    told = venue.send(venue.amend(FIRST, sent.cl_ord_id, price=80, lots=20))
    assert told.lines(FIRST) == ["REPLACED 20@80 leaves 20 cum 0"]
    assert told.reports(FIRST)[0].public_order_id == 0
    assert told.l3(MARKET) == []
    assert venue.balance(FIRST, QUOTE) == (WEALTH - 8_016, 8_016, 0)
    poor = venue.send(venue.amend(FIRST, sent.cl_ord_id, lots=1 << 50))
    assert poor.lines(FIRST) == ["CANCEL REJECTED INSUFFICIENT_FUNDS"]
    same = venue.send(venue.amend(FIRST, sent.cl_ord_id, price=80))
    assert same.lines(FIRST) == ["CANCEL REJECTED NOTHING_TO_AMEND"]
    assert trade_at(venue, 95).lines(FIRST) == ["TRIGGERED 20@80 at 90 by 95"]
    assert venue.book()[0] == ["20@80 of 4096"]


def test_a_price_or_quantity_that_is_not_there_cannot_be_amended(second_venue: Venue) -> None:
    venue = second_venue
    seller = conditional(venue, STOP, SELL, 90, 10)
    buyer = conditional(venue, STOP, BUY, 90, 0, quote_budget_atoms=amount(500))
    for sent, amendment in ((seller, {"price": 80}), (buyer, {"lots": 5}), (buyer, {"price": 5})):
        venue.send(sent)
        told = venue.send(venue.amend(FIRST, sent.cl_ord_id, **amendment))
        assert told.lines(FIRST) == ["CANCEL REJECTED INVALID_COMBINATION"]
    told = venue.send(venue.amend(FIRST, seller.cl_ord_id, lots=4))
    assert told.lines(FIRST) == ["REPLACED 4@0 leaves 4 cum 0"]
    assert venue.balance(FIRST, BASE)[1] == 400


def test_a_waiting_order_expires(second_venue: Venue) -> None:
    venue = second_venue
    life = {"time_in_force": GTD, "expire_time_ns": venue.now + SECOND_NS}
    venue.send(conditional(venue, STOP, SELL, 90, 2, **life))
    venue.wait(SECOND_NS)
    told = venue.operate(system.Clock())
    assert told.lines(FIRST) == ["EXPIRED 2 cum 0"]
    assert told.l3(MARKET) == []
    assert venue.balance(FIRST, BASE) == (WEALTH, 0, 0)


def test_a_kill_switch_cancels_waiting_orders(second_venue: Venue) -> None:
    venue = second_venue
    venue.send(conditional(venue, STOP, SELL, 90, 2))
    told = venue.kill_account(FIRST)
    assert told.lines(FIRST)[1:] == ["CANCELED KILLED 2 cum 0"]


def test_a_cursor_clears_waiting_orders_last(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = second_reference_venue
    for lots in (1, 2):
        venue.send(conditional(venue, STOP, SELL, 90, lots))
    venue.place(FIRST, SELL, 200, 3)
    venue.kill_market()
    assert venue.engine.open_cursors == 1
    monkeypatch.setattr(limits, "WORK_ORDERS_MAX", 2)
    told = venue.operate(system.Clock())
    assert told.lines(FIRST) == [f"CANCELED MARKET_CLEARED {lots} cum 0" for lots in (3, 1)]
    assert told.l3(MARKET) == ["DELETE 1"]
    told = venue.operate(system.Clock())
    assert told.lines(FIRST) == ["CANCELED MARKET_CLEARED 2 cum 0"]
    assert told.system_events()[0].cursor_closed.cancelled_count == 3


def test_only_waiting_orders_make_a_market_worth_clearing(second_venue: Venue) -> None:
    venue = second_venue
    venue.send(conditional(venue, STOP, SELL, 90))
    venue.kill_market()
    assert venue.engine.open_cursors == 1


def test_a_waiting_order_is_open_when_asked(second_venue: Venue) -> None:
    venue = second_venue
    sent = conditional(venue, STOP, SELL, 90, 6)
    venue.send(sent)
    [event] = venue.send(venue.resolve(FIRST, sent.cl_ord_id)).private()
    assert event.resolve_report.leaves_lots == 6
