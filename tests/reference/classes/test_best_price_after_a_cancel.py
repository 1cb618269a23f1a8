"""The best price stays where a cancelled order was."""

from cambist.internal.journal.v1 import frames_pb2
from tests.reference.told import Told
from tests.reference.venue import BUY, FIRST, MARKET, SELL, STRANGER, Venue


def best(told: Told) -> tuple[int, int, int, int]:
    """Best bid and ask with their quantities."""
    (quote,) = told.of_kind(frames_pb2.FRAME_KIND_BBO, MARKET)
    return quote.bid_price_ticks, quote.bid_lots, quote.ask_price_ticks, quote.ask_lots


def test_the_best_price_falls_back_to_the_next_level(venue: Venue) -> None:
    bids = [venue.place(FIRST, BUY, price, price) for price in (98, 100, 99)]
    assert best(venue.place(FIRST, SELL, 105, 1).told) == (100, 100, 105, 1)
    assert best(venue.send(venue.cancel(FIRST, bids[1].id))) == (99, 99, 105, 1)
    assert best(venue.send(venue.cancel(FIRST, bids[2].order_id))) == (98, 98, 105, 1)
    assert best(venue.send(venue.mass_cancel(FIRST))) == (0, 0, 0, 0)


def test_nothing_trades_at_a_price_that_was_cancelled(venue: Venue) -> None:
    gone = venue.place(FIRST, SELL, 100, 5)
    venue.place(FIRST, SELL, 103, 5)
    venue.send(venue.cancel(FIRST, gone.id))
    told = venue.place(STRANGER, BUY, 102, 5).told
    assert told.trades(MARKET) == []
    assert venue.book() == (["5@102 of 5000"], ["5@103 of 4096"])
