"""What an immediate-or-cancel order could not trade rests in the book."""

from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.venue import BUY, FIRST, QUOTE, SELL, STRANGER, WEALTH, Venue

IOC = enums.TIME_IN_FORCE_IOC


def test_the_rest_is_cancelled_and_its_hold_comes_back(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 4)
    told = venue.place(STRANGER, BUY, 101, 10, time_in_force=IOC).told
    assert told.lines(STRANGER) == [
        "NEW 10@101",
        "TRADE 4@100 TAKER leaves 6 fee 4",
        "CANCELED IOC 10 cum 4",
    ]
    assert venue.book() == ([], [])
    assert venue.balance(STRANGER, QUOTE) == (WEALTH - 4 * 100 * 5 - 4, 0, 0)


def test_one_that_meets_nothing_ends_at_once(venue: Venue) -> None:
    told = venue.place(STRANGER, SELL, 101, 10, time_in_force=IOC).told
    assert told.lines(STRANGER) == ["NEW 10@101", "CANCELED IOC 10 cum 0"]
    assert venue.book() == ([], [])
    market = venue.send(venue.market_order(STRANGER, SELL, 10))
    assert market.lines(STRANGER) == ["NEW 10@0", "CANCELED NO_LIQUIDITY 10 cum 0"]
