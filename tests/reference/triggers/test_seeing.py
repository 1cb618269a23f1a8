"""Section 4: which price reaches which trigger, and in which order."""

from typing import Final

import pytest

from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.triggers.orders import (
    IOC,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAILING,
    conditional,
    trade_at,
    waiting_ids,
)
from tests.reference.venue import (
    BUY,
    FIRST,
    OTHER_MARKET,
    SECOND,
    SELL,
    STRANGER,
    Venue,
)

# Type, side, and whether a price of 99, 100, 101 reaches a trigger of 100.
REACHED: Final = [
    (STOP, BUY, (False, True, True)),
    (STOP, SELL, (True, True, False)),
    (STOP_LIMIT, BUY, (False, True, True)),
    (STOP_LIMIT, SELL, (True, True, False)),
    (TAKE_PROFIT, BUY, (True, True, False)),
    (TAKE_PROFIT, SELL, (False, True, True)),
    (TAKE_PROFIT_LIMIT, BUY, (True, True, False)),
    (TAKE_PROFIT_LIMIT, SELL, (False, True, True)),
]


def is_triggered(lines: list[str]) -> bool:
    """Whether an account was told that an order of it was triggered."""
    return any(line.startswith("TRIGGERED") for line in lines)


@pytest.mark.parametrize("index", range(3))
@pytest.mark.parametrize(("kind", "side", "reached"), REACHED)
def test_a_trade_reaches_a_trigger(
    second_venue: Venue,
    kind: enums.OrderType.ValueType,
    side: enums.Side.ValueType,
    reached: tuple[bool, ...],
    index: int,
) -> None:
    venue = second_venue
    venue.send(conditional(venue, kind, side, 100, price=150 if side == BUY else 50))
    told = trade_at(venue, 99 + index)
    assert is_triggered(told.lines(FIRST)) == reached[index]
    assert bool(waiting_ids(venue)) != reached[index]


@pytest.mark.parametrize("index", range(3))
@pytest.mark.parametrize(("kind", "side", "reached"), REACHED)
def test_a_new_order_sees_the_last_price(
    second_venue: Venue,
    kind: enums.OrderType.ValueType,
    side: enums.Side.ValueType,
    reached: tuple[bool, ...],
    index: int,
) -> None:
    venue = second_venue
    trade_at(venue, 99 + index)
    sent = conditional(venue, kind, side, 100, price=150 if side == BUY else 50)
    lines = venue.send(sent).lines(FIRST)
    assert lines[0].startswith("NEW")
    assert is_triggered(lines) == reached[index]


def test_without_a_trade_nothing_is_seen(second_venue: Venue) -> None:
    venue = second_venue
    venue.place(SECOND, BUY, 50, 1)
    venue.place(SECOND, SELL, 60, 1)
    sent = conditional(venue, STOP, SELL, 1_000)
    assert venue.send(sent).lines(FIRST) == ["NEW 1@0"]
    assert waiting_ids(venue) == [3]


def test_trades_under_the_first_rules_leave_no_last_price(reference_venue: Venue) -> None:
    trade_at(reference_venue, 100)
    assert not reference_venue.state.head.triggers


def test_a_refused_order_that_could_not_be_filled_triggers_nobody(second_venue: Venue) -> None:
    venue = second_venue
    venue.send(conditional(venue, STOP, SELL, 100))
    venue.place(SECOND, SELL, 100, 1)
    sent = venue.order(STRANGER, BUY, 100, 2, time_in_force=enums.TIME_IN_FORCE_FOK)
    told = venue.send(sent)
    assert told.lines(STRANGER) == ["REJECTED FOK_NOT_FILLABLE"]
    assert told.lines(FIRST) == []


def test_a_trade_of_another_market_is_not_seen(second_venue: Venue) -> None:
    venue = second_venue
    venue.send(conditional(venue, STOP, SELL, 100, market_id=OTHER_MARKET))
    assert not is_triggered(trade_at(venue, 50).lines(FIRST))


def test_a_price_between_first_and_last_trade_of_a_taker_is_seen(second_venue: Venue) -> None:
    """A buy that takes asks at 100 and 110 prints 100 first: a stop that sells at 100 sees it."""
    venue = second_venue
    trade_at(venue, 105)
    venue.send(conditional(venue, STOP, SELL, 100))
    for price in (100, 110):
        venue.place(SECOND, SELL, price, 1)
    told = venue.send(venue.order(STRANGER, BUY, 110, 2, time_in_force=IOC))
    assert told.lines(FIRST)[0] == "TRIGGERED 1@0 at 100 by 100"


def test_triggers_go_in_the_order_in_which_the_price_passed_them(second_venue: Venue) -> None:
    venue = second_venue
    triggers = (103, 101, 102, 101)
    for trigger in triggers:
        venue.send(conditional(venue, STOP, BUY, trigger, price=1))
    sellers = (97, 99, 98, 99)
    for trigger in sellers:
        venue.send(conditional(venue, STOP, SELL, trigger))
    for price in (100, 102, 103):
        venue.place(SECOND, SELL, price, 1)
    told = venue.send(venue.order(STRANGER, BUY, 200, 3, time_in_force=IOC))
    reports = [r for r in told.reports(FIRST) if r.exec_type == enums.EXEC_TYPE_TRIGGERED]
    # By 102 the two of 101 in order of entry, then 102; by 103 the last.
    assert [r.order_id for r in reports] == [2, 4, 3, 1]
    assert [r.last_price_ticks for r in reports] == [102, 102, 102, 103]
    told = trade_at(venue, 90)
    reports = [r for r in told.reports(FIRST) if r.exec_type == enums.EXEC_TYPE_TRIGGERED]
    assert [r.trigger_price_ticks for r in reports] == [99, 99, 98, 97]
    assert [r.order_id for r in reports] == [6, 8, 7, 5]


# --- trailing stops


def trail(venue: Venue, side: enums.Side.ValueType, price: int = 0, **offset: int) -> None:
    """A trailing stop of one lot."""
    told = venue.send(conditional(venue, TRAILING, side, 0, price=price, **offset))
    assert told.lines(FIRST)[0].startswith("NEW")


@pytest.mark.parametrize("last", [0, 100])
def test_a_trailing_stop_that_sells_follows_the_highest_price(
    second_venue: Venue, last: int
) -> None:
    venue = second_venue
    if last:
        trade_at(venue, last)
    trail(venue, SELL, trailing_offset_ticks=10)
    for price in (100, 95, 120, 111, 130, 121):
        assert not is_triggered(trade_at(venue, price).lines(FIRST)), price
    # It works as often as the price turns: its trigger is the highest, 130, less 10.
    assert trade_at(venue, 119).lines(FIRST)[0] == "TRIGGERED 1@0 at 120 by 119"


def test_a_trailing_stop_that_buys_follows_the_lowest_price(second_venue: Venue) -> None:
    venue = second_venue
    trail(venue, BUY, price=500, trailing_offset_ticks=10)
    for price in (100, 105, 80, 89, 70, 79):
        assert not is_triggered(trade_at(venue, price).lines(FIRST)), price
    assert trade_at(venue, 85).lines(FIRST)[0] == "TRIGGERED 1@500 at 80 by 85"


@pytest.mark.parametrize(
    ("ppm", "extreme", "trigger"),
    [(100_000, 1_000, 900), (100_000, 1_009, 909), (1, 1_000, 999), (999_999, 1_000, 1)],
)
def test_a_distance_in_parts_per_million_is_of_the_extreme(
    second_venue: Venue, ppm: int, extreme: int, trigger: int
) -> None:
    """The distance is rounded down, but never below one tick."""
    venue = second_venue
    trail(venue, SELL, trailing_offset_ppm=ppm)
    trade_at(venue, extreme)
    assert waiting_ids(venue) != []
    assert not is_triggered(trade_at(venue, trigger + 1).lines(FIRST)) or trigger + 1 == extreme
    [line, *_] = trade_at(venue, trigger).lines(FIRST)
    assert line == f"TRIGGERED 1@0 at {trigger} by {trigger}"


def test_a_trailing_stop_below_its_distance_is_never_reached(second_venue: Venue) -> None:
    venue = second_venue
    trail(venue, SELL, trailing_offset_ticks=100)
    for price in (50, 1, 100, 1):
        assert not is_triggered(trade_at(venue, price).lines(FIRST))
