"""Section 1 and 7: switching the rules, and snapshots under the second ones."""

from typing import Final

import pytest
from google.protobuf.message import Message

from cambist.internal.journal.v1 import snapshot_pb2 as snapshots
from cambist.internal.journal.v1 import system_pb2 as system
from matching.reference import Engine, SnapshotRefused
from tests.differential.flow import messages
from tests.reference.conftest import second_rules
from tests.reference.triggers.orders import STOP, TRAILING, conditional, trade_at
from tests.reference.venue import FIRST, SELL, Venue


def switch(version: int) -> system.SwitchRules:
    """Other rules."""
    return system.SwitchRules(version=version)


def test_rules_switch_with_the_next_batch_and_never_back() -> None:
    venue = Venue.founded(second_rules())
    assert venue.state.head.rules_version == 1
    told = venue.apply(
        messages.system_envelope([switch(2)], received_ns=venue.now, correlation=1),
        venue.unary(conditional(venue, STOP, SELL, 90)),
    )
    assert told.system() == ["answer"]
    # All of the batch is under the old ones.
    assert told.lines(FIRST) == ["REJECTED UNSUPPORTED"]
    assert venue.state.head.rules_version == 2
    assert venue.send(conditional(venue, STOP, SELL, 90)).lines(FIRST) == ["NEW 1@0"]
    assert venue.operate(switch(2)).system() == ["answer"]
    assert venue.operate(switch(1)).system() == ["answer INVALID_PARAMETER"]
    for version in (0, 3):
        assert venue.operate(switch(version)).system() == ["answer UNKNOWN_RULES_VERSION"]


def test_a_batch_cannot_switch_forth_and_back() -> None:
    venue = Venue.founded(second_rules())
    told = venue.operate(switch(1), switch(2), switch(1))
    assert told.system() == ["answer", "answer", "answer INVALID_PARAMETER"]
    assert venue.state.head.rules_version == 2


def test_an_engine_of_the_first_rules_refuses_a_snapshot_of_the_second(
    second_venue: Venue,
) -> None:
    with pytest.raises(SnapshotRefused):
        Engine.restore(second_venue.engine.snapshot())


CHANGES: Final[dict[str, dict[str, int | bytes]]] = {
    "another type": {"order_type": 1},
    "no side": {"side": 0},
    "a price seen and no place in the queue": {"seen_price_ticks": 5},
    "a fill": {"order.cum_lots": 1, "order.leaves_lots": 2},
    "a public id": {"order.public_order_id": 5},
    "another hold": {"order.quantity_lots": 9, "order.leaves_lots": 9},
    "another owner": {"order.account_id": 4_242},
    "another id": {"order.cl_ord_id": bytes(16)},
}


def changed(venue: Venue, fields: dict[str, int | bytes]) -> snapshots.Snapshot:
    """A snapshot with other fields in its first waiting order."""
    whole = snapshots.Snapshot.FromString(venue.engine.snapshot())
    section = snapshots.TriggersSection.FromString(whole.triggers)
    row = section.markets[0].waiting[0]
    for name, value in fields.items():
        in_order = name.startswith("order.")
        setattr(row.order if in_order else row, name.removeprefix("order."), value)
    whole.triggers = canonical(section)
    return whole


def canonical(message: Message) -> bytes:
    """What the protobuf library gives."""
    return message.SerializeToString(deterministic=True)


def waits(venue: Venue) -> None:
    """Two orders wait, one of them trails."""
    trade_at(venue, 100)
    venue.send(conditional(venue, STOP, SELL, 90, 3))
    venue.send(conditional(venue, TRAILING, SELL, 0, trailing_offset_ticks=20))


def test_a_snapshot_with_triggers_is_restored(second_venue: Venue) -> None:
    waits(second_venue)
    restored = Engine.restore(canonical(changed(second_venue, {})), rules_newest=2)
    assert restored.snapshot() == second_venue.engine.snapshot()


@pytest.mark.parametrize("change", CHANGES)
def test_a_waiting_order_that_cannot_be_is_refused(second_venue: Venue, change: str) -> None:
    waits(second_venue)
    with pytest.raises(SnapshotRefused):
        Engine.restore(canonical(changed(second_venue, CHANGES[change])), rules_newest=2)


def test_triggers_go_with_the_second_rules(second_venue: Venue) -> None:
    waits(second_venue)
    whole = changed(second_venue, {})
    whole.rules_version = 1
    with pytest.raises(SnapshotRefused):
        Engine.restore(canonical(whole), rules_newest=2)


def test_a_queue_holds_ready_orders_of_its_market_only(second_venue: Venue) -> None:
    waits(second_venue)
    whole = changed(second_venue, {})
    section = snapshots.TriggersSection.FromString(whole.triggers)
    section.markets[0].ready_order_ids.append(section.markets[0].waiting[0].order.order_id)
    whole.triggers = canonical(section)
    with pytest.raises(SnapshotRefused):
        Engine.restore(canonical(whole), rules_newest=2)
