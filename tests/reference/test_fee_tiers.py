"""Fees of single accounts under rules version 2: docs/semantics/risk.md, section 4."""

from typing import Any

import pytest

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from matching.reference import limits
from tests.differential.flow.messages import atoms
from tests.reference.test_kill_switches import under_older_rules
from tests.reference.told import Told
from tests.reference.venue import (
    BUY,
    FIRST,
    MARKET,
    OTHER_MARKET,
    SECOND,
    SELL,
    STRANGER,
    TICK_VALUE,
    Venue,
    market,
)

# The market's own fees are 1,000 and 2,000.
PRICE, LOTS = 100, 2_000
NOTIONAL = PRICE * LOTS * TICK_VALUE


def tier(account: int, maker: int = 0, taker: int = 0, **fields: Any) -> system.SetFeeTier:
    """A SetFeeTier."""
    return system.SetFeeTier(account_id=account, maker_fee_ppm=maker, taker_fee_ppm=taker, **fields)


def set_tier(venue: Venue, account: int, maker: int, taker: int, market_id: int = 0) -> Told:
    """Sets a tier that is taken."""
    told = venue.operate(tier(account, maker, taker, market_id=market_id))
    assert told.system() == ["answer", "fee_tier_set"]
    return told


def fees_of_a_trade(venue: Venue, market_id: int = MARKET) -> tuple[int, int]:
    """FIRST rests and STRANGER takes: what the maker and the taker pay."""
    venue.place(FIRST, SELL, PRICE, LOTS, market_id=market_id)
    told = venue.place(STRANGER, BUY, PRICE, LOTS, market_id=market_id).told
    return paid(told, FIRST), paid(told, STRANGER)


def paid(told: Told, account: int) -> int:
    """The fee of an account's last fill."""
    return atoms(told.reports(account)[-1].fee_atoms)


def part(ppm: int) -> int:
    """So many parts per million of the notional."""
    whole, rest = divmod(NOTIONAL * ppm, 1_000_000)
    assert not rest
    return whole


def test_the_tier_of_the_market_rules_then_that_of_all_markets_then_the_market(
    second_venue: Venue,
) -> None:
    venue = second_venue
    set_tier(venue, FIRST, 500, 600)
    set_tier(venue, FIRST, -100, 700, market_id=MARKET)
    set_tier(venue, STRANGER, 10, 300, market_id=OTHER_MARKET)
    assert fees_of_a_trade(venue) == (part(-100), part(2_000))
    assert fees_of_a_trade(venue, OTHER_MARKET) == (part(500), part(300))
    venue.restore()
    assert fees_of_a_trade(venue) == (part(-100), part(2_000))


def test_a_tier_holds_for_orders_entered_since_and_what_rests_keeps_its_fees(
    second_venue: Venue,
) -> None:
    venue = second_venue
    venue.place(FIRST, SELL, PRICE, LOTS)
    set_tier(venue, FIRST, 0, 0)
    told = venue.place(STRANGER, BUY, PRICE, LOTS).told
    assert paid(told, FIRST) == part(1_000)
    assert fees_of_a_trade(venue) == (0, part(2_000))


def test_the_hold_of_a_buy_is_at_the_taker_fee_of_the_tier(second_venue: Venue) -> None:
    venue = second_venue
    set_tier(venue, FIRST, 0, 500)
    venue.place(FIRST, BUY, PRICE, LOTS)
    assert venue.balance(FIRST, 2)[1] == NOTIONAL + part(500)


def test_a_tier_that_is_taken_back_leaves_the_next_wider_one(second_venue: Venue) -> None:
    venue = second_venue
    set_tier(venue, FIRST, 0, 0)
    set_tier(venue, FIRST, 300, 400, market_id=MARKET)
    told = venue.operate(tier(FIRST, market_id=MARKET, remove=True))
    assert told.system() == ["answer", "fee_tier_set"]
    assert fees_of_a_trade(venue) == (0, part(2_000))
    # Taking back what is not there is no fault.
    for _ in range(2):
        assert venue.operate(tier(FIRST, remove=True)).system() == ["answer", "fee_tier_set"]
    assert fees_of_a_trade(venue) == (part(1_000), part(2_000))


REFUSED = [
    (tier(9_999), "UNKNOWN_ACCOUNT"),
    (tier(1), "UNKNOWN_ACCOUNT"),
    (tier(FIRST, market_id=1), "WRONG_SHARD"),
    (tier(FIRST, market_id=MARKET + 9), "UNKNOWN_MARKET"),
    (tier(FIRST, taker=-1), "INVALID_PARAMETER"),
    (tier(FIRST, taker=100_001), "INVALID_PARAMETER"),
    (tier(FIRST, 11, 10), "INVALID_PARAMETER"),
    (tier(FIRST, -11, 10), "INVALID_PARAMETER"),
    (tier(FIRST, -(1 << 31), 100_000), "INVALID_PARAMETER"),
    (tier(FIRST, 0, 1, remove=True), "INVALID_PARAMETER"),
    (tier(FIRST, -1, 0, remove=True), "INVALID_PARAMETER"),
    # A rebate above the market's taker fee.
    (tier(FIRST, -2_001, 2_001), "INVALID_PARAMETER"),
    (tier(FIRST, -2_001, 2_001, market_id=MARKET), "INVALID_PARAMETER"),
]


@pytest.mark.parametrize(("command", "reason"), REFUSED)
def test_a_refused_tier_changes_nothing(
    second_venue: Venue, command: system.SetFeeTier, reason: str
) -> None:
    before = second_venue.engine.state_parts()
    told = second_venue.operate(command)
    assert told.system() == [f"answer {reason}"]
    assert second_venue.engine.state_parts() == before


def test_no_rebate_is_above_a_taker_fee_that_may_pay_for_it(second_venue: Venue) -> None:
    venue = second_venue
    set_tier(venue, FIRST, -500, 600, market_id=MARKET)
    refused = [
        # Of another account in the same market, and in all.
        venue.operate(tier(STRANGER, 0, 499, market_id=MARKET)),
        venue.operate(tier(STRANGER, 0, 499)),
        # Of the market itself.
        venue.update_market(maker_fee_ppm=0, taker_fee_ppm=499),
    ]
    assert [told.system() for told in refused] == [["answer INVALID_PARAMETER"]] * 3
    set_tier(venue, STRANGER, 0, 500)
    set_tier(venue, SECOND, 0, 0, market_id=OTHER_MARKET)
    venue.update_market(maker_fee_ppm=0, taker_fee_ppm=500)
    assert fees_of_a_trade(venue) == (part(-500), part(500))


def test_a_market_is_not_made_whose_rebate_a_tier_of_all_markets_would_not_pay_for(
    second_venue: Venue,
) -> None:
    venue = second_venue
    set_tier(venue, FIRST, 0, 100)
    fees = system.MarketParameters(maker_fee_ppm=-101, taker_fee_ppm=2_000)
    wanted = market(MARKET + 5, "NEW", parameters=fees)
    assert venue.operate(wanted).system() == ["answer INVALID_PARAMETER"]
    venue.operate(tier(FIRST, remove=True))
    assert venue.operate(wanted).system() == ["answer", "market_defined"]


def test_a_full_table_takes_no_further_tier_and_still_changes_those_it_has(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FEE_TIERS_MAX", 1)
    venue = second_reference_venue
    set_tier(venue, FIRST, 0, 100)
    assert venue.operate(tier(SECOND, 0, 100)).system() == ["answer CAPACITY"]
    set_tier(venue, FIRST, 0, 200)


def test_the_first_rules_version_knows_no_tiers(second_venue: Venue, venue: Venue) -> None:
    assert venue.operate(tier(FIRST, 0, 100)).system() == ["answer UNSUPPORTED"]
    set_tier(second_venue, FIRST, 0, 100)
    with pytest.raises(second_venue.kind.snapshot_refused):
        second_venue.kind.restore(under_older_rules(second_venue))


WRONG_ROWS: dict[str, list[system.SetFeeTier]] = {
    "of nobody": [tier(9_999)],
    "of no market": [tier(FIRST, market_id=MARKET + 9)],
    "out of bounds": [tier(FIRST, 0, 100_001)],
    "of a rebate that nobody pays for": [tier(FIRST, -2_001, 2_001)],
    "taken back": [tier(FIRST, 0, 1, remove=True)],
    "twice": [tier(FIRST, 0, 1)] * 2,
    "out of order": [tier(SECOND, 0, 1), tier(FIRST, 0, 1)],
}


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_a_snapshot_with_a_tier_that_cannot_be_is_refused(second_venue: Venue, name: str) -> None:
    whole = snapshot_pb2.Snapshot.FromString(second_venue.engine.snapshot())
    section = snapshot_pb2.LimitsSection.FromString(whole.limits)
    section.fee_tiers.extend(WRONG_ROWS[name])
    whole.limits = section.SerializeToString(deterministic=True)
    with pytest.raises(second_venue.kind.snapshot_refused):
        second_venue.kind.restore(whole.SerializeToString(deterministic=True))
