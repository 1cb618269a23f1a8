"""Cancels are refused while the venue, the book or the account is full."""

from cambist.internal.journal.v1 import system_pb2 as system
from tests.reference.venue import BUY, FIRST, SECOND, SELL, STRANGER, Venue


def test_cancels_and_fills_work_when_nothing_more_fits(venue: Venue) -> None:
    venue.update_market(resting_orders_max=2)
    limits = system.AccountLimits(open_orders_max=1, id_capacity=16)
    venue.operate(system.SetAccountLimits(account_id=FIRST, limits=limits))
    own = venue.place(FIRST, SELL, 100, 5)
    other = venue.place(SECOND, SELL, 101, 5)
    assert venue.send(venue.order(FIRST, SELL, 99, 1)).reasons() == ["OPEN_ORDERS_LIMIT"]
    assert venue.send(venue.order(STRANGER, BUY, 99, 1)).reasons() == ["BOOK_FULL"]
    for _ in range(40):
        refused = venue.send(venue.cancel(FIRST, 999))
        assert refused.reasons() == ["UNKNOWN_ORDER"]
    told = venue.send(venue.cancel(FIRST, own.id))
    assert told.lines(FIRST) == ["CANCELED REQUESTED 5 cum 0"]
    mass = venue.send(venue.mass_cancel(SECOND))
    assert mass.lines(SECOND) == ["MASS CANCEL 1", "CANCELED MASS_CANCEL 5 cum 0"]
    assert other.order_id == mass.reports(SECOND)[0].order_id
    assert venue.place(FIRST, SELL, 100, 5).told.reasons() == []
