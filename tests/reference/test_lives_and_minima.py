"""DAY and minimum quantity under rules version 2: docs/semantics/requests.md, sections 1 and 2."""

from typing import Any, Final

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.messages import amount
from tests.reference.triggers.orders import STOP_LIMIT, conditional, trade_at
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    SECOND,
    SECOND_NS,
    SELL,
    STRANGER,
    Venue,
)

DAY = enums.TIME_IN_FORCE_DAY
IOC, FOK = enums.TIME_IN_FORCE_IOC, enums.TIME_IN_FORCE_FOK
DAY_NS: Final = 86_400 * SECOND_NS


def midnight(venue: Venue) -> int:
    """The next midnight UTC."""
    return (venue.now // DAY_NS + 1) * DAY_NS


def test_a_day_order_ends_at_midnight(second_venue: Venue) -> None:
    venue = second_venue
    end = midnight(venue)
    placed = venue.place(FIRST, BUY, 90, 2, time_in_force=DAY)
    assert placed.told.reports(FIRST)[0].expire_time_ns == end
    [repeat] = venue.send(placed.sent).reports(FIRST)
    assert (repeat.repeat, repeat.expire_time_ns) == (True, 0)
    venue.restore()
    venue.now = end - 1_001
    assert venue.operate(system.Clock()).lines(FIRST) == []
    assert venue.operate(system.Clock()).lines(FIRST) == ["EXPIRED 2 cum 0"]


def test_a_day_order_of_midnight_lives_a_day(second_venue: Venue) -> None:
    venue = second_venue
    end = midnight(venue)
    venue.now = end - 1_000
    placed = venue.place(FIRST, BUY, 90, 2, time_in_force=DAY)
    assert venue.now == end
    assert placed.told.reports(FIRST)[0].expire_time_ns == end + DAY_NS


def test_a_day_order_that_waits_and_is_triggered_ends_at_midnight(second_venue: Venue) -> None:
    venue = second_venue
    venue.send(conditional(venue, STOP_LIMIT, SELL, 99, 3, price=94, time_in_force=DAY))
    trade_at(venue, 99)
    assert venue.book()[1] == ["3@94 of 4096"]
    venue.now = midnight(venue)
    assert venue.operate(system.Clock()).lines(FIRST) == ["EXPIRED 3 cum 0"]


def test_a_day_order_names_no_end_and_may_be_post_only(second_venue: Venue) -> None:
    venue = second_venue
    dated = venue.order(FIRST, BUY, 90, 1, time_in_force=DAY, expire_time_ns=1 << 60)
    assert venue.send(dated).lines(FIRST) == ["REJECTED INVALID_COMBINATION"]
    venue.set_phase(enums.MARKET_PHASE_POST_ONLY)
    quiet = venue.order(FIRST, BUY, 90, 1, time_in_force=DAY, post_only=True)
    assert venue.send(quiet).lines(FIRST) == ["NEW 1@90"]


# --- minimum quantity


@pytest.mark.parametrize(
    ("minimum", "lines"),
    [
        (4, ["NEW 9@96", "TRADE 2@95", "TRADE 2@96"]),
        (5, ["REJECTED FOK_NOT_FILLABLE"]),
    ],
)
def test_an_order_trades_its_minimum_at_once_or_not_at_all(
    second_venue: Venue, minimum: int, lines: list[str]
) -> None:
    venue = second_venue
    for price in (95, 96, 97):
        venue.place(SECOND, SELL, price, 2)
    told = venue.send(venue.order(FIRST, BUY, 96, 9, minimum_lots=minimum)).lines(FIRST)
    assert [line.partition(" TAKER")[0] for line in told] == lines


def test_a_minimum_counts_only_what_self_trade_prevention_leaves(second_venue: Venue) -> None:
    venue = second_venue
    venue.place(FIRST, SELL, 95, 2)
    venue.place(SECOND, SELL, 95, 2)
    sent = venue.order(FIRST, BUY, 95, 5, minimum_lots=1)
    assert venue.send(sent).lines(FIRST) == ["REJECTED FOK_NOT_FILLABLE"]


def test_a_market_order_needs_the_funds_of_its_minimum_only(second_venue: Venue) -> None:
    venue = second_venue
    venue.place(STRANGER, BUY, 95, 10)
    venue.set_available(FIRST, BASE, 300)
    poor = venue.market_order(FIRST, SELL, 5, minimum_lots=4)
    assert venue.send(poor).lines(FIRST) == ["REJECTED FOK_NOT_FILLABLE"]
    enough = venue.market_order(FIRST, SELL, 5, minimum_lots=3)
    assert venue.send(enough).lines(FIRST)[1:] == [
        "TRADE 3@95 TAKER leaves 2 fee 3",
        "CANCELED INSUFFICIENT_FUNDS 5 cum 3",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"minimum_lots": -1},
        {"minimum_lots": 11},
        {"time_in_force": FOK},
        {"post_only": True},
        {
            "order_type": enums.ORDER_TYPE_MARKET,
            "time_in_force": IOC,
            "price_ticks": 0,
            "quantity_lots": 0,
            "quote_budget_atoms": amount(500),
        },
        {"order_type": STOP_LIMIT, "trigger_price_ticks": 5},
    ],
)
def test_a_minimum_does_not_go_with_everything(second_venue: Venue, fields: dict[str, Any]) -> None:
    sent = second_venue.order(FIRST, BUY, 100, 10, minimum_lots=1)
    for name, value in fields.items():
        setattr(sent, name, value)
    assert second_venue.send(sent).lines(FIRST) == ["REJECTED INVALID_COMBINATION"]
