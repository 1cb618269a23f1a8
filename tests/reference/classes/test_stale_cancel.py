"""A cancel of an order that is gone is acknowledged."""

from tests.reference.venue import BUY, FIRST, SECOND, SELL, STRANGER, Venue


def test_a_cancel_of_a_filled_or_cancelled_order_is_refused(venue: Venue) -> None:
    filled = venue.place(FIRST, SELL, 100, 5)
    venue.place(STRANGER, BUY, 100, 5)
    cancelled = venue.place(FIRST, SELL, 100, 5)
    venue.send(venue.cancel(FIRST, cancelled.id))
    for placed in (filled, cancelled):
        by_id = venue.send(venue.cancel(FIRST, placed.id))
        assert by_id.lines(FIRST) == ["CANCEL REJECTED ORDER_CLOSED"]
        by_number = venue.send(venue.cancel(FIRST, placed.order_id))
        assert by_number.lines(FIRST) == ["CANCEL REJECTED UNKNOWN_ORDER"]


def test_a_cancel_of_somebody_elses_order_is_refused(venue: Venue) -> None:
    placed = venue.place(FIRST, SELL, 100, 5)
    for account in (SECOND, STRANGER):
        for target in (placed.id, placed.order_id):
            told = venue.send(venue.cancel(account, target))
            assert told.lines(account) == ["CANCEL REJECTED UNKNOWN_ORDER"]
    assert venue.book() == ([], ["5@100 of 4096"])
