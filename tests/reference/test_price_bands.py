"""Static price bands under rules version 2: docs/semantics/risk.md, section 7."""

from typing import Final

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.test_kill_switches import under_older_rules
from tests.reference.test_market_protection import ending, fills
from tests.reference.triggers.orders import STOP, STOP_LIMIT, conditional, trade_at
from tests.reference.venue import BUY, FIRST, GROUPED, MARKET, SELL, STRANGER, Venue

# Five per cent of a reference of 1,009: 50.45, rounded down.
REFERENCE, PPM = 1_009, 50_000
HIGH, LOW = 1_059, 959
REFUSED: Final = ["OUTSIDE_PRICE_BAND"]


def refer(venue: Venue, price: int) -> list[str]:
    """Sets the reference price."""
    return venue.operate(system.SetReferencePrice(market_id=MARKET, price_ticks=price)).system()


@pytest.fixture
def banded(second_venue: Venue) -> Venue:
    """A market with a band."""
    second_venue.update_market(static_band_ppm=PPM)
    assert refer(second_venue, REFERENCE) == ["answer", "reference_price_set"]
    return second_venue


def test_a_price_to_the_owners_disadvantage_is_within_the_band(banded: Venue) -> None:
    for side, edge, beyond in ((BUY, HIGH, HIGH + 1), (SELL, LOW, LOW - 1)):
        before = banded.engine.state_parts()
        assert banded.send(banded.order(FIRST, side, beyond, 1)).reasons() == REFUSED
        after = banded.engine.state_parts()
        assert all(before[part] == after[part] for part in ("books", "money", "triggers"))
        banded.place(FIRST, side, edge, 1, time_in_force=enums.TIME_IN_FORCE_IOC)


def test_the_other_side_of_the_band_is_free(banded: Venue) -> None:
    banded.place(FIRST, BUY, 1, 1)
    banded.place(FIRST, SELL, 9_999, 1)


def test_an_amendment_is_judged_when_it_gives_a_price(banded: Venue) -> None:
    order = banded.place(FIRST, BUY, HIGH, 2)
    assert banded.send(banded.amend(FIRST, order.id, price=HIGH + 1)).reasons() == REFUSED
    refer(banded, 900)
    assert banded.send(banded.amend(FIRST, order.id, lots=1)).reasons() == []
    assert banded.book()[0] == [f"1@{HIGH} of {FIRST}"]


def test_waiting_orders_are_judged_by_their_price_and_not_by_their_trigger(banded: Venue) -> None:
    for kind in (STOP, STOP_LIMIT):
        wanted = conditional(banded, kind, BUY, 5_000, price=HIGH + 1)
        assert banded.send(wanted).reasons() == REFUSED
        assert banded.send(conditional(banded, kind, BUY, 5_000, price=HIGH)).reasons() == []
    assert banded.send(conditional(banded, STOP, SELL, 5)).reasons() == []


@pytest.mark.parametrize(("side", "edge", "step"), [(BUY, HIGH, 1), (SELL, LOW, -1)])
def test_a_market_order_ends_at_the_edge(
    banded: Venue, side: enums.Side.ValueType, edge: int, step: int
) -> None:
    other = SELL if side == BUY else BUY
    for price in (edge, edge + step):
        banded.place(FIRST, other, price, 2)
    fok = banded.market_order(STRANGER, side, 3, time_in_force=enums.TIME_IN_FORCE_FOK)
    assert banded.send(fok).reasons() == ["FOK_NOT_FILLABLE"]
    told = banded.send(banded.market_order(STRANGER, side, 3))
    assert fills(told, STRANGER) == [(2, edge)]
    assert ending(told, STRANGER) == "CANCEL_REASON_MARKET_PROTECTION"
    # Before the first trade too.
    told = banded.send(banded.market_order(STRANGER, side, 3))
    assert fills(told, STRANGER) == []
    assert ending(told, STRANGER) == "CANCEL_REASON_MARKET_PROTECTION"


def test_the_tighter_of_band_and_protection_rules(second_venue: Venue) -> None:
    venue = second_venue
    venue.update_market(static_band_ppm=PPM, market_protection_ppm=10_000)
    refer(venue, REFERENCE)
    for price in (1_050, HIGH, 1_060):
        venue.place(FIRST, SELL, price, 2)
    assert len(fills(venue.send(venue.market_order(STRANGER, BUY, 9)), STRANGER)) == 2
    refer(venue, 2_000)
    venue.place(FIRST, SELL, 2_050, 2)
    # One per cent above 1,060 now.
    told = venue.send(venue.market_order(STRANGER, BUY, 9))
    assert fills(told, STRANGER) == [(2, 1_060)]


def test_a_stop_that_sells_ends_at_the_edge(banded: Venue) -> None:
    banded.send(conditional(banded, STOP, SELL, 1_005, 9, account=GROUPED))
    for price in (1_000, LOW, LOW - 1):
        banded.place(FIRST, BUY, price, 2)
    told = trade_at(banded, 1_005)
    assert fills(told, GROUPED) == [(2, 1_000), (2, LOW)]
    assert ending(told, GROUPED) == "CANCEL_REASON_MARKET_PROTECTION"


def test_without_a_reference_or_a_band_every_price_is_taken(banded: Venue) -> None:
    refer(banded, 0)
    banded.place(FIRST, BUY, HIGH + 1, 1)
    refer(banded, REFERENCE)
    banded.update_market()
    banded.place(FIRST, BUY, HIGH + 1, 1)


def test_a_restored_market_has_its_reference(banded: Venue) -> None:
    banded.restore()
    assert banded.send(banded.order(FIRST, BUY, HIGH + 1, 1)).reasons() == REFUSED
    with pytest.raises(banded.kind.snapshot_refused):
        banded.kind.restore(under_older_rules(banded))


@pytest.mark.parametrize(
    ("market_id", "price", "reason"),
    [
        (1, 1, "WRONG_SHARD"),
        (MARKET + 9, 1, "UNKNOWN_MARKET"),
        (MARKET, -1, "INVALID_PARAMETER"),
        (MARKET, (1 << 53) + 1, "INVALID_PARAMETER"),
    ],
)
def test_references_that_cannot_be_are_refused(
    second_venue: Venue, market_id: int, price: int, reason: str
) -> None:
    before = second_venue.engine.state_parts()
    wanted = system.SetReferencePrice(market_id=market_id, price_ticks=price)
    assert second_venue.operate(wanted).system() == [f"answer {reason}"]
    assert second_venue.engine.state_parts() == before


def test_the_band_has_a_bound_and_older_rules_know_neither(
    second_venue: Venue, venue: Venue
) -> None:
    assert second_venue.update_market(static_band_ppm=1_000_000).reasons() == ["INVALID_PARAMETER"]
    assert second_venue.update_market(static_band_ppm=999_999).reasons() == []
    assert refer(second_venue, 1 << 53) == ["answer", "reference_price_set"]
    second_venue.place(FIRST, SELL, 1 << 52, 1)
    assert venue.update_market(static_band_ppm=1).reasons() == ["UNSUPPORTED"]
    assert refer(venue, 1) == ["answer UNSUPPORTED"]
