"""An amendment leaks a part of the reservation, or makes one up."""

import pytest

from tests.reference.venue import BASE, BUY, FIRST, QUOTE, SELL, STRANGER, WEALTH, Venue


@pytest.mark.parametrize(
    "changes",
    [
        ((101, 0), (99, 0), (100, 0)),
        ((0, 20), (0, 6), (0, 10)),
        ((150, 30), (20, 5), (77, 13)),
        ((1, 0), (10**6, 4)),
    ],
)
@pytest.mark.parametrize("filled", [0, 3])
def test_holds_follow_every_amendment_and_end_at_zero(
    venue: Venue, changes: tuple[tuple[int, int], ...], filled: int
) -> None:
    bid = venue.place(FIRST, BUY, 100, 10)
    if filled:
        venue.place(STRANGER, SELL, 100, filled)
    price, lots = 100, 10
    for new_price, new_lots in changes:
        venue.send(venue.amend(FIRST, bid.id, new_price, new_lots))
        price, lots = new_price or price, new_lots or lots
        notional = price * (lots - filled) * 5
        assert venue.balance(FIRST, QUOTE)[1] == notional + -(-notional * 2_000 // 10**6)
    venue.send(venue.cancel(FIRST, bid.id))
    paid = filled * 100 * 5
    assert venue.balance(FIRST, QUOTE) == (WEALTH - paid - -(-paid // 1_000), 0, 0)


def test_an_ask_holds_its_lots(venue: Venue) -> None:
    ask = venue.place(FIRST, SELL, 100, 10)
    for lots in (25, 3, 12):
        venue.send(venue.amend(FIRST, ask.order_id, lots=lots))
        assert venue.balance(FIRST, BASE) == (WEALTH - lots * 100, lots * 100, 0)


def test_an_amendment_beyond_the_funds_changes_nothing(venue: Venue) -> None:
    bid = venue.place(FIRST, BUY, 100, 10)
    venue.set_available(FIRST, QUOTE, 500)
    before = venue.state
    told = venue.send(venue.amend(FIRST, bid.id, price=110))
    assert told.lines(FIRST) == ["CANCEL REJECTED INSUFFICIENT_FUNDS"]
    assert (venue.state.money, venue.state.books) == (before.money, before.books)
    # 109 costs 450 atoms and 1 of fee more than 100; the hold of before counts.
    told = venue.send(venue.amend(FIRST, bid.id, price=109))
    assert told.lines(FIRST) == ["REPLACED 10@109 leaves 10 cum 0"]
    assert venue.available(FIRST, QUOTE) == 500 - 451
