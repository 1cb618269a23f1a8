"""How many workers a chain should have now. Pure: the same inputs give the same decision.

Called by the operator for every new signal and once per resync; it passes in time and history.
The decision is written down whole (status, event, metric), so it carries why it is what it is.
A missing or stale signal never scales: it holds what is there, within the bounds.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class Mode(enum.StrEnum):
    """Who decides on replicas."""

    MANUAL = "Manual"
    AUTO = "Auto"


class Reason(enum.StrEnum):
    """What the wanted number follows from."""

    MANUAL = "Manual"
    PAUSED = "Paused"
    BACKLOG = "Backlog"
    OLDEST_AGE = "OldestAge"
    WITHIN_TOLERANCE = "WithinTolerance"
    # Nothing is claimable.
    IDLE = "Idle"
    SIGNAL_STALE = "SignalStale"
    # The chain has not reported since its Deployment was made.
    NEVER_REPORTED = "NeverReported"


class Clamp(enum.StrEnum):
    """What kept the applied number from the wanted one."""

    NOTHING = ""
    MINIMUM = "minReplicas"
    MAXIMUM = "maxReplicas"
    STEP = "stepPercent"
    STABILIZATION = "stabilizationSeconds"
    COOLDOWN = "cooldownSeconds"
    DRY_RUN = "dryRun"


@dataclass(frozen=True, slots=True)
class Policy:
    """`spec.scaling` of a WalletChain; names and units are those of the resource."""

    mode: Mode
    manual_replicas: int
    min_replicas: int
    max_replicas: int
    target_backlog_per_replica: int
    target_oldest_age_seconds: int
    tolerance_percent: int
    stabilization_up_seconds: int
    stabilization_down_seconds: int
    step_percent: int
    cooldown_seconds: int
    signal_stale_seconds: int
    is_paused: bool
    is_dry_run: bool

    def __post_init__(self) -> None:
        """The API server refuses such a spec; a caller that skips it must not scale by it."""
        if not 1 <= self.min_replicas <= self.max_replicas:
            raise ValueError(f"bounds {self.min_replicas} to {self.max_replicas}")
        if self.target_backlog_per_replica < 1 or self.target_oldest_age_seconds < 1:
            raise ValueError("a target is at least 1")
        if self.step_percent < 1 or self.manual_replicas < 0:
            raise ValueError("stepPercent is at least 1, replicas at least 0")


@dataclass(frozen=True, slots=True)
class Signal:
    """The newest report of any worker: what is claimable is the chain's, never a worker's."""

    reported_at: float
    claimable_count: int
    oldest_claimable_age_seconds: float


@dataclass(frozen=True, slots=True)
class Wish:
    """A wanted number of the past, for stabilisation."""

    at: float
    replicas: int


@dataclass(frozen=True, slots=True)
class History:
    """What was decided before."""

    # Newest last; those older than the longer window may be gone.
    wishes: Sequence[Wish]
    # When replicas were last changed; None = never.
    changed_at: float | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and why."""

    at: float
    current: int
    wanted: int
    applied: int
    reason: Reason
    clamped_by: Clamp
    claimable_count: int
    oldest_claimable_age_seconds: float
    is_signal_fresh: bool

    @property
    def changes(self) -> bool:
        """Whether `/scale` is to be written."""
        return self.applied != self.current


def decide(
    policy: Policy, signal: Signal | None, history: History, current: int, now: float
) -> Decision:
    """The decision at `now` (seconds of a clock that does not step back)."""
    fresh = signal is not None and now - signal.reported_at <= policy.signal_stale_seconds
    wanted, reason = want(policy, signal, current, is_fresh=fresh)
    applied, clamp = clamped(policy, history, current, wanted, reason, now)
    return Decision(
        at=now,
        current=current,
        wanted=wanted,
        applied=applied,
        reason=reason,
        clamped_by=clamp,
        claimable_count=signal.claimable_count if signal else 0,
        oldest_claimable_age_seconds=signal.oldest_claimable_age_seconds if signal else 0.0,
        is_signal_fresh=fresh,
    )


def want(
    policy: Policy, signal: Signal | None, current: int, *, is_fresh: bool
) -> tuple[int, Reason]:
    """The number before any limit, and what it follows from."""
    if policy.mode is Mode.MANUAL:
        return policy.manual_replicas, Reason.MANUAL
    if policy.is_paused:
        return current, Reason.PAUSED
    if signal is None:
        return policy.min_replicas, Reason.NEVER_REPORTED
    if not is_fresh:
        return current, Reason.SIGNAL_STALE
    by_backlog = -(-signal.claimable_count // policy.target_backlog_per_replica)
    if not signal.claimable_count:
        return policy.min_replicas, Reason.IDLE
    if is_within_tolerance(policy, signal, current):
        return current, Reason.WITHIN_TOLERANCE
    # Old work with a small backlog: one worker is stuck or slow; one more may take it.
    is_old = signal.oldest_claimable_age_seconds > policy.target_oldest_age_seconds
    if is_old and current + 1 > by_backlog:
        return current + 1, Reason.OLDEST_AGE
    return by_backlog, Reason.BACKLOG


def is_within_tolerance(policy: Policy, signal: Signal, current: int) -> bool:
    """Whether backlog per worker is near enough to its target, and nothing is too old."""
    if signal.oldest_claimable_age_seconds > policy.target_oldest_age_seconds or not current:
        return False
    target = current * policy.target_backlog_per_replica
    return abs(signal.claimable_count - target) * 100 <= policy.tolerance_percent * target


def clamped(
    policy: Policy, history: History, current: int, wanted: int, reason: Reason, now: float
) -> tuple[int, Clamp]:
    """The number after all limits; the last one that bit is named."""
    clamp = Clamp.NOTHING
    applied = wanted
    # A person's number counts as it is; the schema bounds it.
    if reason is not Reason.MANUAL:
        applied, clamp = bounded(policy, applied)
        if reason not in (Reason.PAUSED, Reason.SIGNAL_STALE, Reason.NEVER_REPORTED):
            applied, clamp = damped(policy, history, current, applied, clamp, now)
    if policy.is_dry_run and applied != current:
        return current, Clamp.DRY_RUN
    return applied, clamp


def bounded(policy: Policy, replicas: int) -> tuple[int, Clamp]:
    """Within the bounds."""
    if replicas < policy.min_replicas:
        return policy.min_replicas, Clamp.MINIMUM
    if replicas > policy.max_replicas:
        return policy.max_replicas, Clamp.MAXIMUM
    return replicas, Clamp.NOTHING


def damped(
    policy: Policy, history: History, current: int, wanted: int, clamp: Clamp, now: float
) -> tuple[int, Clamp]:
    """Stabilisation, then the step, then the cooldown; bounds that were left are restored first."""
    if current < policy.min_replicas or current > policy.max_replicas:
        return wanted, clamp
    applied = stabilised(policy, history, current, wanted, now)
    if applied != wanted:
        clamp = Clamp.STABILIZATION
    step = max(1, current * policy.step_percent // 100)
    stepped = max(current - step, min(current + step, applied))
    if stepped != applied:
        applied, clamp = stepped, Clamp.STEP
    is_cooling = (
        history.changed_at is not None and now - history.changed_at < policy.cooldown_seconds
    )
    if applied != current and is_cooling:
        return current, Clamp.COOLDOWN
    return applied, clamp


def stabilised(policy: Policy, history: History, current: int, wanted: int, now: float) -> int:
    """Up only to the least, down only to the most that was wanted within the window."""
    if wanted > current:
        window = policy.stabilization_up_seconds
        recent = [wish.replicas for wish in history.wishes if now - wish.at < window]
        return max(current, min([wanted, *recent]))
    window = policy.stabilization_down_seconds
    recent = [wish.replicas for wish in history.wishes if now - wish.at < window]
    return min(current, max([wanted, *recent]))
