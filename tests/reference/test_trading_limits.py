"""Limits of accounts in a market under rules version 2: docs/semantics/risk.md, section 6."""

from typing import Any, Final

import pytest
from google.protobuf.message import Message

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from matching.reference import limits
from tests.differential.flow.messages import amount
from tests.reference.test_kill_switches import under_older_rules
from tests.reference.told import Told
from tests.reference.triggers.orders import STOP, conditional, trade_at
from tests.reference.venue import (
    BASE,
    BUY,
    FIRST,
    LOT_ATOMS,
    MARKET,
    OTHER_MARKET,
    SECOND,
    SELL,
    STRANGER,
    TICK_VALUE,
    WEALTH,
    Venue,
)

IOC: Final = enums.TIME_IN_FORCE_IOC
PRICE: Final = 100
# A lot at this price, in quote atoms.
LOT_NOTIONAL: Final = PRICE * TICK_VALUE


def bounds(account: int = FIRST, market_id: int = MARKET, **fields: Any) -> system.SetTradingLimits:
    """A SetTradingLimits."""
    return system.SetTradingLimits(account_id=account, market_id=market_id, **fields)


def limit(venue: Venue, **fields: Any) -> Told:
    """Gives FIRST limits in the market, which are taken."""
    told = venue.operate(bounds(**fields))
    assert told.system() == ["answer", "trading_limits_set"]
    return told


def refused(venue: Venue, order: Message) -> str:
    """The reason for which a command is refused; it changes neither books, money nor triggers."""
    before = venue.engine.state_parts()
    (reason,) = venue.send(order).reasons()
    after = venue.engine.state_parts()
    assert all(before[part] == after[part] for part in ("books", "money", "triggers"))
    return reason


# --- one order


def test_an_order_is_taken_up_to_its_largest_quantity(second_venue: Venue) -> None:
    venue = second_venue
    limit(venue, order_lots_max=10)
    for side in (BUY, SELL):
        wanted = venue.order(FIRST, side, PRICE if side == BUY else 200, 11)
        assert refused(venue, wanted) == "ORDER_QUANTITY_LIMIT"
        venue.place(FIRST, side, PRICE if side == BUY else 200, 10)
    market_order = venue.market_order(FIRST, SELL, 11)
    assert refused(venue, market_order) == "ORDER_QUANTITY_LIMIT"
    # Others, and the same account elsewhere, are free.
    venue.place(SECOND, BUY, PRICE, 11)
    venue.place(FIRST, BUY, PRICE, 11, market_id=OTHER_MARKET)


def test_an_order_is_taken_up_to_its_largest_notional_or_budget(second_venue: Venue) -> None:
    venue = second_venue
    most = 10 * LOT_NOTIONAL
    limit(venue, order_notional_atoms_max=amount(most))
    wanted = venue.order(FIRST, BUY, PRICE + 1, 10)
    assert refused(venue, wanted) == "ORDER_NOTIONAL_LIMIT"
    venue.place(FIRST, BUY, PRICE, 10)
    by_budget = venue.market_order(FIRST, BUY, 0, quote_budget_atoms=amount(most + 1))
    assert refused(venue, by_budget) == "ORDER_NOTIONAL_LIMIT"
    waiting = conditional(venue, STOP, BUY, 90, 0, quote_budget_atoms=amount(most + 1))
    assert refused(venue, waiting) == "ORDER_NOTIONAL_LIMIT"
    # A market order by quantity has no notional before it trades.
    assert venue.send(venue.market_order(FIRST, SELL, 1_000)).reasons() == []


# --- all that is open


def test_open_orders_in_the_market_are_counted_whether_they_rest_or_wait(
    second_venue: Venue,
) -> None:
    venue = second_venue
    first = venue.place(FIRST, BUY, PRICE, 1)
    venue.place(FIRST, BUY, PRICE, 1, market_id=OTHER_MARKET)
    limit(venue, open_orders_max=2)
    venue.send(conditional(venue, STOP, SELL, 50))
    wanted = venue.order(FIRST, BUY, PRICE, 1)
    assert refused(venue, wanted) == "OPEN_ORDERS_LIMIT"
    # What never rests needs no room; a replacement takes that of the old one.
    assert venue.send(venue.order(FIRST, BUY, PRICE, 1, time_in_force=IOC)).reasons() == []
    fresh = venue.order(FIRST, BUY, PRICE, 2)
    assert venue.send(commands.Replace(new_order=fresh, orig_cl_ord_id=first.id)).reasons() == []
    venue.send(venue.cancel(FIRST, fresh.cl_ord_id))
    venue.place(FIRST, BUY, PRICE, 1)


def test_open_quantity_is_of_one_side_and_fills_and_cancels_make_room(second_venue: Venue) -> None:
    venue = second_venue
    first = venue.place(FIRST, BUY, PRICE, 6)
    limit(venue, open_lots_max=10)
    venue.place(FIRST, SELL, 200, 10)
    wanted = venue.order(FIRST, BUY, PRICE, 5)
    assert refused(venue, wanted) == "OPEN_QUANTITY_LIMIT"
    venue.place(STRANGER, SELL, PRICE, 1)
    second = venue.place(FIRST, BUY, PRICE, 5)
    assert refused(venue, venue.order(FIRST, BUY, PRICE, 1)) == "OPEN_QUANTITY_LIMIT"
    venue.restore()
    assert refused(venue, venue.order(FIRST, BUY, PRICE, 1)) == "OPEN_QUANTITY_LIMIT"
    # Filled wholly, and cancelled.
    venue.place(STRANGER, SELL, PRICE, 5)
    venue.place(FIRST, BUY, PRICE, 5)
    assert refused(venue, venue.amend(FIRST, second.id, lots=6)) == "OPEN_QUANTITY_LIMIT"
    venue.send(venue.cancel(FIRST, second.id))
    venue.place(FIRST, BUY, PRICE, 5)
    assert refused(venue, venue.cancel(FIRST, first.id)) == "ORDER_CLOSED"


def test_all_of_an_iceberg_is_open_and_its_refreshed_parts_are_counted_once(
    second_venue: Venue,
) -> None:
    venue = second_venue
    limit(venue, open_lots_max=10)
    venue.place(FIRST, SELL, PRICE, 9, display_lots=2)
    assert refused(venue, venue.order(FIRST, SELL, PRICE, 2)) == "OPEN_QUANTITY_LIMIT"
    venue.place(STRANGER, BUY, PRICE, 3)
    assert refused(venue, venue.order(FIRST, SELL, PRICE, 5)) == "OPEN_QUANTITY_LIMIT"
    venue.place(FIRST, SELL, PRICE, 4)


def test_open_notional_is_of_both_sides_and_a_budget_counts_as_it_is(second_venue: Venue) -> None:
    venue = second_venue
    limit(venue, open_notional_atoms_max=amount(10 * LOT_NOTIONAL))
    venue.place(FIRST, BUY, PRICE, 3)
    venue.place(FIRST, SELL, 2 * PRICE, 2)
    venue.send(conditional(venue, STOP, BUY, 150, 0, quote_budget_atoms=amount(LOT_NOTIONAL)))
    # Waiting sells without a price have no notional.
    venue.send(conditional(venue, STOP, SELL, 50, 1_000))
    assert refused(venue, venue.order(FIRST, BUY, PRICE, 3)) == "OPEN_NOTIONAL_LIMIT"
    venue.place(FIRST, BUY, PRICE, 2)
    assert refused(venue, venue.order(FIRST, BUY, 1, 1)) == "OPEN_NOTIONAL_LIMIT"


def test_a_stop_that_is_entered_and_rests_stays_counted_once(second_venue: Venue) -> None:
    venue = second_venue
    limit(venue, open_lots_max=5)
    stop_limit = enums.ORDER_TYPE_STOP_LIMIT
    venue.send(conditional(venue, stop_limit, BUY, 110, 4, price=105))
    trade_at(venue, 110)
    assert venue.book()[0] == [f"4@105 of {FIRST}"]
    assert refused(venue, venue.order(FIRST, BUY, PRICE, 2)) == "OPEN_QUANTITY_LIMIT"
    venue.place(FIRST, BUY, PRICE, 1)


def test_what_self_trade_prevention_takes_makes_room(second_venue: Venue) -> None:
    venue = second_venue
    limit(venue, open_lots_max=5)
    venue.place(FIRST, BUY, PRICE, 5)
    decrement = enums.SELF_TRADE_PREVENTION_DECREMENT
    venue.place(FIRST, SELL, PRICE, 2, self_trade_prevention=decrement)
    assert refused(venue, venue.order(FIRST, BUY, PRICE, 3)) == "OPEN_QUANTITY_LIMIT"
    venue.place(FIRST, BUY, PRICE, 2)


# --- the position


def test_a_buy_may_not_lead_beyond_the_largest_position(second_venue: Venue) -> None:
    venue = second_venue
    limit(venue, position_atoms_max=amount(WEALTH + 10 * LOT_ATOMS))
    # What is held for a sale is still a position.
    venue.place(FIRST, SELL, 200, 50)
    venue.place(FIRST, BUY, PRICE, 6)
    assert refused(venue, venue.order(FIRST, BUY, PRICE, 5)) == "POSITION_LIMIT"
    assert refused(venue, venue.market_order(FIRST, BUY, 5)) == "POSITION_LIMIT"
    venue.place(STRANGER, SELL, PRICE, 6)
    assert venue.available(FIRST, BASE) == WEALTH - 44 * LOT_ATOMS
    assert refused(venue, venue.order(FIRST, BUY, PRICE, 5)) == "POSITION_LIMIT"
    venue.place(FIRST, BUY, PRICE, 4)
    # Sales of any size are free.
    venue.place(FIRST, SELL, 200, 1_000)


# --- amendments


def test_an_amendment_is_judged_by_what_it_makes_larger(second_venue: Venue) -> None:
    venue = second_venue
    order = venue.place(FIRST, BUY, PRICE, 10)
    venue.place(STRANGER, SELL, PRICE, 4)
    limit(
        venue,
        order_lots_max=9,
        order_notional_atoms_max=amount(LOT_NOTIONAL),
        open_lots_max=5,
        open_notional_atoms_max=amount(LOT_NOTIONAL),
        position_atoms_max=amount(1),
    )
    assert refused(venue, venue.amend(FIRST, order.id, lots=11)) == "ORDER_QUANTITY_LIMIT"
    assert refused(venue, venue.amend(FIRST, order.id, price=101)) == "ORDER_NOTIONAL_LIMIT"
    # Everything is beyond its limit, and becomes smaller.
    assert venue.send(venue.amend(FIRST, order.id, lots=8)).reasons() == []
    assert venue.send(venue.amend(FIRST, order.id, price=99)).reasons() == []
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"open_lots_max": 5}, "OPEN_QUANTITY_LIMIT"),
        ({"open_notional_atoms_max": amount(LOT_NOTIONAL)}, "OPEN_NOTIONAL_LIMIT"),
        ({"position_atoms_max": amount(1)}, "POSITION_LIMIT"),
    )
    for fields, reason in cases:
        limit(venue, **fields)
        assert refused(venue, venue.amend(FIRST, order.id, lots=10)) == reason
    limit(venue, open_lots_max=5)
    assert venue.send(venue.amend(FIRST, order.id, lots=9)).reasons() == []


def test_a_replacement_is_judged_as_if_the_old_order_were_gone(second_venue: Venue) -> None:
    venue = second_venue
    limit(venue, open_lots_max=10)
    old = venue.place(FIRST, BUY, PRICE, 8)
    fresh = venue.order(FIRST, BUY, PRICE, 11)
    replace = commands.Replace(new_order=fresh, orig_cl_ord_id=old.id)
    assert refused(venue, replace) == "OPEN_QUANTITY_LIMIT"
    fresh = venue.order(FIRST, BUY, PRICE, 10)
    assert venue.send(commands.Replace(new_order=fresh, orig_cl_ord_id=old.id)).reasons() == []
    assert refused(venue, venue.order(FIRST, BUY, PRICE, 1)) == "OPEN_QUANTITY_LIMIT"


# --- the command


REFUSED: Final = [
    (bounds(9_999), "UNKNOWN_ACCOUNT"),
    (bounds(1), "UNKNOWN_ACCOUNT"),
    (bounds(market_id=1), "WRONG_SHARD"),
    (bounds(market_id=0), "WRONG_SHARD"),
    (bounds(market_id=MARKET + 9), "UNKNOWN_MARKET"),
    (bounds(order_lots_max=-1), "INVALID_PARAMETER"),
    (bounds(order_lots_max=(1 << 53) + 1), "INVALID_PARAMETER"),
    (bounds(open_lots_max=-1), "INVALID_PARAMETER"),
    (bounds(open_lots_max=(1 << 53) + 1), "INVALID_PARAMETER"),
    (bounds(open_orders_max=10_001), "INVALID_PARAMETER"),
    *(
        (command, "INVALID_PARAMETER")
        for atoms in (amount(-1), amount((1 << 120) + 1))
        for command in (
            bounds(order_notional_atoms_max=atoms),
            bounds(open_notional_atoms_max=atoms),
            bounds(position_atoms_max=atoms),
        )
    ),
]


@pytest.mark.parametrize(("command", "reason"), REFUSED)
def test_limits_that_cannot_be_are_refused(
    second_venue: Venue, command: system.SetTradingLimits, reason: str
) -> None:
    before = second_venue.engine.state_parts()
    assert second_venue.operate(command).system() == [f"answer {reason}"]
    assert second_venue.engine.state_parts() == before


def test_the_largest_limits_are_taken_and_none_takes_them_back(second_venue: Venue) -> None:
    venue = second_venue
    most = amount(1 << 120)
    limit(
        venue,
        order_lots_max=1 << 53,
        order_notional_atoms_max=most,
        open_orders_max=10_000,
        open_lots_max=1 << 53,
        open_notional_atoms_max=most,
        position_atoms_max=most,
    )
    venue.restore()
    venue.place(FIRST, BUY, PRICE, 1)
    limit(venue, order_lots_max=1)
    limit(venue)
    limit(venue)
    assert not venue.state.limits.trading_limits
    venue.place(FIRST, BUY, PRICE, 2)


def test_a_full_table_takes_no_further_limits_and_still_changes_those_it_has(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TRADING_LIMITS_MAX", 1)
    venue = second_reference_venue
    limit(venue, order_lots_max=1)
    assert venue.operate(bounds(SECOND, order_lots_max=1)).system() == ["answer CAPACITY"]
    limit(venue, order_lots_max=2)


def test_the_first_rules_version_knows_no_trading_limits(second_venue: Venue, venue: Venue) -> None:
    assert venue.operate(bounds(order_lots_max=1)).system() == ["answer UNSUPPORTED"]
    limit(second_venue, order_lots_max=1)
    with pytest.raises(second_venue.kind.snapshot_refused):
        second_venue.kind.restore(under_older_rules(second_venue))


WRONG_ROWS: Final[dict[str, list[system.SetTradingLimits]]] = {
    "of nobody": [bounds(9_999, order_lots_max=1)],
    "of no market": [bounds(market_id=MARKET + 9, order_lots_max=1)],
    "of no limit": [bounds()],
    "out of bounds": [bounds(open_orders_max=10_001)],
    "twice": [bounds(order_lots_max=1)] * 2,
    "out of order": [bounds(SECOND, order_lots_max=1), bounds(order_lots_max=1)],
}


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_a_snapshot_with_limits_that_cannot_be_is_refused(second_venue: Venue, name: str) -> None:
    whole = snapshot_pb2.Snapshot.FromString(second_venue.engine.snapshot())
    section = snapshot_pb2.LimitsSection.FromString(whole.limits)
    section.trading_limits.extend(WRONG_ROWS[name])
    whole.limits = section.SerializeToString(deterministic=True)
    with pytest.raises(second_venue.kind.snapshot_refused):
        second_venue.kind.restore(whole.SerializeToString(deterministic=True))
