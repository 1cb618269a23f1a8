"""From the resource to the decision and back: spec to Policy, Decision to status. Pure."""

from datetime import UTC, datetime
from typing import Any

from control.scaling.decision import Decision, Mode, Policy


def policy_of(spec: dict[str, Any]) -> Policy:
    """`spec` of a WalletChain, with the schema's defaults in it."""
    scaling = spec["scaling"]
    stabilization = scaling["stabilizationSeconds"]
    return Policy(
        mode=Mode(scaling["mode"]),
        manual_replicas=spec["replicas"],
        min_replicas=scaling["minReplicas"],
        max_replicas=scaling["maxReplicas"],
        target_backlog_per_replica=scaling["targetBacklogPerReplica"],
        target_oldest_age_seconds=scaling["targetOldestAgeSeconds"],
        tolerance_percent=scaling["tolerancePercent"],
        stabilization_up_seconds=stabilization["up"],
        stabilization_down_seconds=stabilization["down"],
        step_percent=scaling["stepPercent"],
        cooldown_seconds=scaling["cooldownSeconds"],
        signal_stale_seconds=scaling["signalStaleSeconds"],
        is_paused=scaling["pause"],
        is_dry_run=scaling["dryRun"],
    )


def moment(wall_seconds: float) -> str:
    """A time as Kubernetes writes it."""
    return datetime.fromtimestamp(wall_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str) -> float:
    """Wall seconds of a time that Kubernetes wrote."""
    return datetime.fromisoformat(text).timestamp()


def decision_record(decision: Decision, wall_seconds: float) -> dict[str, Any]:
    """`status.decision`."""
    return {
        "time": moment(wall_seconds),
        "current": decision.current,
        "wanted": decision.wanted,
        "applied": decision.applied,
        "reason": decision.reason.value,
        "clampedBy": decision.clamped_by.value,
        "claimable": decision.claimable_count,
        "oldestAgeSeconds": int(decision.oldest_claimable_age_seconds),
        "signalFresh": decision.is_signal_fresh,
    }


def describe(decision: Decision) -> str:
    """For people: conditions and events."""
    text = (
        f"{decision.current} workers, wanted {decision.wanted} ({decision.reason}), "
        f"applied {decision.applied}; {decision.claimable_count} claimable, "
        f"the oldest for {decision.oldest_claimable_age_seconds:.0f} s"
    )
    return f"{text}; kept back by {decision.clamped_by}" if decision.clamped_by else text
