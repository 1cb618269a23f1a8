"""A cancel that names what never was crashes the engine."""

import pytest

from tests.reference.venue import BUY, FIRST, Venue

NEVER = bytes(15) + b"\xfe"


@pytest.mark.parametrize("target", [NEVER, b"\xff" * 16, 1, 999, (1 << 64) - 1])
def test_a_target_that_never_was_is_refused_by_name(venue: Venue, target: bytes | int) -> None:
    cancelled = venue.send(venue.cancel(FIRST, target))
    assert cancelled.lines(FIRST) == ["CANCEL REJECTED UNKNOWN_ORDER"]
    amended = venue.send(venue.amend(FIRST, target, price=5))
    assert amended.lines(FIRST) == ["CANCEL REJECTED UNKNOWN_ORDER"]


def test_a_target_without_a_name_or_with_two_is_refused_by_name(venue: Venue) -> None:
    placed = venue.place(FIRST, BUY, 100, 5)
    for request in (
        venue.cancel(FIRST, b""),
        venue.cancel(FIRST, placed.id, order_id=placed.order_id),
        venue.amend(FIRST, b"", price=5),
        venue.amend(FIRST, placed.id, price=5, order_id=placed.order_id),
    ):
        assert venue.send(request).lines(FIRST) == ["CANCEL REJECTED INVALID_COMBINATION"]


def test_an_id_of_zero_bytes_is_an_id_like_any_other(venue: Venue) -> None:
    zeros = bytes(16)
    told = venue.send(venue.cancel(FIRST, zeros))
    assert told.lines(FIRST) == ["CANCEL REJECTED UNKNOWN_ORDER"]
    venue.place(FIRST, BUY, 100, 5, cl_ord_id=zeros)
    told = venue.send(venue.amend(FIRST, zeros, lots=4))
    assert told.lines(FIRST) == ["REPLACED 4@100 leaves 4 cum 0"]
    told = venue.send(venue.cancel(FIRST, zeros))
    assert told.lines(FIRST) == ["CANCELED REQUESTED 4 cum 0"]
    assert told.reports(FIRST)[0].cl_ord_id == zeros
