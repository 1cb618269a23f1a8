"""An amendment into the cross is not matched, or is priced at its own limit."""

from tests.reference.venue import BASE, BUY, FIRST, MARKET, QUOTE, SELL, STRANGER, WEALTH, Venue


def test_an_amended_order_trades_at_the_prices_that_rest(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 2)
    venue.place(FIRST, SELL, 101, 2)
    bid = venue.place(STRANGER, BUY, 90, 5)
    told = venue.send(venue.amend(STRANGER, bid.id, price=105))
    assert told.lines(STRANGER) == [
        "REPLACED 5@105 leaves 5 cum 0",
        "TRADE 2@100 TAKER leaves 3 fee 2",
        "TRADE 2@101 TAKER leaves 1 fee 3",
    ]
    assert [trade.price_ticks for trade in told.trades(MARKET)] == [100, 101]
    assert venue.book() == (["1@105 of 5000"], [])
    hold = 105 * 5 + 2
    paid = 2 * 100 * 5 + 2 + 2 * 101 * 5 + 3
    assert venue.balance(STRANGER, QUOTE) == (WEALTH - paid - hold, hold, 0)
    assert venue.available(STRANGER, BASE) == WEALTH + 400


def test_an_amended_order_that_is_filled_does_not_rest(venue: Venue) -> None:
    venue.place(FIRST, BUY, 100, 5)
    ask = venue.place(STRANGER, SELL, 120, 5)
    told = venue.send(venue.amend(STRANGER, ask.order_id, price=99))
    assert told.lines(STRANGER)[1] == "TRADE 5@100 TAKER leaves 0 fee 5"
    assert venue.book() == ([], [])
    gone = venue.send(venue.cancel(STRANGER, ask.id))
    assert gone.lines(STRANGER) == ["CANCEL REJECTED ORDER_CLOSED"]
