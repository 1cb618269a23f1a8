"""A limit order sweeps through its own price."""

from cambist.orders.v1.enums_pb2 import SELF_TRADE_PREVENTION_NONE as NONE
from tests.reference.venue import BUY, FIRST, MARKET, SELL, STRANGER, Venue


def test_a_sweep_stops_at_the_price_of_the_taker(venue: Venue) -> None:
    for price in (100, 101, 102, 103):
        venue.place(FIRST, SELL, price, 1)
        venue.place(FIRST, BUY, price - 50, 1)
    buys = venue.place(STRANGER, BUY, 102, 9).told
    assert [trade.price_ticks for trade in buys.trades(MARKET)] == [100, 101, 102]
    assert venue.book()[0][0] == "6@102 of 5000"
    sells = venue.place(STRANGER, SELL, 52, 9, self_trade_prevention=NONE).told
    assert [trade.price_ticks for trade in sells.trades(MARKET)] == [102, 53, 52]
    assert venue.book() == (
        ["1@51 of 4096", "1@50 of 4096"],
        ["1@52 of 5000", "1@103 of 4096"],
    )
