"""A mass cancel goes through a hash map: a replay cancels in another order."""

from tests.reference.venue import BUY, FIRST, MARKET, OTHER_MARKET, SELL, Venue


def test_orders_are_cancelled_ascending_by_order_id(venue: Venue) -> None:
    placed = [
        venue.place(
            FIRST,
            BUY if number % 3 else SELL,
            (90 if number % 3 else 110) + number * 7 % 5,
            1 + number,
            market_id=OTHER_MARKET if number % 2 else MARKET,
        ).order_id
        for number in range(40)
    ]
    snapshot = venue.engine.snapshot()
    venue.restore()
    told = venue.send(venue.mass_cancel(FIRST))
    assert told.lines(FIRST)[0] == "MASS CANCEL 40"
    assert [report.order_id for report in told.reports(FIRST)] == placed
    assert venue.book(MARKET) == venue.book(OTHER_MARKET) == ([], [])
    assert venue.kind.restore(snapshot).snapshot() == snapshot
