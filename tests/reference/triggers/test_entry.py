"""Section 3: what a waiting order may be, what it holds, what is told."""

from typing import Any, Final

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.messages import amount, atoms
from tests.reference.triggers.orders import (
    FOK,
    GTC,
    GTD,
    IOC,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAILING,
    WAITING,
    conditional,
    waiting_ids,
)
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    LOT_ATOMS,
    MARKET,
    QUOTE,
    SELL,
    TAKER_PPM,
    TICK_VALUE,
    WEALTH,
    Venue,
)

PRICE_TICKS_MAX: Final = 1 << 53
DECREMENT = enums.SELF_TRADE_PREVENTION_DECREMENT
FIVE: Final = amount(5)
TRAILS: Final[dict[str, Any]] = {"order_type": TRAILING, "trigger_price_ticks": 0}
BUDGET: Final[dict[str, Any]] = {"quantity_lots": 0, "price_ticks": 0, "quote_budget_atoms": FIVE}
# Fields, on top of a stop-limit that buys 10 lots at 100 when the price is 90, and the refusal.
REFUSED: Final[list[tuple[dict[str, Any], str]]] = [
    ({"post_only": True}, "INVALID_COMBINATION"),
    ({"time_in_force": FOK}, "INVALID_COMBINATION"),
    ({"expire_time_ns": 1 << 62}, "INVALID_COMBINATION"),
    ({"trailing_offset_ticks": 1}, "INVALID_COMBINATION"),
    ({"trailing_offset_ppm": 1}, "INVALID_COMBINATION"),
    ({"quote_budget_atoms": FIVE}, "INVALID_COMBINATION"),
    ({"order_type": STOP, "time_in_force": IOC}, "INVALID_COMBINATION"),
    ({"order_type": TAKE_PROFIT, "time_in_force": FOK}, "INVALID_COMBINATION"),
    ({"order_type": STOP, "price_ticks": 0}, "INVALID_COMBINATION"),
    ({"order_type": STOP, "quote_budget_atoms": FIVE}, "INVALID_COMBINATION"),
    ({"order_type": STOP, **BUDGET, "price_ticks": 100}, "INVALID_COMBINATION"),
    ({"order_type": STOP, **BUDGET, "quantity_lots": 1}, "INVALID_COMBINATION"),
    ({"order_type": STOP, **BUDGET, "side": SELL}, "INVALID_COMBINATION"),
    ({"order_type": STOP, **BUDGET, "self_trade_prevention": DECREMENT}, "INVALID_COMBINATION"),
    ({**TRAILS}, "INVALID_COMBINATION"),
    ({**TRAILS, "trailing_offset_ticks": 1, "trailing_offset_ppm": 1}, "INVALID_COMBINATION"),
    ({"order_type": TRAILING, "trailing_offset_ticks": 1}, "INVALID_COMBINATION"),
    ({**TRAILS, "trailing_offset_ticks": -1}, "INVALID_PRICE"),
    ({**TRAILS, "trailing_offset_ticks": PRICE_TICKS_MAX + 1}, "INVALID_PRICE"),
    ({**TRAILS, "trailing_offset_ppm": 1_000_000}, "INVALID_PRICE"),
    ({"trigger_price_ticks": 0}, "INVALID_PRICE"),
    ({"trigger_price_ticks": -1}, "INVALID_PRICE"),
    ({"trigger_price_ticks": PRICE_TICKS_MAX + 1}, "INVALID_PRICE"),
    ({"price_ticks": 0}, "INVALID_PRICE"),
    ({"price_ticks": PRICE_TICKS_MAX + 1}, "INVALID_PRICE"),
    ({"order_type": STOP, "side": SELL, "price_ticks": -1}, "INVALID_PRICE"),
    (
        {"order_type": TRAILING, "price_ticks": -1, **TRAILS, "trailing_offset_ticks": 1},
        "INVALID_PRICE",
    ),
    ({"quantity_lots": 0}, "INVALID_QUANTITY"),
    ({"order_type": STOP, "side": SELL, "price_ticks": 0, "quantity_lots": 0}, "INVALID_QUANTITY"),
    ({"order_type": STOP, **BUDGET, "quote_budget_atoms": amount(-1)}, "INVALID_QUANTITY"),
    ({"time_in_force": GTD}, "INVALID_EXPIRE_TIME"),
    ({"quantity_lots": 1 << 50}, "INSUFFICIENT_FUNDS"),
    (
        {"order_type": STOP, **BUDGET, "quote_budget_atoms": amount(WEALTH + 1)},
        "INSUFFICIENT_FUNDS",
    ),
    (
        {"order_type": STOP, "side": SELL, "quantity_lots": WEALTH // LOT_ATOMS + 1},
        "INSUFFICIENT_FUNDS",
    ),
    ({"display_lots": 1}, "INVALID_COMBINATION"),
    ({"hidden": True}, "UNSUPPORTED"),
    ({"minimum_lots": 1}, "INVALID_COMBINATION"),
    ({"peg_offset_ticks": 1}, "UNSUPPORTED"),
    ({"order_type": enums.ORDER_TYPE_PEGGED}, "UNSUPPORTED"),
    ({"order_type": enums.ORDER_TYPE_LIMIT}, "INVALID_COMBINATION"),
    (
        {"order_type": enums.ORDER_TYPE_MARKET, "price_ticks": 0, "time_in_force": IOC},
        "INVALID_COMBINATION",
    ),
]


@pytest.mark.parametrize(("fields", "reason"), REFUSED)
def test_a_waiting_order_that_cannot_be_is_refused_and_changes_nothing(
    second_venue: Venue, fields: dict[str, Any], reason: str
) -> None:
    venue = second_venue
    before = venue.engine.state_parts()
    sent = conditional(venue, STOP_LIMIT, BUY, 90, 10, price=100)
    for name, value in fields.items():
        setattr(sent, name, value)
    assert venue.send(sent).lines(FIRST) == [f"REJECTED {reason}"]
    after = venue.engine.state_parts()
    assert all(after[part] == before[part] for part in ("money", "books", "triggers"))


def test_a_trigger_off_the_step_is_refused(second_venue: Venue) -> None:
    second_venue.update_market(price_step_ticks=5)
    off = conditional(second_venue, STOP, SELL, 91)
    assert second_venue.send(off).lines(FIRST) == ["REJECTED OFF_TICK"]
    on = conditional(second_venue, STOP, SELL, 90)
    assert second_venue.send(on).lines(FIRST) == ["NEW 1@0"]


def test_the_first_rules_refuse_every_waiting_order(reference_venue: Venue) -> None:
    for kind in WAITING:
        sent = conditional(reference_venue, kind, SELL, 90)
        assert reference_venue.send(sent).lines(FIRST) == ["REJECTED UNSUPPORTED"]


@pytest.mark.parametrize(
    ("fields", "asset", "held"),
    [
        ({"order_type": STOP, "side": SELL, "price_ticks": 0}, BASE, 10 * LOT_ATOMS),
        ({"order_type": TAKE_PROFIT_LIMIT, "side": SELL}, BASE, 10 * LOT_ATOMS),
        ({"order_type": STOP, **BUDGET, "quote_budget_atoms": amount(777)}, QUOTE, 777),
        *(
            ({"order_type": kind}, QUOTE, 5_000 + 5_000 * TAKER_PPM // 1_000_000)
            for kind in (STOP, STOP_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT)
        ),
        ({**TRAILS, "trailing_offset_ppm": 500}, QUOTE, 5_010),
    ],
)
def test_a_waiting_order_holds_what_it_may_cost(
    second_venue: Venue, fields: dict[str, Any], asset: int, held: int
) -> None:
    venue = second_venue
    sent = conditional(venue, STOP_LIMIT, BUY, 90, 10, price=100)
    for name, value in fields.items():
        setattr(sent, name, value)
    told = venue.send(sent)
    assert TICK_VALUE * 10 * 100 == 5_000
    assert venue.balance(FIRST, asset) == (WEALTH - held, held, 0)
    # It is in no book and the public is told nothing.
    assert venue.book() == ([], [])
    assert told.l3(MARKET) == []
    [report] = told.reports(FIRST)
    assert report.public_order_id == 0
    assert report.trigger_price_ticks == sent.trigger_price_ticks
    assert report.trailing_offset_ppm == sent.trailing_offset_ppm
    assert waiting_ids(venue) == [report.order_id]
    # A resend is told the same and does nothing.
    [repeat] = venue.send(sent).reports(FIRST)
    assert (repeat.repeat, repeat.order_id) == (True, report.order_id)
    assert repeat.trigger_price_ticks == sent.trigger_price_ticks
    venue.send(venue.cancel(FIRST, report.order_id))
    assert venue.balance(FIRST, asset) == (WEALTH, 0, 0)


def test_resting_and_waiting_orders_count_together(second_venue: Venue) -> None:
    venue = second_venue
    limits = system.AccountLimits(open_orders_max=2)
    venue.operate(system.SetAccountLimits(account_id=FIRST, limits=limits))
    venue.place(FIRST, BUY, 10, 1)
    assert venue.send(conditional(venue, STOP, SELL, 5)).lines(FIRST) == ["NEW 1@0"]
    late = conditional(venue, STOP_LIMIT, SELL, 5, price=4, time_in_force=IOC)
    assert venue.send(late).lines(FIRST) == ["REJECTED OPEN_ORDERS_LIMIT"]
    assert venue.send(venue.order(FIRST, BUY, 10, 1)).lines(FIRST) == ["REJECTED OPEN_ORDERS_LIMIT"]
    venue.operate(system.SetAccountLimits(account_id=FIRST))
    venue.update_market(resting_orders_max=2)
    assert venue.send(conditional(venue, STOP, SELL, 5)).lines(FIRST) == ["REJECTED BOOK_FULL"]


def test_only_the_continuous_phase_takes_waiting_orders(second_venue: Venue) -> None:
    second_venue.set_phase(enums.MARKET_PHASE_POST_ONLY)
    sent = conditional(second_venue, STOP_LIMIT, SELL, 5, price=4, time_in_force=GTC)
    assert second_venue.send(sent).lines(FIRST) == ["REJECTED PHASE POST_ONLY"]


def test_a_budget_is_told(second_venue: Venue) -> None:
    sent = conditional(second_venue, STOP, BUY, 90, 0, quote_budget_atoms=amount(777))
    [report] = second_venue.send(sent).reports(FIRST)
    assert atoms(report.quote_budget_atoms) == 777
    assert (report.quantity_lots, report.leaves_lots) == (0, 0)
