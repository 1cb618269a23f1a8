"""A trade of quantity zero is printed."""

import pytest

from tests.differential.flow.messages import amount
from tests.reference.told import Told
from tests.reference.venue import BASE, BUY, FIRST, MARKET, QUOTE, SELL, STRANGER, Venue


def assert_nothing_traded(told: Told) -> None:
    """NEW, and the end of it."""
    assert told.trades(MARKET) == []
    assert told.lines(STRANGER)[1:] == [told.lines(STRANGER)[-1]]
    assert told.lines(STRANGER)[-1].startswith("CANCELED INSUFFICIENT_FUNDS")


@pytest.mark.parametrize("funds", [0, 1, 500])
def test_a_buy_that_cannot_pay_one_lot_ends_without_a_trade(venue: Venue, funds: int) -> None:
    venue.place(FIRST, SELL, 100, 5)
    venue.set_available(STRANGER, QUOTE, funds)
    assert_nothing_traded(venue.send(venue.market_order(STRANGER, BUY, 3)))
    budget = venue.market_order(STRANGER, BUY, 0, quote_budget_atoms=amount(500))
    assert_nothing_traded(venue.send(budget))


@pytest.mark.parametrize("funds", [0, 99])
def test_a_sale_of_less_than_a_lot_ends_without_a_trade(venue: Venue, funds: int) -> None:
    venue.place(FIRST, BUY, 100, 5)
    venue.set_available(STRANGER, BASE, funds)
    assert_nothing_traded(venue.send(venue.market_order(STRANGER, SELL, 3)))


def test_funds_for_exactly_one_lot_buy_one(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 5)
    venue.set_available(STRANGER, QUOTE, 501)
    told = venue.send(venue.market_order(STRANGER, BUY, 3))
    assert told.lines(STRANGER)[1:] == [
        "TRADE 1@100 TAKER leaves 2 fee 1",
        "CANCELED INSUFFICIENT_FUNDS 3 cum 1",
    ]
    assert venue.balance(STRANGER, QUOTE) == (0, 0, 0)
