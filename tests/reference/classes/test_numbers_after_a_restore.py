"""A restored engine starts its trade ids, order ids or feed numbers anew."""

from tests.reference.told import Told
from tests.reference.venue import BUY, FIRST, MARKET, SELL, STRANGER, Venue


def trade_one(venue: Venue) -> Told:
    """A trade of one lot."""
    venue.place(FIRST, SELL, 100, 1)
    return venue.place(STRANGER, BUY, 100, 1).told


def test_all_numbers_go_on_after_a_restore(venue: Venue) -> None:
    for number in range(1, 6):
        told = trade_one(venue)
        (trade,) = told.trades(MARKET)
        assert trade.trade_id == number
        # The phase took the first number of the feed, each round two more.
        assert trade.market_seq == 1 + 2 * number
        assert [event.order_id for event in told.reports(STRANGER)] == [2 * number] * 2
        venue.restore()


def test_two_engines_restored_from_one_snapshot_tell_the_same(venue: Venue) -> None:
    trade_one(venue)
    snapshot, now = venue.engine.snapshot(), venue.now
    twins = []
    for _ in range(2):
        twin = Venue(venue.kind, venue.kind.restore(snapshot))
        twin.now, twin._ids = now, 500
        twins.append((trade_one(twin).row, twin.engine.state_hash))
    assert twins[0] == twins[1]
