"""A fill-or-kill order trades and is then refused."""

import pytest

from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.venue import BASE, BUY, FIRST, MARKET, QUOTE, SELL, STRANGER, Venue

FOK = enums.TIME_IN_FORCE_FOK


@pytest.mark.parametrize("is_market", [False, True])
def test_a_fill_or_kill_order_is_filled_wholly_or_changes_nothing(
    venue: Venue, is_market: bool
) -> None:
    for price, lots in ((100, 2), (101, 2), (105, 9)):
        venue.place(FIRST, SELL, price, lots)
    before = venue.state

    def take(lots: int) -> list[str]:
        if is_market:
            sent = venue.market_order(STRANGER, BUY, lots, time_in_force=FOK)
        else:
            sent = venue.order(STRANGER, BUY, 101, lots, time_in_force=FOK)
        return venue.send(sent).lines(STRANGER)

    assert take(14 if is_market else 5) == ["REJECTED FOK_NOT_FILLABLE"]
    assert (venue.state.books, venue.state.money) == (before.books, before.money)
    lines = take(4)
    assert lines[1:] == ["TRADE 2@100 TAKER leaves 2 fee 2", "TRADE 2@101 TAKER leaves 0 fee 3"]


def test_a_fill_or_kill_market_order_without_the_money_changes_nothing(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 5)
    venue.place(FIRST, BUY, 99, 5)
    venue.set_available(STRANGER, QUOTE, 2 * (500 + 1) - 1)
    venue.set_available(STRANGER, BASE, 199)
    for side in (BUY, SELL):
        sent = venue.market_order(STRANGER, side, 2, time_in_force=FOK)
        assert venue.send(sent).lines(STRANGER) == ["REJECTED FOK_NOT_FILLABLE"]
    venue.set_available(STRANGER, QUOTE, 1_002)
    told = venue.send(venue.market_order(STRANGER, BUY, 2, time_in_force=FOK))
    assert [trade.quantity_lots for trade in told.trades(MARKET)] == [2]
    assert venue.available(STRANGER, QUOTE) == 0
