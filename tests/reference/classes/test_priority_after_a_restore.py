"""A restore loses who was first."""

from tests.reference.venue import BUY, FIRST, MARKET, SECOND, SELL, STRANGER, Venue


def test_queues_are_in_the_same_order_after_a_restore(venue: Venue) -> None:
    # Numbers and places differ: the first order goes to the tail, the second shrinks where it is.
    moved = venue.place(FIRST, SELL, 100, 5)
    kept = venue.place(SECOND, SELL, 100, 5)
    venue.place(FIRST, SELL, 100, 7)
    venue.send(venue.amend(FIRST, moved.id, lots=6))
    venue.send(venue.amend(SECOND, kept.id, lots=4))
    expected = ["4@100 of 4097", "7@100 of 4096", "6@100 of 4096"]
    assert venue.book() == ([], expected)
    venue.restore()
    assert venue.book() == ([], expected)
    told = venue.place(STRANGER, BUY, 100, 17).told
    assert told.l3(MARKET) == ["EXECUTE 2 4", "EXECUTE 3 7", "EXECUTE 4 6"]
