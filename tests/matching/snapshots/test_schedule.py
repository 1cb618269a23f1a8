"""Snapshots are due by commands and by time, never without a change."""

from matching.snapshots.schedule import RETRY_NS, Schedule

MINUTE_NS = 60 * 10**9


def test_it_is_due_after_so_many_commands() -> None:
    schedule = Schedule(every_commands=100, every_ns=MINUTE_NS)
    assert not schedule.is_due(99, 0)
    assert schedule.is_due(100, 0)
    schedule.stored(130, 0)
    assert not schedule.is_due(229, 0)
    assert schedule.is_due(230, 0)


def test_it_is_due_after_a_time_with_a_change_only() -> None:
    schedule = Schedule(every_commands=100, every_ns=MINUTE_NS)
    schedule.stored(7, 5)
    assert not schedule.is_due(7, 10 * MINUTE_NS)
    assert not schedule.is_due(8, MINUTE_NS + 4)
    assert schedule.is_due(8, MINUTE_NS + 5)


def test_after_a_failure_it_waits_and_tries_again() -> None:
    schedule = Schedule(every_commands=100, every_ns=MINUTE_NS)
    schedule.failed(50)
    assert not schedule.is_due(500, 49 + RETRY_NS)
    assert schedule.is_due(500, 50 + RETRY_NS)


def test_when_the_newest_is_broken_the_next_head_is_due_at_once() -> None:
    schedule = Schedule(every_commands=100, every_ns=MINUTE_NS, is_urgent=True)
    assert not schedule.is_due(1, 0)
    assert schedule.is_due(1, 0, is_head=True)
    schedule.stored(1, 0)
    assert not schedule.is_due(2, 0, is_head=True)
