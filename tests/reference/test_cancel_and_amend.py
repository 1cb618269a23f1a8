"""Section 6: Cancel and Amend, which orders they find and what they refuse."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow import messages
from tests.differential.flow.messages import amount
from tests.reference.venue import (
    BASE,
    BUY,
    FIRM,
    FIRST,
    MARKET,
    OTHER_MARKET,
    QUOTE,
    SELL,
    SESSION,
    STRANGER,
    WEALTH,
    Placed,
    Venue,
)

HALTED, CANCEL_ONLY = enums.MARKET_PHASE_HALTED, enums.MARKET_PHASE_CANCEL_ONLY
POST_ONLY, CONTINUOUS = enums.MARKET_PHASE_POST_ONLY, enums.MARKET_PHASE_CONTINUOUS


@pytest.fixture
def bid(venue: Venue) -> Placed:
    """A bid of 10 lots at 100, of which 4 are filled."""
    placed = venue.place(FIRST, BUY, 100, 10)
    venue.place(STRANGER, SELL, 100, 4)
    return placed


@pytest.mark.parametrize("by_order_id", [False, True])
def test_a_cancel_gives_the_hold_back(venue: Venue, bid: Placed, by_order_id: bool) -> None:
    told = venue.send(venue.cancel(FIRST, bid.order_id if by_order_id else bid.id))
    assert told.lines(FIRST) == ["CANCELED REQUESTED 10 cum 4"]
    assert told.l3(MARKET) == ["DELETE 1"]
    assert venue.balance(FIRST, QUOTE) == (WEALTH - 2_000 - 2, 0, 0)
    assert venue.balance(FIRST, BASE) == (WEALTH + 400, 0, 0)
    assert venue.book() == ([], [])


def test_a_cancel_works_in_every_phase_but_halted(venue: Venue) -> None:
    for phase in (CONTINUOUS, POST_ONLY, CANCEL_ONLY, HALTED):
        venue.set_phase(CONTINUOUS)
        placed = venue.place(FIRST, BUY, 100, 1)
        venue.set_phase(phase)
        told = venue.send(venue.cancel(FIRST, placed.id)).lines(FIRST)
        is_halted = phase == HALTED
        assert told == [
            "CANCEL REJECTED PHASE HALTED" if is_halted else "CANCELED REQUESTED 1 cum 0"
        ]


def test_a_cancel_works_for_a_frozen_and_a_killed_account(venue: Venue, bid: Placed) -> None:
    venue.freeze(FIRST)
    told = venue.send(venue.cancel(FIRST, bid.id))
    assert told.lines(FIRST) == ["CANCELED REQUESTED 10 cum 4"]


def test_the_id_of_a_refused_order_or_of_another_kind_names_no_order(
    venue: Venue, bid: Placed
) -> None:
    refused = venue.order(FIRST, BUY, 0, 1)
    venue.send(refused)
    request = venue.amend(FIRST, bid.id, lots=9)
    venue.send(request)
    for id_ in (refused.cl_ord_id, request.request_id):
        told = venue.send(venue.cancel(FIRST, id_))
        assert told.lines(FIRST) == ["CANCEL REJECTED UNKNOWN_ORDER"]


# --- amendments

Fields = dict[str, Any]


def amendment(venue: Venue, bid: Placed, fields: Fields) -> commands.Amend:
    """An amendment to 12 lots at 90, with other fields."""
    sent = venue.amend(FIRST, bid.id, 90, 12)
    for name, value in fields.items():
        setattr(sent, name, value)
    return sent


REFUSED: Final[list[tuple[str, Callable[[Venue], object] | None, Fields]]] = [
    ("INVALID_COMBINATION", None, {"order_id": 1}),
    ("INVALID_COMBINATION", None, {"orig_cl_ord_id": b"", "display_lots": 1}),
    ("UNSUPPORTED", None, {"display_lots": 1, "price_ticks": 0, "quantity_lots": 0}),
    ("NOTHING_TO_AMEND", None, {"price_ticks": 0, "quantity_lots": 0, "orig_cl_ord_id": b"x" * 16}),
    ("UNKNOWN_ORDER", None, {"orig_cl_ord_id": b"x" * 16}),
    ("ACCOUNT_FROZEN", lambda v: v.freeze(FIRST), {"price_ticks": -1}),
    ("PHASE CANCEL_ONLY", lambda v: v.set_phase(CANCEL_ONLY), {"price_ticks": -1}),
    ("PHASE HALTED", lambda v: v.set_phase(HALTED), {}),
    ("INVALID_PRICE", None, {"price_ticks": -1, "quantity_lots": -1}),
    ("INVALID_PRICE", None, {"price_ticks": (1 << 53) + 1}),
    ("OFF_TICK", lambda v: v.update_market(price_step_ticks=7), {"quantity_lots": -1}),
    ("INVALID_QUANTITY", None, {"quantity_lots": -1}),
    ("INVALID_QUANTITY", None, {"quantity_lots": (1 << 53) + 1}),
    ("OFF_LOT", lambda v: v.update_market(quantity_step_lots=7), {}),
    ("QUANTITY_BELOW_MINIMUM", lambda v: v.update_market(minimum_quantity_lots=13), {}),
    ("QUANTITY_ABOVE_MAXIMUM", lambda v: v.update_market(maximum_quantity_lots=11), {}),
    ("QUANTITY_BELOW_FILLED", None, {"quantity_lots": 4}),
    ("NOTHING_TO_AMEND", None, {"price_ticks": 100, "quantity_lots": 10}),
    ("NOTHING_TO_AMEND", None, {"price_ticks": 0, "quantity_lots": 10}),
    # The notional is that of the new total, not of what is open.
    (
        "NOTIONAL_BELOW_MINIMUM",
        lambda v: v.update_market(minimum_notional_atoms=amount(90 * 12 * 5 + 1)),
        {},
    ),
    (
        "NOTIONAL_ABOVE_MAXIMUM",
        lambda v: v.update_market(maximum_notional_atoms=amount(90 * 12 * 5 - 1)),
        {},
    ),
    ("INSUFFICIENT_FUNDS", lambda v: v.set_available(FIRST, QUOTE, 0), {"price_ticks": 101}),
]


@pytest.mark.parametrize(("reason", "prepare", "fields"), REFUSED)
def test_a_refused_amendment_changes_nothing(
    venue: Venue,
    bid: Placed,
    reason: str,
    prepare: Callable[[Venue], object] | None,
    fields: Fields,
) -> None:
    if prepare is not None:
        prepare(venue)
    before = venue.state
    told = venue.send(amendment(venue, bid, fields))
    assert told.lines(FIRST) == [f"CANCEL REJECTED {reason}"]
    assert (venue.state.books, venue.state.money) == (before.books, before.money)


def test_an_amendment_needs_the_market_of_its_session(venue: Venue, bid: Placed) -> None:
    venue.establish(SESSION, FIRM, (FIRST,), market_ids=[OTHER_MARKET])
    told = venue.in_session(venue.amend(FIRST, bid.id, lots=9))
    assert told.lines(FIRST) == ["CANCEL REJECTED MARKET_NOT_PERMITTED"]
    # A cancel needs no market.
    assert venue.in_session(venue.cancel(FIRST, bid.id)).reasons() == []


def test_an_amendment_in_a_killed_market_is_refused(venue: Venue, bid: Placed) -> None:
    kill = system.KillSwitch(scope=system.KILL_SCOPE_MARKET, target_id=MARKET, active=True)
    told = venue.apply(
        messages.system_envelope([kill]), venue.unary(venue.amend(FIRST, bid.id, lots=9))
    )
    assert told.lines(FIRST) == ["CANCEL REJECTED KILLED"]
    # The cursor takes the order at the start of the next batch, before the amendment.
    told = venue.send(venue.amend(FIRST, bid.id, lots=9))
    assert told.lines(FIRST) == ["CANCELED MARKET_CLEARED 10 cum 4", "CANCEL REJECTED ORDER_CLOSED"]


@pytest.mark.parametrize(
    ("price", "lots", "feed"),
    [
        (0, 9, ["MODIFY 1 5"]),
        (100, 5, ["MODIFY 1 1"]),
        (0, 11, ["DELETE 1", "ADD 3 BUY 7@100"]),
        (99, 9, ["DELETE 1", "ADD 3 BUY 5@99"]),
        (101, 0, ["DELETE 1", "ADD 3 BUY 6@101"]),
        (100, 20, ["DELETE 1", "ADD 3 BUY 16@100"]),
    ],
)
def test_only_a_smaller_quantity_at_the_same_price_keeps_the_place(
    venue: Venue, bid: Placed, price: int, lots: int, feed: list[str]
) -> None:
    assert venue.send(venue.amend(FIRST, bid.id, price, lots)).l3(MARKET) == feed


def test_a_post_only_order_is_not_amended_into_the_cross(venue: Venue) -> None:
    venue.place(STRANGER, SELL, 105, 1)
    placed = venue.place(FIRST, BUY, 100, 5, post_only=True)
    told = venue.send(venue.amend(FIRST, placed.id, price=105))
    assert told.lines(FIRST) == ["CANCEL REJECTED POST_ONLY_WOULD_CROSS"]
    assert venue.send(venue.amend(FIRST, placed.id, price=104)).reasons() == []


def test_the_phase_post_only_amends_what_does_not_cross(venue: Venue) -> None:
    venue.place(STRANGER, SELL, 105, 1)
    placed = venue.place(FIRST, BUY, 100, 5)
    venue.set_phase(POST_ONLY)
    told = venue.send(venue.amend(FIRST, placed.id, price=105))
    assert told.lines(FIRST) == ["CANCEL REJECTED POST_ONLY_WOULD_CROSS"]
    told = venue.send(venue.amend(FIRST, placed.id, price=104, lots=3))
    assert told.lines(FIRST) == ["REPLACED 3@104 leaves 3 cum 0"]


def test_an_amendment_does_not_count_against_open_orders_or_a_full_book(venue: Venue) -> None:
    venue.update_market(resting_orders_max=1)
    limits = system.AccountLimits(open_orders_max=1)
    venue.operate(system.SetAccountLimits(account_id=FIRST, limits=limits))
    placed = venue.place(FIRST, BUY, 100, 5)
    told = venue.send(venue.amend(FIRST, placed.id, price=101, lots=50))
    assert told.lines(FIRST) == ["REPLACED 50@101 leaves 50 cum 0"]


def test_an_amended_order_keeps_its_fees_and_its_end(venue: Venue) -> None:
    end = venue.now + 10**9
    life = {"time_in_force": enums.TIME_IN_FORCE_GTD, "expire_time_ns": end}
    placed = venue.place(FIRST, BUY, 100, 5, **life)
    venue.update_market(taker_fee_ppm=100_000)
    venue.send(venue.amend(FIRST, placed.id, price=101))
    (order,) = venue.state.books.books[0].bids
    assert (order.taker_fee_ppm, order.expire_time_ns) == (2_000, end)
    assert venue.engine.next_timer_ns == end
    venue.wait(10**9)
    assert venue.credit(STRANGER, BASE, 1).lines(FIRST) == ["EXPIRED 5 cum 0"]
