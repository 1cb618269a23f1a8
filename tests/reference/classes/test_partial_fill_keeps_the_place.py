"""A maker that is filled in part loses its place."""

from tests.reference.venue import BUY, FIRST, MARKET, SECOND, SELL, STRANGER, Venue


def test_a_maker_filled_in_part_is_the_first_to_be_filled_again(venue: Venue) -> None:
    first = venue.place(FIRST, SELL, 100, 10)
    venue.place(SECOND, SELL, 100, 10)
    told = venue.place(STRANGER, BUY, 100, 3).told
    assert told.l3(MARKET) == ["EXECUTE 1 3"]
    assert venue.book() == ([], ["7@100 of 4096", "10@100 of 4097"])
    told = venue.place(STRANGER, BUY, 100, 8).told
    assert told.l3(MARKET) == ["EXECUTE 1 7", "EXECUTE 2 1"]
    assert told.lines(FIRST) == ["TRADE 7@100 MAKER leaves 0 fee 4"]
    assert told.reports(FIRST)[0].cum_lots == 10
    assert first.order_id == told.reports(FIRST)[0].order_id
