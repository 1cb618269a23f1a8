"""Section 5: who trades with whom, at which price, and what it moves."""

import pytest

from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.messages import amount
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    LOT_ATOMS,
    MARKET,
    QUOTE,
    SECOND,
    SELL,
    STRANGER,
    TICK_VALUE,
    WEALTH,
    Venue,
)

FEES_ACCOUNT = 1


def test_best_price_first_then_who_came_first(venue: Venue) -> None:
    for account, price in ((FIRST, 101), (FIRST, 100), (SECOND, 100), (SECOND, 99), (FIRST, 99)):
        venue.place(account, SELL, price, 1)
    told = venue.place(STRANGER, BUY, 101, 5).told
    assert told.l3(MARKET) == [f"EXECUTE {public_id} 1" for public_id in (4, 5, 2, 3, 1)]
    for account, price in ((FIRST, 50), (FIRST, 51), (SECOND, 51), (SECOND, 52), (FIRST, 52)):
        venue.place(account, BUY, price, 1)
    told = venue.place(STRANGER, SELL, 50, 5).told
    # The bid of before, wholly filled, had taken number 6.
    assert told.l3(MARKET) == [f"EXECUTE {public_id} 1" for public_id in (10, 11, 8, 9, 7)]


@pytest.mark.parametrize("taker_side", [BUY, SELL])
@pytest.mark.parametrize(
    ("maker_ppm", "taker_ppm"), [(0, 0), (1_000, 2_000), (-1_000, 2_000), (333, 100_000)]
)
def test_money_of_a_trade(
    venue: Venue, taker_side: enums.Side.ValueType, maker_ppm: int, taker_ppm: int
) -> None:
    venue.update_market(maker_fee_ppm=maker_ppm, taker_fee_ppm=taker_ppm)
    price, lots = 37, 11
    venue.place(FIRST, SELL if taker_side == BUY else BUY, price, lots)
    venue.place(STRANGER, taker_side, price, lots)
    notional = price * lots * TICK_VALUE
    taker_fee = -(-notional * taker_ppm // 10**6)
    maker_fee = -(-notional * maker_ppm // 10**6) if maker_ppm > 0 else -(notional // 1_000)
    if not maker_ppm:
        maker_fee = 0
    sign = 1 if taker_side == BUY else -1
    base = lots * LOT_ATOMS
    assert venue.balance(STRANGER, BASE) == (WEALTH + sign * base, 0, 0)
    assert venue.balance(FIRST, BASE) == (WEALTH - sign * base, 0, 0)
    assert venue.balance(STRANGER, QUOTE) == (WEALTH - sign * notional - taker_fee, 0, 0)
    assert venue.balance(FIRST, QUOTE) == (WEALTH + sign * notional - maker_fee, 0, 0)
    assert venue.available(FEES_ACCOUNT, QUOTE) == taker_fee + maker_fee


def test_a_fee_is_rounded_up_and_a_rebate_down(venue: Venue) -> None:
    venue.update_market(maker_fee_ppm=-1_000, taker_fee_ppm=2_000)
    venue.place(FIRST, SELL, 1, 1)
    told = venue.place(STRANGER, BUY, 1, 1).told
    # Of five atoms 0.01 are the fee and 0.005 the rebate.
    assert told.lines(STRANGER)[1] == "TRADE 1@1 TAKER leaves 0 fee 1"
    assert told.lines(FIRST) == ["TRADE 1@1 MAKER leaves 0 fee 0"]


def test_a_buyer_pays_the_better_price_and_gets_the_difference_back(venue: Venue) -> None:
    venue.place(FIRST, SELL, 90, 4)
    venue.place(STRANGER, BUY, 100, 10)
    paid, rest = 90 * 4 * 5 + 4, 100 * 6 * 5 + 6
    assert venue.balance(STRANGER, QUOTE) == (WEALTH - paid - rest, rest, 0)


def test_many_small_fills_never_cost_more_than_was_held(venue: Venue) -> None:
    placed = venue.place(STRANGER, BUY, 1, 10)
    hold = venue.balance(STRANGER, QUOTE)[1]
    assert hold == 50 + 1
    fees = []
    for _ in range(10):
        told = venue.place(FIRST, SELL, 1, 1).told
        fees.append(told.reports(STRANGER)[0].fee_atoms)
    # The maker's fee of each fill is one atom, but the hold has one atom of fee in all.
    assert fees.count(amount(1)) == 1
    assert fees.count(b"") == 9
    assert venue.balance(STRANGER, QUOTE) == (WEALTH - hold, 0, 0)
    assert placed.told.lines(STRANGER) == ["NEW 10@1"]


def test_the_fees_of_an_order_are_those_of_its_entry(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 10)
    venue.update_market(maker_fee_ppm=50_000, taker_fee_ppm=100_000)
    told = venue.place(STRANGER, BUY, 100, 10).told
    assert told.lines(FIRST) == ["TRADE 10@100 MAKER leaves 0 fee 5"]
    assert told.lines(STRANGER)[1] == "TRADE 10@100 TAKER leaves 0 fee 500"


@pytest.mark.parametrize(
    ("funds", "expected"),
    [
        (501, ["TRADE 1@100 TAKER leaves 4 fee 1"]),
        (1_001, ["TRADE 1@100 TAKER leaves 4 fee 1"]),
        (1_002, ["TRADE 2@100 TAKER leaves 3 fee 2"]),
        (2_104, ["TRADE 2@100 TAKER leaves 3 fee 2", "TRADE 1@200 TAKER leaves 2 fee 2"]),
    ],
)
def test_a_market_buy_takes_what_funds_allow(venue: Venue, funds: int, expected: list[str]) -> None:
    venue.place(FIRST, SELL, 100, 2)
    venue.place(FIRST, SELL, 200, 9)
    venue.set_available(STRANGER, QUOTE, funds)
    told = venue.send(venue.market_order(STRANGER, BUY, 5)).lines(STRANGER)
    filled = sum(int(line.split()[1].split("@")[0]) for line in expected)
    assert told == ["NEW 5@0", *expected, f"CANCELED INSUFFICIENT_FUNDS 5 cum {filled}"]
    assert venue.available(STRANGER, QUOTE) >= 0


def test_a_market_sale_takes_what_there_is_to_sell(venue: Venue) -> None:
    venue.place(FIRST, BUY, 100, 9)
    venue.set_available(STRANGER, BASE, 399)
    told = venue.send(venue.market_order(STRANGER, SELL, 5)).lines(STRANGER)
    assert told[1:] == [
        "TRADE 3@100 TAKER leaves 2 fee 3",
        "CANCELED INSUFFICIENT_FUNDS 5 cum 3",
    ]
    assert venue.balance(STRANGER, BASE) == (99, 0, 0)


@pytest.mark.parametrize(
    ("budget", "spent", "lots"),
    [(501, 501, 1), (1_001, 501, 1), (1_002, 1_002, 2), (2_003, 1_002, 2), (2_004, 2_004, 3)],
)
def test_a_budget_includes_the_fee_and_is_not_passed(
    venue: Venue, budget: int, spent: int, lots: int
) -> None:
    venue.place(FIRST, SELL, 100, 2)
    venue.place(FIRST, SELL, 200, 9)
    told = venue.send(venue.market_order(STRANGER, BUY, 0, quote_budget_atoms=amount(budget)))
    assert told.lines(STRANGER)[-1] == f"CANCELED INSUFFICIENT_FUNDS 0 cum {lots}"
    assert venue.available(STRANGER, QUOTE) == WEALTH - spent
    assert venue.available(STRANGER, BASE) == WEALTH + lots * LOT_ATOMS
    assert {report.leaves_lots for report in told.reports(STRANGER)} == {0}


def test_a_budget_beyond_the_funds_takes_what_funds_allow(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 9)
    venue.set_available(STRANGER, QUOTE, 1_700)
    told = venue.send(venue.market_order(STRANGER, BUY, 0, quote_budget_atoms=amount(10**9)))
    assert told.lines(STRANGER)[1] == "TRADE 3@100 TAKER leaves 0 fee 3"
    assert venue.available(STRANGER, QUOTE) == 1_700 - 1_503


def test_a_budget_that_empties_the_book_ends_without_liquidity(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 2)
    told = venue.send(venue.market_order(STRANGER, BUY, 0, quote_budget_atoms=amount(10**9)))
    assert told.lines(STRANGER)[-1] == "CANCELED NO_LIQUIDITY 0 cum 2"


def test_a_post_only_order_that_does_not_cross_rests(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 2)
    assert venue.place(STRANGER, BUY, 99, 2, post_only=True).told.trades(MARKET) == []
    refused = venue.send(venue.order(STRANGER, BUY, 100, 2, post_only=True))
    assert refused.reasons() == ["POST_ONLY_WOULD_CROSS"]
    taker = venue.place(FIRST, SELL, 99, 2).told
    assert taker.lines(STRANGER) == ["TRADE 2@99 MAKER leaves 0 fee 1"]


def test_a_private_event_comes_with_its_place_in_the_feed(venue: Venue) -> None:
    venue.place(FIRST, SELL, 100, 2)
    venue.place(SECOND, SELL, 101, 2)
    told = venue.place(STRANGER, BUY, 101, 9).told
    assert told.lines(STRANGER) == [
        "NEW 9@101",
        "TRADE 2@100 TAKER leaves 7 fee 2",
        # Three by the rate, but the hold gives only two of fee for these lots.
        "TRADE 2@101 TAKER leaves 5 fee 2",
    ]
    assert told.l3(MARKET) == ["EXECUTE 1 2", "EXECUTE 2 2", "ADD 3 BUY 5@101"]
    assert [trade.trade_id for trade in told.trades(MARKET)] == [1, 2]
