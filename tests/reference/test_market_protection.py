"""Market-order protection under rules version 2: docs/semantics/risk.md, section 5."""

from typing import Any

import pytest

from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.messages import amount
from tests.reference.told import Told
from tests.reference.triggers.orders import STOP, STOP_LIMIT, conditional, trade_at
from tests.reference.venue import BUY, FIRST, GROUPED, MARKET, SELL, STRANGER, Venue

FOK = enums.TIME_IN_FORCE_FOK
# A best price of 1,000 lets market orders trade from 990 to 1,010.
PERCENT = 10_000


def protected(venue: Venue, side: enums.Side.ValueType, *prices: int, ppm: int = PERCENT) -> None:
    """A protected market with two lots at each of these prices."""
    told = venue.update_market(market_protection_ppm=ppm)
    assert told.system()[0] == "answer"
    for price in prices:
        venue.place(FIRST, side, price, 2)


def fills(told: Told, account: int) -> list[tuple[int, int]]:
    """Lots and prices that an account traded."""
    return [
        (report.last_lots, report.last_price_ticks)
        for report in told.reports(account)
        if report.exec_type == enums.EXEC_TYPE_TRADE
    ]


def ending(told: Told, account: int) -> str:
    """Why the rest of an account's last order was cancelled."""
    return enums.CancelReason.Name(told.reports(account)[-1].cancel_reason)


@pytest.mark.parametrize(
    ("taker", "prices"), [(BUY, (1_000, 1_010, 1_011)), (SELL, (1_000, 990, 989))]
)
def test_a_market_order_stops_at_a_distance_from_the_best_price_it_met(
    second_venue: Venue, taker: enums.Side.ValueType, prices: tuple[int, ...]
) -> None:
    venue = second_venue
    protected(venue, SELL if taker == BUY else BUY, *prices)
    before = venue.balance(STRANGER, 1)[1], venue.balance(STRANGER, 2)[1]
    told = venue.send(venue.market_order(STRANGER, taker, 9))
    assert fills(told, STRANGER) == [(2, price) for price in prices[:2]]
    assert ending(told, STRANGER) == "CANCEL_REASON_MARKET_PROTECTION"
    assert (venue.balance(STRANGER, 1)[1], venue.balance(STRANGER, 2)[1]) == before
    # The next one begins anew, at the price that is best now.
    told = venue.send(venue.market_order(STRANGER, taker, 2))
    assert fills(told, STRANGER) == [(2, prices[2])]


def test_the_distance_is_rounded_toward_the_best_price(second_venue: Venue) -> None:
    venue = second_venue
    # One per cent of 1,999 is 19.99.
    protected(venue, SELL, 1_999, 2_018, 2_019)
    assert fills(venue.send(venue.market_order(STRANGER, BUY, 9)), STRANGER) == [
        (2, 1_999),
        (2, 2_018),
    ]


def test_a_budget_and_an_empty_book_end_as_they_did(second_venue: Venue) -> None:
    venue = second_venue
    protected(venue, SELL, 1_000)
    told = venue.send(venue.market_order(STRANGER, BUY, 0, quote_budget_atoms=amount(10**9)))
    assert ending(told, STRANGER) == "CANCEL_REASON_NO_LIQUIDITY"
    venue.place(FIRST, SELL, 1_000, 2)
    venue.place(FIRST, SELL, 1_011, 2)
    told = venue.send(venue.market_order(STRANGER, BUY, 0, quote_budget_atoms=amount(10**9)))
    assert ending(told, STRANGER) == "CANCEL_REASON_MARKET_PROTECTION"


@pytest.mark.parametrize("fields", [{"time_in_force": FOK}, {"minimum_lots": 5}])
def test_what_lies_beyond_fills_no_order_that_must_be_filled(
    second_venue: Venue, fields: dict[str, int]
) -> None:
    venue = second_venue
    protected(venue, SELL, 1_000, 1_010, 1_011)
    books = venue.engine.state_parts()["books"]
    told = venue.send(venue.market_order(STRANGER, BUY, 5, **fields))
    assert told.reasons() == ["FOK_NOT_FILLABLE"]
    assert venue.engine.state_parts()["books"] == books
    told = venue.send(venue.market_order(STRANGER, BUY, 4, time_in_force=FOK))
    assert fills(told, STRANGER) == [(2, 1_000), (2, 1_010)]


def test_limit_orders_go_as_far_as_their_price(second_venue: Venue) -> None:
    venue = second_venue
    protected(venue, SELL, 1_000, 1_011, 2_000)
    told = venue.place(STRANGER, BUY, 2_000, 6).told
    assert fills(told, STRANGER) == [(2, 1_000), (2, 1_011), (2, 2_000)]


@pytest.mark.parametrize(
    ("fields", "traded", "reason"),
    [
        ({"price": 2_000}, [1_000, 1_010], "CANCEL_REASON_MARKET_PROTECTION"),
        ({"price": 1_005}, [1_000], "CANCEL_REASON_IOC"),
        # As tight as the protection: its own price ends it.
        ({"price": 1_010}, [1_000, 1_010], "CANCEL_REASON_IOC"),
        (
            {"lots": 0, "quote_budget_atoms": amount(10**9)},
            [1_000, 1_010],
            "CANCEL_REASON_MARKET_PROTECTION",
        ),
    ],
)
def test_a_stop_that_became_a_market_order_is_protected_too(
    second_venue: Venue, fields: dict[str, Any], traded: list[int], reason: str
) -> None:
    venue = second_venue
    wanted = {"account": GROUPED, "lots": 9} | fields
    venue.send(conditional(venue, STOP, BUY, 900, **wanted))
    protected(venue, SELL, 1_000, 1_010, 1_011)
    told = trade_at(venue, 900)
    assert [price for _, price in fills(told, GROUPED)] == traded
    assert ending(told, GROUPED) == reason


def test_a_stop_that_sells_at_any_price_is_protected(second_venue: Venue) -> None:
    venue = second_venue
    venue.send(conditional(venue, STOP, SELL, 1_100, 9, account=GROUPED))
    protected(venue, BUY, 1_000, 990, 989)
    told = trade_at(venue, 1_100)
    assert fills(told, GROUPED) == [(2, 1_000), (2, 990)]
    assert ending(told, GROUPED) == "CANCEL_REASON_MARKET_PROTECTION"


def test_a_stop_limit_is_a_limit_order(second_venue: Venue) -> None:
    venue = second_venue
    venue.send(conditional(venue, STOP_LIMIT, BUY, 900, 6, account=GROUPED, price=2_000))
    protected(venue, SELL, 1_000, 1_010, 1_011)
    assert len(fills(trade_at(venue, 900), GROUPED)) == 3


def test_a_restored_market_protects_as_before(second_venue: Venue) -> None:
    venue = second_venue
    protected(venue, SELL, 1_000, 1_011)
    venue.restore()
    told = venue.send(venue.market_order(STRANGER, BUY, 9))
    assert fills(told, STRANGER) == [(2, 1_000)]


@pytest.mark.parametrize("ppm", [1_000_000, (1 << 32) - 1])
def test_a_distance_beyond_its_bound_is_refused(second_venue: Venue, ppm: int) -> None:
    told = second_venue.update_market(market_protection_ppm=ppm)
    assert told.reasons() == ["INVALID_PARAMETER"]


def test_the_largest_distance_leaves_a_price_above_zero(second_venue: Venue) -> None:
    venue = second_venue
    protected(venue, BUY, 1_000_000, 1, ppm=999_999)
    told = venue.send(venue.market_order(STRANGER, SELL, 9))
    assert fills(told, STRANGER) == [(2, 1_000_000), (2, 1)]
    assert venue.book(MARKET) == ([], [])


def test_older_rules_know_no_protection(venue: Venue) -> None:
    assert venue.update_market(market_protection_ppm=1).reasons() == ["UNSUPPORTED"]
    assert venue.update_market(market_protection_ppm=0).reasons() == []
