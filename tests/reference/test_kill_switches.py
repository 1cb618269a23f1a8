"""Kill switches of firms and of the shard under rules version 2: docs/semantics/risk.md."""

import pytest

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from matching.reference import limits
from tests.differential.flow import messages
from tests.differential.flow.messages import Envelope
from tests.reference.test_dead_mans_timer import cancel_all_after
from tests.reference.told import Told
from tests.reference.triggers.orders import STOP, conditional
from tests.reference.venue import (
    BASE,
    BUY,
    FIRM,
    FIRST,
    MARKET,
    OTHER_MARKET,
    SECOND,
    SECOND_NS,
    SELL,
    STRANGER,
    Venue,
)

FIRM_SCOPE = system.KILL_SCOPE_FIRM
ALL = system.KILL_SCOPE_ALL
SWITCHES = {"firm": (FIRM_SCOPE, FIRM), "shard": (ALL, 0)}


def turned(venue: Venue, scope: system.KillScope.ValueType, target: int, *, on: bool) -> Envelope:
    """The envelope that turns a kill switch."""
    command = system.KillSwitch(scope=scope, target_id=target, active=on)
    return messages.system_envelope([command], received_ns=venue.now, correlation=7)


def switch(venue: Venue, scope: system.KillScope.ValueType, target: int, *, on: bool) -> Told:
    """Turns a kill switch."""
    return venue.apply(turned(venue, scope, target, on=on))


def clock(venue: Venue) -> Told:
    """A batch that does nothing by itself."""
    return venue.operate(system.Clock())


@pytest.mark.parametrize("level", SWITCHES)
def test_orders_and_money_out_are_refused_until_the_switch_is_taken_back(
    second_venue: Venue, level: str
) -> None:
    venue = second_venue
    open_order = venue.place(FIRST, BUY, 90, 5)
    amended = venue.unary(venue.amend(FIRST, open_order.id, quantity_lots=4))
    told = venue.apply(turned(venue, *SWITCHES[level], on=True), amended)
    assert told.system() == ["answer", "kill_switch"]
    assert told.reasons() == ["KILLED"]
    refused = [
        venue.order(FIRST, BUY, 90, 1),
        venue.transfer(FIRST, SECOND, BASE, 1),
        venue.withdrawal(FIRST, BASE, 1),
    ]
    for command in refused:
        assert venue.send(command).reasons() == ["KILLED"], command
    venue.restore()
    assert venue.send(venue.order(SECOND, BUY, 90, 1)).reasons() == ["KILLED"]
    clock(venue)
    switch(venue, *SWITCHES[level], on=False)
    venue.wait(SECOND_NS)
    assert venue.send(venue.order(FIRST, BUY, 90, 1)).reasons() == []
    assert venue.send(venue.transfer(FIRST, SECOND, BASE, 1)).reasons() == []


def test_a_killed_firm_loses_its_orders_in_the_next_batch_and_others_keep_theirs(
    second_venue: Venue,
) -> None:
    venue = second_venue
    venue.place(FIRST, BUY, 90, 1)
    venue.send(conditional(venue, STOP, SELL, 80, 2))
    venue.place(SECOND, SELL, 100, 3, market_id=OTHER_MARKET)
    venue.place(STRANGER, BUY, 90, 4)
    switch(venue, FIRM_SCOPE, FIRM, on=True)
    assert venue.engine.next_timer_ns == venue.now
    venue.restore()
    told = clock(venue)
    assert told.lines(FIRST) == ["CANCELED KILLED 1 cum 0", "CANCELED KILLED 2 cum 0"]
    assert told.lines(SECOND) == ["CANCELED KILLED 3 cum 0"]
    assert told.lines(STRANGER) == []
    assert venue.engine.next_timer_ns == 0
    assert venue.send(venue.order(STRANGER, BUY, 90, 1)).reasons() == []


def test_the_cancels_of_a_firm_go_on_batch_by_batch_and_cannot_be_put_off(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WORK_ORDERS_MAX", 2)
    venue = second_reference_venue
    for price in (90, 91, 92):
        venue.place(FIRST, BUY, price, 1)
    switch(venue, FIRM_SCOPE, FIRM, on=True)
    told = venue.send(cancel_all_after(venue, 0))
    assert told.lines(FIRST) == ["CANCELED KILLED 1 cum 0"] * 2 + ["MASS CANCEL 0"]
    assert clock(venue).lines(FIRST) == ["CANCELED KILLED 1 cum 0"]
    assert clock(venue).lines(FIRST) == []


def test_a_ready_order_of_a_killed_firm_is_cancelled_instead_of_entered(
    second_venue: Venue,
) -> None:
    venue = second_venue
    venue.place(SECOND, BUY, 95, 1)
    venue.place(STRANGER, BUY, 90, 9)
    venue.send(conditional(venue, STOP, SELL, 95, 2))
    sold = venue.order(STRANGER, SELL, 95, 1)
    told = venue.apply(turned(venue, FIRM_SCOPE, FIRM, on=True), venue.unary(sold))
    # The order that rests is met still; what its trade made ready goes.
    assert [trade.price_ticks for trade in told.trades(MARKET)] == [95]
    assert told.lines(FIRST) == ["CANCELED KILLED 2 cum 0"]


def test_the_switch_of_the_shard_clears_every_market_by_its_cursor(
    second_venue: Venue,
) -> None:
    venue = second_venue
    venue.place(FIRST, BUY, 90, 1)
    venue.place(STRANGER, BUY, 90, 2, market_id=OTHER_MARKET)
    switch(venue, ALL, 0, on=True)
    assert venue.engine.open_cursors == 2
    venue.restore()
    told = clock(venue)
    assert told.lines(FIRST) == ["CANCELED MARKET_CLEARED 1 cum 0"]
    assert told.lines(STRANGER) == ["CANCELED MARKET_CLEARED 2 cum 0"]
    assert venue.engine.open_cursors == 0
    assert venue.send(venue.order(STRANGER, BUY, 90, 1)).reasons() == ["KILLED"]


REFUSED = [
    (FIRM_SCOPE, 9_999, "UNKNOWN_FIRM"),
    (FIRM_SCOPE, 1 << 40, "UNKNOWN_FIRM"),
    (ALL, 1, "INVALID_PARAMETER"),
    (system.KILL_SCOPE_SESSION, 11, "UNSUPPORTED"),
]


@pytest.mark.parametrize(("scope", "target", "reason"), REFUSED)
def test_a_refused_switch_changes_nothing(
    second_venue: Venue, scope: system.KillScope.ValueType, target: int, reason: str
) -> None:
    before = second_venue.engine.state_parts()
    told = switch(second_venue, scope, target, on=True)
    assert told.system() == [f"answer {reason}"]
    assert second_venue.engine.state_parts() == before


@pytest.mark.parametrize("level", SWITCHES)
def test_a_snapshot_with_a_newer_switch_is_refused_under_older_rules(
    second_venue: Venue, level: str
) -> None:
    venue = second_venue
    switch(venue, *SWITCHES[level], on=True)
    with pytest.raises(venue.kind.snapshot_refused):
        venue.kind.restore(under_older_rules(venue))
    switch(venue, *SWITCHES[level], on=False)
    venue.kind.restore(under_older_rules(venue))


def under_older_rules(venue: Venue) -> bytes:
    """The venue's snapshot as if its rules were version 1."""
    whole = snapshot_pb2.Snapshot.FromString(venue.engine.snapshot())
    whole.rules_version = 1
    return whole.SerializeToString(deterministic=True)
