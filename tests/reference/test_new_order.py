"""Section 4: what a new order may be, check by check, and what an accepted one does."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.messages import amount
from tests.reference.venue import (
    BASE,
    BUY,
    FIRM,
    FIRST,
    MAKER_PPM,
    MARKET,
    OTHER_MARKET,
    QUOTE,
    SECOND,
    SECOND_NS,
    SELL,
    SESSION,
    SHARD,
    STRANGER,
    TAKER_PPM,
    WEALTH,
    Venue,
)

LIMIT, MARKET_ORDER = enums.ORDER_TYPE_LIMIT, enums.ORDER_TYPE_MARKET
GTC, IOC = enums.TIME_IN_FORCE_GTC, enums.TIME_IN_FORCE_IOC
FOK, GTD = enums.TIME_IN_FORCE_FOK, enums.TIME_IN_FORCE_GTD
DECREMENT = enums.SELF_TRADE_PREVENTION_DECREMENT
WRONG_COMBINATION: Final = "INVALID_COMBINATION"
AMOUNT_ATOMS_MAX: Final = 1 << 120
FIVE: Final = amount(5)
# Fields, on top of a limit order GTC of 10 lots at 100 that buys, that do not go together.
COMBINATIONS: Final[list[dict[str, Any]]] = [
    {"quote_budget_atoms": FIVE},
    {"quote_budget_atoms": FIVE, "quantity_lots": 0},
    {"order_type": MARKET_ORDER, "time_in_force": IOC},
    {"order_type": MARKET_ORDER, "price_ticks": 0},
    {"order_type": MARKET_ORDER, "price_ticks": 0, "time_in_force": GTD, "expire_time_ns": 1},
    {"order_type": MARKET_ORDER, "price_ticks": 0, "time_in_force": IOC, "quantity_lots": 0},
    {
        "order_type": MARKET_ORDER,
        "price_ticks": 0,
        "time_in_force": IOC,
        "quote_budget_atoms": FIVE,
    },
    {"post_only": True, "time_in_force": IOC},
    {"post_only": True, "time_in_force": FOK},
    {"post_only": True, "order_type": MARKET_ORDER, "price_ticks": 0, "time_in_force": IOC},
    {"expire_time_ns": 1 << 62},
    {"expire_time_ns": 1, "time_in_force": IOC},
]
BY_BUDGET: Final[dict[str, Any]] = {
    "order_type": MARKET_ORDER,
    "time_in_force": IOC,
    "price_ticks": 0,
    "quantity_lots": 0,
    "quote_budget_atoms": FIVE,
}
LATER: Final[list[dict[str, Any]]] = [
    *({"order_type": kind} for kind in enums.OrderType.values() if kind > MARKET_ORDER),
    *({"time_in_force": life} for life in enums.TimeInForce.values() if life > GTD),
    *(
        {name: 1}
        for name in (
            "display_lots",
            "minimum_lots",
            "trigger_price_ticks",
            "trailing_offset_ticks",
            "trailing_offset_ppm",
        )
    ),
    {"peg_offset_ticks": -1},
    {"hidden": True},
]


def refusal(venue: Venue, fields: dict[str, Any]) -> list[str]:
    """What a limit order GTC of 10 lots at 100 with other fields is told."""
    sent = venue.order(FIRST, BUY, 100, 10)
    for name, value in fields.items():
        setattr(sent, name, value)
    return venue.send(sent).lines(FIRST)


@pytest.mark.parametrize("fields", COMBINATIONS)
def test_fields_that_do_not_go_together_are_refused(venue: Venue, fields: dict[str, Any]) -> None:
    assert refusal(venue, fields) == [f"REJECTED {WRONG_COMBINATION}"]


@pytest.mark.parametrize("name", ["side", "order_type", "time_in_force"])
def test_what_is_not_said_is_refused(venue: Venue, name: str) -> None:
    assert refusal(venue, {name: 0}) == [f"REJECTED {WRONG_COMBINATION}"]


@pytest.mark.parametrize(
    "change",
    [{"side": SELL}, {"time_in_force": FOK}, {"self_trade_prevention": DECREMENT}],
)
def test_a_budget_goes_with_an_immediate_buy_only(venue: Venue, change: dict[str, Any]) -> None:
    assert refusal(venue, BY_BUDGET)[0] == "NEW 0@0"
    assert refusal(venue, BY_BUDGET | change) == [f"REJECTED {WRONG_COMBINATION}"]


@pytest.mark.parametrize("fields", LATER)
def test_what_later_versions_carry_out_is_refused(venue: Venue, fields: dict[str, Any]) -> None:
    assert refusal(venue, fields) == ["REJECTED UNSUPPORTED"]


def account_limits(*, frozen: bool) -> system.SetAccountLimits:
    """One open order only."""
    limits = system.AccountLimits(open_orders_max=1)
    return system.SetAccountLimits(account_id=FIRST, limits=limits, frozen=frozen)


def set_every_obstacle(venue: Venue) -> None:
    """Account, market and session are such that nothing at all would be taken."""
    venue.operate(account_limits(frozen=True))
    venue.place(SECOND, SELL, 50, 1)
    venue.update_market(
        price_step_ticks=2,
        quantity_step_lots=5,
        minimum_quantity_lots=10,
        maximum_quantity_lots=100,
        minimum_notional_atoms=amount(10_000),
        maximum_notional_atoms=amount(20_000),
        resting_orders_max=1,
    )
    venue.establish(SESSION, FIRM, (FIRST,), market_ids=[OTHER_MARKET])
    venue.kill_account(FIRST)
    venue.set_phase(enums.MARKET_PHASE_HALTED)


def test_the_first_check_that_applies_answers(venue: Venue) -> None:
    set_every_obstacle(venue)
    venue.set_available(FIRST, QUOTE, 10_019)
    fields: dict[str, Any] = {
        "side": 0,
        "hidden": True,
        "market_id": 1,
        "expire_time_ns": 1,
        "price_ticks": 0,
        "quantity_lots": 0,
        "post_only": True,
    }

    def change(**changed: Any) -> Callable[[], object]:
        return lambda: fields.update(changed)

    # Each step takes one obstacle away; the next one answers.
    ladder: list[tuple[Callable[[], object], str]] = [
        (change(), "INVALID_COMBINATION"),
        (change(side=BUY), "UNSUPPORTED"),
        (change(hidden=False), "WRONG_SHARD"),
        (change(market_id=SHARD << 16 | 9), "UNKNOWN_MARKET"),
        (change(market_id=MARKET), "MARKET_NOT_PERMITTED"),
        (lambda: venue.establish(SESSION, FIRM, (FIRST,)), "ACCOUNT_FROZEN"),
        (lambda: venue.operate(account_limits(frozen=False)), "KILLED"),
        (lambda: venue.kill_account(FIRST, active=False), "PHASE HALTED"),
        (lambda: venue.set_phase(enums.MARKET_PHASE_CONTINUOUS), "INVALID_COMBINATION"),
        (change(time_in_force=GTD), "INVALID_PRICE"),
        (change(price_ticks=201), "OFF_TICK"),
        (change(price_ticks=200), "INVALID_QUANTITY"),
        (change(quantity_lots=3), "OFF_LOT"),
        (change(quantity_lots=5), "QUANTITY_BELOW_MINIMUM"),
        (change(quantity_lots=105), "QUANTITY_ABOVE_MAXIMUM"),
        (change(quantity_lots=10, price_ticks=198), "NOTIONAL_BELOW_MINIMUM"),
        (change(quantity_lots=25, price_ticks=200), "NOTIONAL_ABOVE_MAXIMUM"),
        (change(quantity_lots=10), "INVALID_EXPIRE_TIME"),
        (change(expire_time_ns=venue.now + SECOND_NS), "OPEN_ORDERS_LIMIT"),
        (lambda: venue.operate(system.SetAccountLimits(account_id=FIRST)), "BOOK_FULL"),
        (venue.update_market, "POST_ONLY_WOULD_CROSS"),
        (change(post_only=False), "INSUFFICIENT_FUNDS"),
        (lambda: venue.credit(FIRST, QUOTE, 1), ""),
    ]
    for number, (fix, expected) in enumerate(ladder):
        fix()
        if expected == "OPEN_ORDERS_LIMIT":
            venue.place(FIRST, SELL, 1, 1, market_id=OTHER_MARKET)
        sent = venue.order(FIRST, BUY, 100, 10)
        for name, value in fields.items():
            setattr(sent, name, value)
        told = venue.in_session(sent).lines(FIRST)
        assert told[0] == (f"REJECTED {expected}" if expected else "NEW 10@200"), number


def test_a_phase_is_named_and_post_only_takes_what_may_rest(venue: Venue) -> None:
    takes = {
        enums.MARKET_PHASE_CONTINUOUS: {GTC, IOC, GTD},
        enums.MARKET_PHASE_POST_ONLY: {GTC, GTD},
        enums.MARKET_PHASE_CANCEL_ONLY: set(),
        enums.MARKET_PHASE_HALTED: set(),
    }
    for phase, taken in takes.items():
        venue.set_phase(phase)
        name = enums.MarketPhase.Name(phase).removeprefix("MARKET_PHASE_")
        for life in (GTC, IOC, GTD):
            end = venue.now + SECOND_NS if life == GTD else 0
            told = refusal(venue, {"time_in_force": life, "expire_time_ns": end})
            assert told[0] == ("NEW 10@100" if life in taken else f"REJECTED PHASE {name}")
        market_order = venue.send(venue.market_order(FIRST, SELL, 1)).lines(FIRST)
        if phase != enums.MARKET_PHASE_CONTINUOUS:
            assert market_order == [f"REJECTED PHASE {name}"]


def test_the_phase_post_only_refuses_what_would_trade(venue: Venue) -> None:
    venue.place(SECOND, SELL, 100, 1)
    venue.set_phase(enums.MARKET_PHASE_POST_ONLY)
    assert refusal(venue, {}) == ["REJECTED POST_ONLY_WOULD_CROSS"]
    assert refusal(venue, {"price_ticks": 99})[0] == "NEW 10@99"
    assert not venue.state.books.books[0].bids[0].post_only


@pytest.mark.parametrize(
    ("ahead_ns", "expected"),
    [
        (0, "REJECTED INVALID_EXPIRE_TIME"),
        (1, "NEW 10@100"),
        (400 * 86_400 * SECOND_NS, "NEW 10@100"),
        (400 * 86_400 * SECOND_NS + 1, "REJECTED INVALID_EXPIRE_TIME"),
    ],
)
def test_the_end_of_an_order_is_in_the_next_400_days(
    venue: Venue, ahead_ns: int, expected: str
) -> None:
    # The batch of the order is a microsecond later than the clock of the test.
    end = venue.now + 1_000 + ahead_ns
    assert refusal(venue, {"time_in_force": GTD, "expire_time_ns": end})[0] == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"quantity_lots": 1 << 53}, "NEW"),
        ({"quantity_lots": (1 << 53) + 1}, "REJECTED INVALID_QUANTITY"),
        ({"price_ticks": 1 << 53, "quantity_lots": 1}, "NEW"),
        ({"price_ticks": (1 << 53) + 1}, "REJECTED INVALID_PRICE"),
        ({"price_ticks": -1}, "REJECTED INVALID_PRICE"),
        (BY_BUDGET | {"quote_budget_atoms": amount(-1)}, "REJECTED INVALID_QUANTITY"),
        (BY_BUDGET | {"quote_budget_atoms": amount(1 << 120)}, "NEW"),
        (BY_BUDGET | {"quote_budget_atoms": amount((1 << 120) + 1)}, "REJECTED INVALID_QUANTITY"),
    ],
)
def test_bounds_of_numbers(venue: Venue, fields: dict[str, Any], expected: str) -> None:
    venue.set_available(FIRST, QUOTE, 1 << 80)
    assert refusal(venue, fields)[0].startswith(expected)


def test_a_base_amount_beyond_the_bound_is_refused(venue: Venue) -> None:
    coarse = SHARD << 16 | 9
    venue.operate(
        system.CreateAsset(asset_id=5, symbol="COARSE", decimals=30),
        system.CreateMarket(
            market_id=coarse,
            symbol="COARSE",
            base_asset_id=5,
            quote_asset_id=QUOTE,
            # Times the tick it is 10^30: a tick value of one.
            lot_size_atoms=amount(5**30),
            tick_size_atoms=amount(2**30),
        ),
        system.SetPhase(market_id=coarse, phase=enums.MARKET_PHASE_CONTINUOUS),
    )
    most = AMOUNT_ATOMS_MAX // 5**30
    for lots, expected in ((most, "INSUFFICIENT_FUNDS"), (most + 1, "NOTIONAL_OVERFLOW")):
        told = venue.send(venue.order(FIRST, SELL, 1, lots, market_id=coarse))
        assert told.reasons() == [expected]
        sold = venue.send(venue.market_order(FIRST, SELL, lots, market_id=coarse))
        assert sold.reasons() == (["NOTIONAL_OVERFLOW"] if lots > most else [])


def test_a_hold_is_the_price_with_the_fee_of_now(venue: Venue) -> None:
    bid = venue.place(FIRST, BUY, 33, 7).told.reports(FIRST)[0]
    notional = 33 * 7 * 5
    assert venue.balance(FIRST, QUOTE) == (WEALTH - notional - 3, notional + 3, 0)
    venue.place(FIRST, SELL, 40, 7)
    assert venue.balance(FIRST, BASE) == (WEALTH - 700, 700, 0)
    venue.update_market(taker_fee_ppm=100_000)
    venue.place(STRANGER, BUY, 33, 7)
    assert venue.balance(STRANGER, QUOTE)[1] == notional + 116
    (book, _) = venue.state.books.books
    assert [order.taker_fee_ppm for order in book.bids] == [TAKER_PPM, 100_000]
    assert [order.maker_fee_ppm for order in book.bids] == [MAKER_PPM, MAKER_PPM]
    assert bid.leaves_lots == 7


def test_exactly_the_hold_is_enough(venue: Venue) -> None:
    for available, expected in ((5_009, "REJECTED INSUFFICIENT_FUNDS"), (5_010, "NEW 10@100")):
        venue.set_available(FIRST, QUOTE, available)
        assert refusal(venue, {}) == [expected]
    for available, expected in ((999, "REJECTED INSUFFICIENT_FUNDS"), (1_000, "NEW 10@101")):
        venue.set_available(STRANGER, BASE, available)
        told = venue.send(venue.order(STRANGER, SELL, 101, 10))
        assert told.lines(STRANGER) == [expected]


def test_numbers_of_orders_ascend_and_a_refused_one_takes_none(venue: Venue) -> None:
    first = venue.place(FIRST, BUY, 10, 1)
    refusal(venue, {"price_ticks": 0})
    second = venue.place(STRANGER, BUY, 10, 1, market_id=OTHER_MARKET)
    taker = venue.place(STRANGER, SELL, 10, 1, time_in_force=IOC)
    assert [p.order_id for p in (first, second, taker)] == [1, 2, 3]
    publics = [p.told.reports()[0].public_order_id for p in (first, second)]
    # Public ids are those of a market, and only what may rest has one.
    assert publics == [1, 1]
    own = next(r for r in taker.told.reports(STRANGER) if r.exec_type == enums.EXEC_TYPE_NEW)
    assert own.public_order_id == 0
