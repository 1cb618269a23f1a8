"""The taker's price is printed on one side of a trade and the maker's on the other."""

from tests.reference.venue import BUY, FIRST, MARKET, SELL, STRANGER, Venue


def test_taker_maker_and_print_show_the_price_of_the_maker(venue: Venue) -> None:
    for maker_side, taker_side, taker_price in ((SELL, BUY, 110), (BUY, SELL, 90)):
        venue.place(FIRST, maker_side, 100, 5)
        told = venue.place(STRANGER, taker_side, taker_price, 5).told
        prices = [told.reports(account)[-1].last_price_ticks for account in (FIRST, STRANGER)]
        assert prices == [100, 100]
        assert [trade.price_ticks for trade in told.trades(MARKET)] == [100]
        assert told.trades(MARKET)[0].aggressor_side == taker_side
