"""Section 6: MassCancel, its filters, and cancels that overtake orders."""

from typing import Any

import pytest

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.venue import (
    BUY,
    FIRST,
    MARKET,
    OTHER_MARKET,
    SECOND,
    SELL,
    SESSION,
    SHARD,
    Venue,
)

HALTED = enums.MARKET_PHASE_HALTED
BURNT = "REJECTED CANCELLED_BEFORE_ENTRY"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"market_id": MARKET}, [1, 2, 4]),
        ({"side": SELL}, [2, 5]),
        ({"tag": 7}, [3, 4]),
        ({"market_id": MARKET, "side": BUY, "tag": 7}, [4]),
        ({"tag": 8}, []),
    ],
)
def test_only_orders_that_match_every_filter_are_cancelled(
    venue: Venue, fields: dict[str, Any], expected: list[int]
) -> None:
    for side, market, tag in (
        (BUY, MARKET, 0),
        (SELL, MARKET, 0),
        (BUY, OTHER_MARKET, 7),
        (BUY, MARKET, 7),
        (SELL, OTHER_MARKET, 0),
    ):
        venue.place(FIRST, side, 90 if side == BUY else 110, 3, market_id=market, tag=tag)
    venue.place(SECOND, BUY, 90, 3)
    told = venue.send(venue.mass_cancel(FIRST, **fields))
    assert told.lines(FIRST) == [
        f"MASS CANCEL {len(expected)}",
        *(["CANCELED MASS_CANCEL 3 cum 0"] * len(expected)),
    ]
    assert [report.order_id for report in told.reports()] == expected


def test_a_halted_market_keeps_its_orders(venue: Venue) -> None:
    venue.place(FIRST, BUY, 90, 3)
    venue.place(FIRST, BUY, 90, 4, market_id=OTHER_MARKET)
    venue.set_phase(HALTED)
    told = venue.send(venue.mass_cancel(FIRST))
    assert told.lines(FIRST) == ["MASS CANCEL 1", "CANCELED MASS_CANCEL 4 cum 0"]
    assert venue.book() == (["3@90 of 4096"], [])


def test_only_what_this_session_entered(venue: Venue) -> None:
    venue.place(FIRST, BUY, 90, 3)
    venue.in_session(venue.order(FIRST, BUY, 90, 4))
    told = venue.in_session(venue.mass_cancel(FIRST, this_session_only=True))
    assert told.lines(FIRST) == ["MASS CANCEL 1", "CANCELED MASS_CANCEL 4 cum 0"]
    assert venue.book() == (["3@90 of 4096"], [])
    alone = venue.send(venue.mass_cancel(FIRST, this_session_only=True))
    assert alone.lines(FIRST) == ["CANCEL REJECTED INVALID_COMBINATION"]


@pytest.mark.parametrize(
    ("market", "reason"), [(1, "WRONG_SHARD"), (SHARD << 16 | 9, "UNKNOWN_MARKET")]
)
def test_a_market_that_is_not_here_is_refused(venue: Venue, market: int, reason: str) -> None:
    told = venue.send(venue.mass_cancel(FIRST, market_id=market))
    assert told.lines(FIRST) == [f"CANCEL REJECTED {reason}"]


# --- cancels that overtake orders


def test_orders_that_a_mass_cancel_overtook_are_refused_on_arrival(venue: Venue) -> None:
    overtaken = venue.order(FIRST, BUY, 90, 3)
    others = (
        venue.order(SECOND, BUY, 90, 3),
        venue.order(FIRST, SELL, 110, 3),
        venue.order(FIRST, BUY, 90, 3, market_id=OTHER_MARKET),
        venue.order(FIRST, BUY, 90, 3, tag=8),
    )
    ahead = venue.mass_cancel(FIRST, market_id=MARKET, side=BUY, tag=7, after_order_seq_no=6)
    overtaken.tag = 7
    venue.in_session(ahead)
    told = venue.in_session(overtaken, *others)
    assert told.lines(FIRST) == [BURNT, *(["NEW 3@110", "NEW 3@90", "NEW 3@90"])]
    assert told.lines(SECOND) == ["NEW 3@90"]
    # The refusal leaves a key: a resend is refused again, wherever it comes from.
    again = venue.send(overtaken).lines(FIRST)
    assert again[0].startswith(f"{BURNT} repeat of ")


def test_an_early_cancel_ends_with_the_number_it_names(venue: Venue) -> None:
    venue.in_session(venue.mass_cancel(FIRST, after_order_seq_no=2))
    assert len(early_cancels(venue)) == 1
    told = venue.in_session(*(venue.order(FIRST, BUY, 90, lots) for lots in (1, 2, 3)))
    assert told.lines(FIRST) == [BURNT, BURNT, "NEW 3@90"]
    assert early_cancels(venue) == []


def test_an_early_cancel_stays_until_its_number_is_reached(venue: Venue) -> None:
    venue.in_session(venue.mass_cancel(FIRST, after_order_seq_no=2))
    assert venue.in_session(venue.order(FIRST, BUY, 90, 1)).lines(FIRST) == [BURNT]
    assert len(early_cancels(venue)) == 1
    venue.restore()
    assert venue.in_session(venue.order(FIRST, BUY, 90, 1)).lines(FIRST) == [BURNT]
    assert early_cancels(venue) == []


def test_a_mass_cancel_behind_the_orders_it_names_waits_for_none(venue: Venue) -> None:
    venue.in_session(venue.order(FIRST, BUY, 90, 3))
    told = venue.in_session(venue.mass_cancel(FIRST, after_order_seq_no=1))
    assert told.lines(FIRST) == ["MASS CANCEL 1", "CANCELED MASS_CANCEL 3 cum 0"]
    assert early_cancels(venue) == []


def test_orders_by_unary_calls_are_not_overtaken(venue: Venue) -> None:
    venue.in_session(venue.mass_cancel(FIRST, after_order_seq_no=5))
    assert venue.place(FIRST, BUY, 90, 3).told.reasons() == []


def test_sixteen_may_wait(venue: Venue) -> None:
    waiting = [venue.mass_cancel(FIRST, after_order_seq_no=5) for _ in range(16)]
    assert venue.in_session(*waiting).reasons() == []
    told = venue.in_session(venue.mass_cancel(FIRST, after_order_seq_no=5))
    assert told.lines(FIRST) == ["CANCEL REJECTED TOO_MANY_PENDING"]
    # One that waits for nothing is taken.
    assert venue.in_session(venue.mass_cancel(FIRST)).lines(FIRST) == ["MASS CANCEL 0"]


def early_cancels(venue: Venue) -> list[int]:
    """The numbers that early cancels of the session wait for."""
    section = snapshot_pb2.SessionsSection.FromString(venue.state.head.sessions)
    (session,) = (s for s in section.sessions if s.established.session_id == SESSION)
    return [early.up_to_order_seq_no for early in session.early_cancels]


def test_a_cancel_that_overtakes_burns_the_id_it_names(venue: Venue) -> None:
    sent = venue.order(FIRST, BUY, 90, 3)
    told = venue.in_session(venue.cancel(FIRST, sent.cl_ord_id, after_order_seq_no=1))
    assert told.lines(FIRST) == ["CANCEL REJECTED UNKNOWN_ORDER"]
    assert venue.in_session(sent).lines(FIRST) == [BURNT]
    resolved = venue.send(venue.resolve(FIRST, sent.cl_ord_id)).lines(FIRST)
    assert resolved == ["NEVER_APPLIED"]


@pytest.mark.parametrize("after", [0, 1])
def test_a_cancel_that_overtakes_nothing_burns_nothing(venue: Venue, after: int) -> None:
    venue.in_session(venue.order(SECOND, BUY, 90, 1))
    sent = venue.order(FIRST, BUY, 90, 3)
    venue.in_session(venue.cancel(FIRST, sent.cl_ord_id, after_order_seq_no=after))
    assert venue.in_session(sent).lines(FIRST) == ["NEW 3@90"]


def test_a_cancel_by_unary_call_burns_nothing(venue: Venue) -> None:
    sent = venue.order(FIRST, BUY, 90, 3)
    venue.send(venue.cancel(FIRST, sent.cl_ord_id, after_order_seq_no=9))
    assert venue.send(sent).lines(FIRST) == ["NEW 3@90"]


def test_a_cancel_that_names_itself_burns_nothing(venue: Venue) -> None:
    request = venue.cancel(FIRST, b"", after_order_seq_no=9)
    request.orig_cl_ord_id = request.request_id
    told = venue.in_session(request)
    assert told.lines(FIRST) == ["CANCEL REJECTED UNKNOWN_ORDER"]
    again = venue.in_session(request, first=1).lines(FIRST)
    assert again[0].startswith("CANCEL REJECTED UNKNOWN_ORDER repeat of ")
