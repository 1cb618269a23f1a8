"""Cancel of an order that is not the last of its level loses the queue."""

import pytest

from tests.reference.venue import BUY, FIRST, MARKET, SECOND, SELL, STRANGER, Venue


@pytest.mark.parametrize("cancelled", [0, 1, 2])
def test_the_queue_behind_and_before_a_cancelled_order_stays(venue: Venue, cancelled: int) -> None:
    owners = (FIRST, SECOND, STRANGER)
    placed = [venue.place(owner, SELL, 100, lots) for lots, owner in enumerate(owners, 1)]
    venue.send(venue.cancel(owners[cancelled], placed[cancelled].id))
    rest = [f"{i + 1}@100 of {owner}" for i, owner in enumerate(owners) if i != cancelled]
    assert venue.book() == ([], rest)
    taken = venue.place(SECOND, BUY, 100, 6, self_trade_prevention=5).told
    sold = [trade.quantity_lots for trade in taken.trades(MARKET)]
    assert sold == [i + 1 for i in range(3) if i != cancelled]
