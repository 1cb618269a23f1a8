"""Section 5: entering ready orders, command by command, and the bounds of a cascade."""

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from matching.reference import limits
from tests.differential.flow.messages import amount
from tests.reference.triggers.orders import (
    GTD,
    IOC,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT_LIMIT,
    conditional,
    ready_ids,
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
    SECOND,
    SECOND_NS,
    SELL,
    STRANGER,
    WEALTH,
    Venue,
)

CONTINUOUS = enums.MARKET_PHASE_CONTINUOUS
HALTED = enums.MARKET_PHASE_HALTED
DECREMENT = enums.SELF_TRADE_PREVENTION_DECREMENT


def place_all(venue: Venue, side: enums.Side.ValueType, prices: tuple[int, ...]) -> None:
    """One lot of another at each price."""
    for price in prices:
        venue.place(SECOND, side, price, 1)


def test_a_stop_sells_to_the_bids_in_the_command_that_reached_it(second_venue: Venue) -> None:
    venue = second_venue
    place_all(venue, BUY, (95, 94, 93))
    venue.send(conditional(venue, STOP, SELL, 99, 2))
    place_all(venue, SELL, (99,))
    told = venue.send(venue.order(STRANGER, BUY, 99, 1, time_in_force=IOC))
    assert told.lines(FIRST) == [
        "TRIGGERED 2@0 at 99 by 99",
        "TRADE 1@95 TAKER leaves 1 fee 1",
        "TRADE 1@94 TAKER leaves 0 fee 1",
    ]
    assert {event.seq for event in told.private()} == {venue.engine.last_seq}
    assert told.l3(MARKET) == ["EXECUTE 4 1", "EXECUTE 1 1", "EXECUTE 2 1"]
    assert venue.balance(FIRST, BASE) == (WEALTH - 200, 0, 0)


def test_a_stop_without_bids_is_cancelled_and_gives_its_hold_back(second_venue: Venue) -> None:
    venue = second_venue
    venue.send(conditional(venue, STOP, SELL, 99, 2))
    assert trade_at(venue, 99).lines(FIRST) == [
        "TRIGGERED 2@0 at 99 by 99",
        "CANCELED NO_LIQUIDITY 2 cum 0",
    ]
    assert venue.balance(FIRST, BASE) == (WEALTH, 0, 0)


def test_a_stop_does_not_pass_its_price(second_venue: Venue) -> None:
    venue = second_venue
    place_all(venue, BUY, (95, 94))
    venue.send(conditional(venue, STOP, SELL, 99, 2, price=95))
    assert trade_at(venue, 99).lines(FIRST)[1:] == [
        "TRADE 1@95 TAKER leaves 1 fee 1",
        "CANCELED IOC 2 cum 1",
    ]


def test_a_budget_is_spent_when_the_price_is_reached(second_venue: Venue) -> None:
    venue = second_venue
    place_all(venue, SELL, (102, 103))
    venue.send(conditional(venue, STOP, BUY, 100, 0, quote_budget_atoms=amount(700)))
    assert venue.balance(FIRST, QUOTE) == (WEALTH - 700, 700, 0)
    lines = trade_at(venue, 100).lines(FIRST)
    assert lines == [
        "TRIGGERED 0@0 at 100 by 100",
        "TRADE 1@102 TAKER leaves 0 fee 2",
        "CANCELED INSUFFICIENT_FUNDS 0 cum 1",
    ]
    assert venue.balance(FIRST, QUOTE) == (WEALTH - 512, 0, 0)


def test_a_stop_limit_rests_with_its_rest(second_venue: Venue) -> None:
    venue = second_venue
    place_all(venue, BUY, (95,))
    venue.send(conditional(venue, STOP_LIMIT, SELL, 99, 3, price=94))
    told = trade_at(venue, 99)
    assert told.lines(FIRST) == [
        "TRIGGERED 3@94 at 99 by 99",
        "TRADE 1@95 TAKER leaves 2 fee 1",
    ]
    assert told.l3(MARKET)[-1] == "ADD 3 SELL 2@94"
    triggered = told.reports(FIRST)[0]
    assert triggered.public_order_id == 3
    assert venue.book() == ([], ["2@94 of 4096"])
    assert waiting_ids(venue) == []
    assert venue.send(venue.cancel(FIRST, triggered.order_id)).lines(FIRST) == [
        "CANCELED REQUESTED 3 cum 1"
    ]


def test_a_dated_stop_limit_keeps_its_end_in_the_book(second_venue: Venue) -> None:
    venue = second_venue
    life = {"time_in_force": GTD, "expire_time_ns": venue.now + SECOND_NS}
    venue.send(conditional(venue, STOP_LIMIT, SELL, 99, 3, price=94, **life))
    assert venue.engine.next_timer_ns == life["expire_time_ns"]
    trade_at(venue, 99)
    venue.restore()
    venue.wait(SECOND_NS)
    assert venue.operate(system.Clock()).lines(FIRST) == ["EXPIRED 3 cum 0"]
    assert venue.book() == ([], [])


def test_an_immediate_limit_is_cancelled_with_its_rest(second_venue: Venue) -> None:
    venue = second_venue
    life = {"time_in_force": IOC}
    venue.send(conditional(venue, TAKE_PROFIT_LIMIT, SELL, 99, 3, price=94, **life))
    assert trade_at(venue, 99).lines(FIRST)[1:] == ["CANCELED IOC 3 cum 0"]


def test_stops_trigger_one_another_in_one_command(second_venue: Venue) -> None:
    venue = second_venue
    place_all(venue, BUY, (95, 90, 85))
    for trigger in (99, 95, 90):
        venue.send(conditional(venue, STOP, SELL, trigger))
    assert trade_at(venue, 99).lines(FIRST) == [
        "TRIGGERED 1@0 at 99 by 99",
        "TRADE 1@95 TAKER leaves 0 fee 1",
        "TRIGGERED 1@0 at 95 by 95",
        "TRADE 1@90 TAKER leaves 0 fee 1",
        "TRIGGERED 1@0 at 90 by 90",
        "TRADE 1@85 TAKER leaves 0 fee 1",
    ]


def test_a_triggered_order_does_not_trade_with_its_own_group(second_venue: Venue) -> None:
    venue = second_venue
    venue.place(FIRST, BUY, 95, 1)
    place_all(venue, BUY, (94,))
    mode = {"self_trade_prevention": DECREMENT}
    venue.send(conditional(venue, STOP, SELL, 99, 2, **mode))
    assert trade_at(venue, 99).lines(FIRST)[1:] == [
        "PREVENTED 1@95 TAKER DECREMENT",
        "PREVENTED 1@95 MAKER DECREMENT",
        "RESTATED 1 leaves 1 by 1",
        "CANCELED SELF_TRADE 1 cum 0",
        "TRADE 1@94 TAKER leaves 0 fee 1",
    ]


def sequence(venue: Venue, count: int) -> None:
    """Stops that one trade at 99 makes ready, with a bid for each."""
    for number in range(count):
        venue.place(SECOND, BUY, 50 - number, 1)
        venue.send(conditional(venue, STOP, SELL, 99, tag=number))


def triggered(lines: list[str]) -> int:
    """How many orders were triggered."""
    return sum(line.startswith("TRIGGERED") for line in lines)


def test_a_cascade_ends_after_so_many_orders_and_goes_on(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = second_reference_venue
    sequence(venue, 7)
    monkeypatch.setattr(limits, "CASCADE_ORDERS_MAX", 2)
    assert triggered(trade_at(venue, 99).lines(FIRST)) == 2
    assert venue.engine.open_cursors == 1
    assert len(ready_ids(venue)) == 5
    venue.restore()
    # Before the first command and after it.
    told = venue.operate(system.Clock())
    assert triggered(told.lines(FIRST)) == 4
    assert venue.engine.open_cursors == 1
    assert triggered(venue.operate(system.Clock()).lines(FIRST)) == 1
    assert venue.engine.open_cursors == 0
    assert waiting_ids(venue) == []


def test_a_cascade_ends_when_its_takers_touched_enough(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = second_reference_venue
    sequence(venue, 5)
    monkeypatch.setattr(limits, "CASCADE_TOUCHES_MAX", 3)
    assert triggered(trade_at(venue, 99).lines(FIRST)) == 3


def test_ready_orders_of_a_halted_market_wait_for_its_end(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = second_reference_venue
    sequence(venue, 4)
    monkeypatch.setattr(limits, "CASCADE_ORDERS_MAX", 1)
    told = venue.apply(
        venue.unary(venue.order(SECOND, SELL, 99, 1)),
        venue.unary(venue.order(STRANGER, BUY, 99, 1)),
    )
    assert triggered(told.lines(FIRST)) == 1
    # The cascade at the head of the batch comes first.
    assert triggered(venue.set_phase(HALTED).lines(FIRST)) == 1
    assert venue.engine.open_cursors == 0
    assert venue.operate(system.Clock()).lines(FIRST) == []
    assert triggered(venue.set_phase(CONTINUOUS).lines(FIRST)) == 1
    assert venue.engine.open_cursors == 1


def test_a_ready_order_can_be_cancelled(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = second_reference_venue
    sequence(venue, 4)
    monkeypatch.setattr(limits, "CASCADE_ORDERS_MAX", 0)
    trade_at(venue, 99)
    first, second, *_ = ready_ids(venue)
    assert venue.send(venue.cancel(FIRST, second)).lines(FIRST) == ["CANCELED REQUESTED 1 cum 0"]
    assert second not in ready_ids(venue)
    assert ready_ids(venue)[0] == first
    # A better price does not make it wait again, nor does it stand twice in the queue.
    trade_at(venue, 98)
    assert len(ready_ids(venue)) == 3


def test_cascades_go_by_market(second_venue: Venue) -> None:
    venue = second_venue
    venue.send(conditional(venue, STOP, SELL, 99, market_id=OTHER_MARKET))
    venue.send(conditional(venue, STOP, SELL, 99))
    assert triggered(trade_at(venue, 99).lines(FIRST)) == 1
    assert len(waiting_ids(venue, OTHER_MARKET)) == 1
