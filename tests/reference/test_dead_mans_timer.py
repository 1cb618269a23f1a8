"""CancelAllAfter under rules version 2: docs/semantics/requests.md, section 4."""

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from matching.reference import limits
from tests.reference.triggers.orders import STOP, conditional
from tests.reference.venue import (
    BUY,
    FIRST,
    MARKET,
    OTHER_MARKET,
    SECOND,
    SECOND_NS,
    SELL,
    Venue,
)

HALTED = enums.MARKET_PHASE_HALTED


def cancel_all_after(
    venue: Venue, timeout_ms: int, account: int = FIRST
) -> commands.CancelAllAfter:
    """Arms, renews or disarms."""
    return commands.CancelAllAfter(
        request_id=venue.new_id(),
        account_id=account,
        timeout_ms=timeout_ms,
        sent_time_ns=venue.now,
    )


def clock(venue: Venue, account: int = FIRST) -> list[str]:
    """What an account is told by a batch that does nothing by itself."""
    return venue.operate(system.Clock()).lines(account)


def test_the_timer_cancels_everything_of_the_account_when_it_is_not_renewed(
    second_venue: Venue,
) -> None:
    venue = second_venue
    venue.place(FIRST, BUY, 90, 1)
    venue.send(conditional(venue, STOP, SELL, 80, 2))
    venue.place(FIRST, SELL, 100, 3, market_id=OTHER_MARKET)
    venue.place(SECOND, SELL, 100, 4)
    venue.set_phase(HALTED)
    assert venue.send(cancel_all_after(venue, 1_000)).lines(FIRST) == ["MASS CANCEL 0"]
    assert venue.engine.next_timer_ns == venue.now + SECOND_NS
    venue.wait(SECOND_NS - 1_001)
    assert clock(venue) == []
    venue.restore()
    told = venue.operate(system.Clock())
    assert told.lines(FIRST) == [f"CANCELED TIMER {lots} cum 0" for lots in (1, 2, 3)]
    assert told.l3(MARKET) == ["DELETE 1"]
    assert told.lines(SECOND) == []
    assert venue.engine.next_timer_ns == 0
    assert clock(venue) == []


def test_a_renewed_timer_fires_later_and_one_of_zero_not_at_all(second_venue: Venue) -> None:
    venue = second_venue
    venue.place(FIRST, BUY, 90, 1)
    first = cancel_all_after(venue, 1_000)
    venue.send(first)
    venue.wait(SECOND_NS // 2)
    renewed = venue.send(cancel_all_after(venue, 1_000))
    assert renewed.lines(FIRST) == ["MASS CANCEL 0"]
    end = venue.engine.next_timer_ns
    assert end == venue.now + SECOND_NS
    # A resend is a repeat and arms nothing.
    assert venue.send(first).lines(FIRST)[0].startswith("MASS CANCEL 0 repeat of")
    assert venue.engine.next_timer_ns == end
    venue.send(cancel_all_after(venue, 0))
    assert venue.engine.next_timer_ns == 0
    venue.wait(10 * SECOND_NS)
    assert clock(venue) == []


def test_a_timer_longer_than_a_day_is_refused(second_venue: Venue) -> None:
    venue = second_venue
    longest = limits.CANCEL_ALL_AFTER_MS_MAX
    told = venue.send(cancel_all_after(venue, longest + 1))
    assert told.lines(FIRST) == ["CANCEL REJECTED INVALID_PARAMETER"]
    assert venue.engine.next_timer_ns == 0
    assert venue.send(cancel_all_after(venue, longest)).lines(FIRST) == ["MASS CANCEL 0"]


def test_what_is_left_over_is_cancelled_in_the_next_batch(
    second_reference_venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = second_reference_venue
    for lots in (1, 2, 3):
        venue.place(FIRST, BUY, 90, lots)
    venue.send(cancel_all_after(venue, 1))
    venue.wait(SECOND_NS)
    monkeypatch.setattr(limits, "WORK_ORDERS_MAX", 2)
    assert clock(venue) == ["CANCELED TIMER 1 cum 0", "CANCELED TIMER 2 cum 0"]
    venue.restore()
    assert clock(venue) == ["CANCELED TIMER 3 cum 0"]
    assert venue.engine.next_timer_ns == 0


def test_timers_go_by_time_then_account(second_venue: Venue) -> None:
    venue = second_venue
    for account in (FIRST, SECOND):
        venue.place(account, BUY, 90, 1)
    venue.send(cancel_all_after(venue, 2, FIRST))
    venue.send(cancel_all_after(venue, 1, SECOND))
    venue.wait(SECOND_NS)
    assert venue.operate(system.Clock()).l3(MARKET) == ["DELETE 2", "DELETE 1"]
