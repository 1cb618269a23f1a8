"""Replace under rules version 2: docs/semantics/requests.md, section 3."""

from typing import Any

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.triggers.orders import STOP, conditional, waiting_ids
from tests.reference.venue import (
    BUY,
    FIRST,
    MARKET,
    OTHER_MARKET,
    QUOTE,
    SECOND,
    SECOND_NS,
    SELL,
    STRANGER,
    WEALTH,
    Venue,
)

FOK = enums.TIME_IN_FORCE_FOK
HALTED = enums.MARKET_PHASE_HALTED


def replace(
    venue: Venue, old: bytes, side: enums.Side.ValueType, price: int, lots: int, **fields: Any
) -> commands.Replace:
    """A replacement of an order of the first account."""
    allow = fields.pop("allow_missing", False)
    new = venue.order(FIRST, side, price, lots, **fields)
    return commands.Replace(orig_cl_ord_id=old, new_order=new, allow_missing=allow)


def test_the_old_order_goes_and_the_new_one_comes(second_venue: Venue) -> None:
    venue = second_venue
    old = venue.place(FIRST, BUY, 90, 5)
    venue.place(SECOND, SELL, 95, 2)
    sent = replace(venue, old.id, BUY, 95, 3)
    told = venue.send(sent)
    assert told.lines(FIRST) == [
        "CANCELED REQUESTED 5 cum 0",
        "NEW 3@95",
        "TRADE 2@95 TAKER leaves 1 fee 2",
    ]
    assert told.reports(FIRST)[0].request_id == sent.new_order.cl_ord_id
    assert told.l3(MARKET) == ["DELETE 1", "EXECUTE 2 2", "ADD 3 BUY 1@95"]
    assert venue.book()[0] == ["1@95 of 4096"]
    repeat = venue.send(sent)
    assert repeat.lines(FIRST) == [f"NEW 3@95 repeat of {venue.engine.last_seq - 1}"]
    # The new order is known by its own id, the old one is closed.
    for id_, line in (
        (old.id, "CANCEL REJECTED ORDER_CLOSED"),
        (sent.new_order.cl_ord_id, "CANCELED REQUESTED 3 cum 2"),
    ):
        assert venue.send(venue.cancel(FIRST, id_)).lines(FIRST) == [line]


def test_an_id_of_a_new_order_is_not_one_of_a_replacement(second_venue: Venue) -> None:
    venue = second_venue
    old = venue.place(FIRST, BUY, 90, 5)
    sent = commands.Replace(orig_cl_ord_id=old.id, new_order=old.sent)
    assert venue.send(sent).lines(FIRST) == ["REJECTED ID_REUSED"]
    other = replace(venue, old.id, BUY, 91, 5)
    venue.send(other)
    changed = commands.Replace.FromString(other.SerializeToString())
    changed.allow_missing = True
    assert venue.send(changed).lines(FIRST) == ["REJECTED ID_REUSED"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"price": 1 << 54}, "INVALID_PRICE"),
        ({"lots": 0}, "INVALID_QUANTITY"),
        ({"market_id": OTHER_MARKET + 7}, "UNKNOWN_MARKET"),
        ({"time_in_force": FOK}, "FOK_NOT_FILLABLE"),
        ({"lots": 1 << 50}, "INSUFFICIENT_FUNDS"),
        ({"hidden": True}, "UNSUPPORTED"),
    ],
)
def test_a_refused_replacement_leaves_the_old_order_in_its_place(
    second_venue: Venue, fields: dict[str, Any], reason: str
) -> None:
    venue = second_venue
    olds = [venue.place(account, BUY, 90, 5) for account in (SECOND, FIRST, STRANGER)]
    before = venue.engine.state_parts()
    values: dict[str, Any] = {"price": 90, "lots": 5} | fields
    told = venue.send(replace(venue, olds[1].id, BUY, **values))
    assert told.lines(FIRST) == [f"REJECTED {reason}"]
    assert told.l3(MARKET) == []
    after = venue.engine.state_parts()
    assert all(after[part] == before[part] for part in ("money", "books", "triggers"))


def test_the_new_order_is_judged_as_if_the_old_one_were_gone(second_venue: Venue) -> None:
    venue = second_venue
    venue.operate(
        system.SetAccountLimits(account_id=FIRST, limits=system.AccountLimits(open_orders_max=1))
    )
    venue.update_market(resting_orders_max=1)
    old = venue.place(FIRST, BUY, 90, 10)
    venue.set_available(FIRST, QUOTE, 0)
    assert venue.send(replace(venue, old.id, BUY, 90, 10)).lines(FIRST)[1:] == ["NEW 10@90"]
    # A sell does not meet the buy that it replaces.
    new = venue.state.books.books[0].bids[0].cl_ord_id
    lines = venue.send(replace(venue, new, SELL, 80, 1, post_only=True)).lines(FIRST)
    assert lines == ["CANCELED REQUESTED 10 cum 0", "NEW 1@80"]


def test_a_missing_order_ends_it_unless_that_is_allowed(second_venue: Venue) -> None:
    venue = second_venue
    old = venue.place(FIRST, BUY, 90, 5)
    venue.send(venue.cancel(FIRST, old.id))
    for id_, reason in (
        (old.id, "ORDER_CLOSED"),
        (b"x" * 16, "UNKNOWN_ORDER"),
        (b"", "INVALID_COMBINATION"),
    ):
        told = venue.send(replace(venue, id_, BUY, 90, 5))
        assert told.lines(FIRST) == [f"REJECTED {reason}"]
    told = venue.send(replace(venue, old.id, BUY, 90, 5, allow_missing=True))
    assert told.lines(FIRST) == ["NEW 5@90"]
    nameless = venue.send(replace(venue, b"", BUY, 90, 5, allow_missing=True))
    assert nameless.lines(FIRST) == ["REJECTED INVALID_COMBINATION"]


def test_an_order_of_a_halted_market_is_not_replaced(second_venue: Venue) -> None:
    venue = second_venue
    old = venue.place(FIRST, BUY, 90, 5)
    venue.set_phase(HALTED)
    told = venue.send(replace(venue, old.id, BUY, 90, 5, market_id=OTHER_MARKET))
    assert told.lines(FIRST) == ["REJECTED PHASE HALTED"]


def test_a_waiting_order_is_replaced_by_another(second_venue: Venue) -> None:
    venue = second_venue
    old = conditional(venue, STOP, SELL, 90, 5)
    venue.send(old)
    new = conditional(venue, STOP, SELL, 85, 4)
    told = venue.send(commands.Replace(orig_cl_ord_id=old.cl_ord_id, new_order=new))
    assert told.lines(FIRST) == ["CANCELED REQUESTED 5 cum 0", "NEW 4@0"]
    assert waiting_ids(venue) == [2]
    assert venue.available(FIRST, QUOTE) == WEALTH


def test_a_replacement_that_comes_late_is_refused(second_venue: Venue) -> None:
    venue = second_venue
    old = venue.place(FIRST, BUY, 90, 5)
    sent = replace(venue, old.id, BUY, 90, 5, expires_after_ms=1)
    venue.wait(SECOND_NS)
    assert venue.send(sent).lines(FIRST) == ["REJECTED EXPIRED"]
    ahead = replace(venue, old.id, BUY, 90, 5, sent_time_ns=venue.now + 60 * SECOND_NS)
    assert venue.send(ahead).lines(FIRST) == ["REJECTED SENT_TIME_AHEAD"]


def test_a_mass_cancel_that_overtook_a_replacement_refuses_it(second_venue: Venue) -> None:
    venue = second_venue
    old = venue.place(FIRST, BUY, 90, 5)
    venue.in_session(venue.mass_cancel(FIRST, side=SELL, after_order_seq_no=1))
    told = venue.in_session(replace(venue, old.id, SELL, 95, 5))
    assert told.lines(FIRST) == ["REJECTED CANCELLED_BEFORE_ENTRY"]
    assert venue.book()[0] == ["5@90 of 4096"]
