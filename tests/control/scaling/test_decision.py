"""The scaling decision: a table of what operators expect, and what must hold for any input."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.scaling.decision import (
    Clamp,
    History,
    Mode,
    Policy,
    Reason,
    Signal,
    Wish,
    decide,
)

NOW = 10_000.0
NONE = History((), None)
AUTO = Policy(
    mode=Mode.AUTO,
    manual_replicas=1,
    min_replicas=1,
    max_replicas=10,
    target_backlog_per_replica=100,
    target_oldest_age_seconds=60,
    tolerance_percent=10,
    stabilization_up_seconds=0,
    stabilization_down_seconds=300,
    step_percent=100,
    cooldown_seconds=0,
    signal_stale_seconds=30,
    is_paused=False,
    is_dry_run=False,
)


def signal(count: int, age: float = 1.0, reported_at: float = NOW) -> Signal:
    return Signal(reported_at, count, age)


@pytest.mark.parametrize(
    ("policy", "given_signal", "history", "current", "wanted", "applied", "reason", "clamp"),
    [
        (AUTO, signal(250), NONE, 2, 3, 3, Reason.BACKLOG, Clamp.NOTHING),
        (AUTO, signal(205), NONE, 2, 2, 2, Reason.WITHIN_TOLERANCE, Clamp.NOTHING),
        (AUTO, signal(5_000), NONE, 8, 50, 10, Reason.BACKLOG, Clamp.MAXIMUM),
        (AUTO, signal(5_000), NONE, 2, 50, 4, Reason.BACKLOG, Clamp.STEP),
        (AUTO, signal(0), NONE, 1, 1, 1, Reason.IDLE, Clamp.NOTHING),
        (AUTO, signal(10, age=90.0), NONE, 2, 3, 3, Reason.OLDEST_AGE, Clamp.NOTHING),
        (AUTO, None, NONE, 0, 1, 1, Reason.NEVER_REPORTED, Clamp.NOTHING),
        (
            AUTO,
            signal(900, reported_at=NOW - 31),
            NONE,
            4,
            4,
            4,
            Reason.SIGNAL_STALE,
            Clamp.NOTHING,
        ),
        (
            AUTO,
            signal(0, reported_at=NOW - 31),
            NONE,
            12,
            12,
            10,
            Reason.SIGNAL_STALE,
            Clamp.MAXIMUM,
        ),
        (
            AUTO,
            signal(0),
            History((Wish(NOW - 100, 6),), None),
            8,
            1,
            6,
            Reason.IDLE,
            Clamp.STABILIZATION,
        ),
        (
            AUTO,
            signal(0),
            History((Wish(NOW - 301, 6),), None),
            8,
            1,
            1,
            Reason.IDLE,
            Clamp.NOTHING,
        ),
        (
            replace(AUTO, stabilization_up_seconds=60),
            signal(900),
            History((Wish(NOW - 30, 3),), None),
            2,
            9,
            3,
            Reason.BACKLOG,
            Clamp.STABILIZATION,
        ),
        (
            replace(AUTO, cooldown_seconds=60),
            signal(900),
            History((), NOW - 10),
            5,
            9,
            5,
            Reason.BACKLOG,
            Clamp.COOLDOWN,
        ),
        (replace(AUTO, is_dry_run=True), signal(900), NONE, 5, 9, 5, Reason.BACKLOG, Clamp.DRY_RUN),
        (replace(AUTO, is_paused=True), signal(900), NONE, 5, 5, 5, Reason.PAUSED, Clamp.NOTHING),
        (
            replace(AUTO, mode=Mode.MANUAL, manual_replicas=7),
            signal(0),
            NONE,
            2,
            7,
            7,
            Reason.MANUAL,
            Clamp.NOTHING,
        ),
    ],
)
def test_operators_get_what_they_expect(
    policy: Policy,
    given_signal: Signal | None,
    history: History,
    current: int,
    wanted: int,
    applied: int,
    reason: Reason,
    clamp: Clamp,
) -> None:
    decision = decide(policy, given_signal, history, current, NOW)
    found = decision.wanted, decision.applied, decision.reason, decision.clamped_by
    assert found == (wanted, applied, reason, clamp)
    assert decision.changes == (applied != current)


POLICIES = st.builds(
    lambda bounds, **rest: replace(
        AUTO, min_replicas=min(bounds), max_replicas=max(bounds), **rest
    ),
    bounds=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    target_backlog_per_replica=st.integers(1, 500),
    target_oldest_age_seconds=st.integers(1, 600),
    tolerance_percent=st.integers(0, 50),
    stabilization_up_seconds=st.integers(0, 600),
    stabilization_down_seconds=st.integers(0, 600),
    step_percent=st.integers(1, 300),
    cooldown_seconds=st.integers(0, 600),
)
SIGNALS = st.builds(
    Signal,
    reported_at=st.floats(NOW - 60, NOW),
    claimable_count=st.integers(0, 20_000),
    oldest_claimable_age_seconds=st.floats(0, 1_000),
)
HISTORIES = st.builds(
    History,
    wishes=st.lists(st.builds(Wish, st.floats(NOW - 700, NOW), st.integers(1, 60)), max_size=6),
    changed_at=st.none() | st.floats(NOW - 700, NOW),
)


@given(POLICIES, st.none() | SIGNALS, HISTORIES, st.integers(0, 60))
def test_replicas_stay_within_the_bounds(
    policy: Policy, found: Signal | None, history: History, current: int
) -> None:
    decision = decide(policy, found, history, current, NOW)
    assert policy.min_replicas <= decision.applied <= policy.max_replicas


@given(POLICIES, SIGNALS, HISTORIES, st.integers(1, 40))
def test_a_stale_signal_changes_nothing_that_is_within_the_bounds(
    policy: Policy, found: Signal, history: History, current: int
) -> None:
    late = NOW + policy.signal_stale_seconds + 61
    decision = decide(policy, found, history, current, late)
    if policy.min_replicas <= current <= policy.max_replicas:
        assert not decision.changes
    assert not decision.is_signal_fresh


@given(POLICIES, SIGNALS, HISTORIES, st.integers(1, 40))
def test_an_applied_number_lies_between_the_current_and_the_wanted_one(
    policy: Policy, found: Signal, history: History, current: int
) -> None:
    if not policy.min_replicas <= current <= policy.max_replicas:
        return
    decision = decide(policy, found, history, current, NOW)
    low, high = sorted((current, max(policy.min_replicas, decision.wanted)))
    assert low <= decision.applied <= high


@given(POLICIES, st.integers(0, 20_000), st.integers(0, 20_000), st.integers(1, 40))
def test_more_work_never_wants_fewer_workers(
    policy: Policy, first: int, second: int, current: int
) -> None:
    def wanted(count: int) -> int:
        exact = replace(policy, tolerance_percent=0)
        decision = decide(exact, signal(count), NONE, current, NOW)
        return max(decision.wanted, policy.min_replicas)

    assert wanted(min(first, second)) <= wanted(max(first, second))


@pytest.mark.parametrize(
    "broken",
    [{"min_replicas": 0}, {"min_replicas": 5, "max_replicas": 4}, {"step_percent": 0}],
)
def test_a_policy_that_the_schema_would_refuse_is_refused(broken: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"bounds|least"):
        replace(AUTO, **broken)  # type: ignore[arg-type]
