"""Section 5, "Same group": what happens when an order meets one of its own group."""

import pytest

from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.differential.flow.messages import amount
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    GROUPED,
    GROUPED_STRANGER,
    MARKET,
    QUOTE,
    SECOND,
    SELL,
    STRANGER,
    WEALTH,
    Venue,
)

MODE = enums.SelfTradePrevention
NEWEST, OLDEST = (
    enums.SELF_TRADE_PREVENTION_CANCEL_NEWEST,
    enums.SELF_TRADE_PREVENTION_CANCEL_OLDEST,
)
BOTH, DECREMENT = enums.SELF_TRADE_PREVENTION_CANCEL_BOTH, enums.SELF_TRADE_PREVENTION_DECREMENT
NONE = enums.SELF_TRADE_PREVENTION_NONE
# Pairs of one group: an account with itself, two of one group, of different firms.
PAIRS = [(FIRST, FIRST), (GROUPED, GROUPED), (GROUPED, GROUPED_STRANGER)]


def meet(
    venue: Venue, maker: int, taker: int, mode: MODE.ValueType, maker_lots: int = 5, lots: int = 8
) -> tuple[list[str], list[str], list[str]]:
    """An ask, one of somebody else behind it, and a bid: told to taker, to maker, to the feed."""
    venue.place(maker, SELL, 100, maker_lots)
    venue.place(STRANGER, SELL, 100, 2)
    told = venue.place(taker, BUY, 100, lots, self_trade_prevention=mode).told
    to_taker, to_maker = told.lines(taker), told.lines(maker)
    assert to_taker[0] == f"NEW {lots}@100"
    return to_taker[1:], to_maker, told.l3(MARKET)


@pytest.mark.parametrize(("maker", "taker"), [(GROUPED, GROUPED_STRANGER)])
@pytest.mark.parametrize("mode", [MODE.Value("SELF_TRADE_PREVENTION_UNSPECIFIED"), NEWEST])
def test_cancel_newest_ends_the_taker(
    venue: Venue, maker: int, taker: int, mode: MODE.ValueType
) -> None:
    to_taker, to_maker, feed = meet(venue, maker, taker, mode)
    assert to_taker == ["PREVENTED 5@100 TAKER CANCEL_NEWEST", "CANCELED SELF_TRADE 8 cum 0"]
    assert to_maker == ["PREVENTED 5@100 MAKER CANCEL_NEWEST"]
    assert feed == []
    assert venue.balance(taker, QUOTE) == (WEALTH, 0, 0)


def test_cancel_oldest_ends_the_maker_and_goes_on(venue: Venue) -> None:
    to_taker, to_maker, feed = meet(venue, GROUPED, GROUPED_STRANGER, OLDEST)
    assert to_taker == [
        "PREVENTED 5@100 TAKER CANCEL_OLDEST",
        "TRADE 2@100 TAKER leaves 6 fee 2",
    ]
    assert to_maker == ["PREVENTED 5@100 MAKER CANCEL_OLDEST", "CANCELED SELF_TRADE 5 cum 0"]
    assert feed == ["DELETE 1", "EXECUTE 2 2", "ADD 3 BUY 6@100"]
    assert venue.balance(GROUPED, BASE) == (WEALTH, 0, 0)


def test_cancel_both_ends_both(venue: Venue) -> None:
    to_taker, to_maker, feed = meet(venue, GROUPED, GROUPED_STRANGER, BOTH)
    assert to_taker == ["PREVENTED 5@100 TAKER CANCEL_BOTH", "CANCELED SELF_TRADE 8 cum 0"]
    assert to_maker == ["PREVENTED 5@100 MAKER CANCEL_BOTH", "CANCELED SELF_TRADE 5 cum 0"]
    assert feed == ["DELETE 1"]


def test_both_of_one_account_are_ended_the_maker_first(venue: Venue) -> None:
    to_taker, _, _ = meet(venue, FIRST, FIRST, BOTH)
    assert to_taker == [
        "PREVENTED 5@100 TAKER CANCEL_BOTH",
        "PREVENTED 5@100 MAKER CANCEL_BOTH",
        "CANCELED SELF_TRADE 5 cum 0",
        "CANCELED SELF_TRADE 8 cum 0",
    ]


@pytest.mark.parametrize(
    ("maker_lots", "lots", "to_taker", "to_maker", "feed"),
    [
        (
            5,
            8,
            ["RESTATED 3 leaves 3 by 5", "TRADE 2@100 TAKER leaves 1 fee 2"],
            ["CANCELED SELF_TRADE 5 cum 0"],
            ["DELETE 1", "EXECUTE 2 2", "ADD 3 BUY 1@100"],
        ),
        (
            8,
            5,
            ["CANCELED SELF_TRADE 5 cum 0"],
            ["RESTATED 3 leaves 3 by 5"],
            ["MODIFY 1 3"],
        ),
        (
            5,
            5,
            ["CANCELED SELF_TRADE 5 cum 0"],
            ["CANCELED SELF_TRADE 5 cum 0"],
            ["DELETE 1"],
        ),
    ],
)
def test_decrement_takes_the_smaller_from_both(
    venue: Venue,
    maker_lots: int,
    lots: int,
    to_taker: list[str],
    to_maker: list[str],
    feed: list[str],
) -> None:
    told = meet(venue, GROUPED, GROUPED_STRANGER, DECREMENT, maker_lots, lots)
    assert told[0][1:] == to_taker
    assert told[1][1:] == to_maker
    assert told[2] == feed
    # Holds fit what is left: every step is checked by the venue of the test.
    kept = sum(int(bid.split("@")[0]) for bid in venue.book()[0])
    assert venue.balance(GROUPED_STRANGER, QUOTE)[1] == (501 * kept)


def test_a_decremented_maker_keeps_its_place(venue: Venue) -> None:
    meet(venue, GROUPED, GROUPED_STRANGER, DECREMENT, 8, 5)
    assert venue.book()[1] == ["3@100 of 4098", "2@100 of 5000"]
    told = venue.place(FIRST, BUY, 100, 4).told
    assert told.l3(MARKET) == ["EXECUTE 1 3", "EXECUTE 2 1"]


@pytest.mark.parametrize(("maker", "taker"), PAIRS)
def test_none_lets_them_trade(venue: Venue, maker: int, taker: int) -> None:
    venue.place(maker, SELL, 100, 5)
    told = venue.place(taker, BUY, 100, 5, self_trade_prevention=NONE).told
    assert "TRADE 5@100 TAKER leaves 0 fee 5" in told.lines(taker)
    assert "TRADE 5@100 MAKER leaves 0 fee 3" in told.lines(maker)


@pytest.mark.parametrize(("maker", "taker"), [(FIRST, SECOND), (FIRST, GROUPED), (STRANGER, FIRST)])
def test_accounts_of_no_common_group_trade(venue: Venue, maker: int, taker: int) -> None:
    venue.place(maker, SELL, 100, 5)
    told = venue.place(taker, BUY, 100, 5, self_trade_prevention=BOTH).told
    assert told.lines(taker)[-1] == "TRADE 5@100 TAKER leaves 0 fee 5"


@pytest.mark.parametrize(("maker", "taker"), PAIRS)
def test_the_mode_of_the_taker_rules(venue: Venue, maker: int, taker: int) -> None:
    venue.place(maker, SELL, 100, 5, self_trade_prevention=NONE)
    told = venue.place(taker, BUY, 100, 5, self_trade_prevention=OLDEST).told
    assert told.trades(MARKET) == []
    assert venue.book() == ([f"5@100 of {taker}"], [])


def test_a_prevented_match_is_told_wholly_to_both(venue: Venue) -> None:
    maker = venue.place(GROUPED, SELL, 99, 5)
    taker = venue.place(GROUPED_STRANGER, BUY, 100, 8)
    for account, placed, liquidity in (
        (GROUPED_STRANGER, taker, enums.LIQUIDITY_TAKER),
        (GROUPED, maker, enums.LIQUIDITY_MAKER),
    ):
        found = [event.prevented_match for event in taker.told.private(account)]
        assert (
            events.PreventedMatch(
                market_id=MARKET,
                order_id=placed.order_id,
                side=placed.sent.side,
                price_ticks=99,
                quantity_lots=5,
                mode=NEWEST,
                liquidity=liquidity,
            )
            in found
        )


@pytest.mark.parametrize(
    ("mode", "last"),
    [
        (NEWEST, "CANCELED SELF_TRADE 0 cum 2"),
        (BOTH, "CANCELED SELF_TRADE 0 cum 2"),
        (OLDEST, "CANCELED NO_LIQUIDITY 0 cum 2"),
    ],
)
def test_a_budget_meets_its_own_group(venue: Venue, mode: MODE.ValueType, last: str) -> None:
    venue.place(STRANGER, SELL, 99, 2)
    venue.place(GROUPED, SELL, 100, 5)
    sent = venue.market_order(
        GROUPED_STRANGER, BUY, 0, quote_budget_atoms=amount(10**9), self_trade_prevention=mode
    )
    told = venue.send(sent).lines(GROUPED_STRANGER)
    assert told[2].startswith("PREVENTED 5@100 TAKER")
    assert told[-1] == last


def test_an_amendment_meets_its_own_group_with_the_mode_it_was_entered_with(venue: Venue) -> None:
    venue.place(GROUPED, SELL, 100, 5)
    bid = venue.place(GROUPED_STRANGER, BUY, 90, 8, self_trade_prevention=DECREMENT)
    told = venue.send(venue.amend(GROUPED_STRANGER, bid.id, price=100))
    assert told.lines(GROUPED_STRANGER) == [
        "REPLACED 8@100 leaves 8 cum 0",
        "PREVENTED 5@100 TAKER DECREMENT",
        "RESTATED 3 leaves 3 by 5",
    ]
    assert venue.book() == (["3@100 of 5001"], [])
