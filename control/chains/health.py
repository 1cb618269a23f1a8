"""What can be said of a chain's workers from their pods and reports, as conditions. Pure."""

import re
from collections.abc import Sequence
from typing import Any, Final

from control import limits
from control.cluster.kinds import Object, name_of
from control.conditions import Condition, Truth
from control.scaling.decision import Decision, Mode, Policy, Reason
from control.scaling.policy import describe
from control.signals.board import Heard

# Reasons of Kubernetes for a container that cannot start, and what it means for people.
WAITING: Final = {
    "CreateContainerConfigError": "SecretMissing",
    "ImagePullBackOff": "ImageMissing",
    "ErrImagePull": "ImageMissing",
    "ErrImageNeverPull": "ImageMissing",
    "InvalidImageName": "ImageMissing",
}
CRASHING: Final = "CrashLoopBackOff"
# Exit statuses of our processes (runtime.process) and what they mean.
EXITS: Final = {69: "DependencyUnreachable", 78: "WorkerMisconfigured"}
EXIT_TEXTS: Final = {
    "DependencyUnreachable": "a node, the database or the signer did not answer; see its log",
    "WorkerMisconfigured": "its configuration is wrong; see its log",
    "WorkerCrashing": "it ends again and again; see its log",
}

# What keeps a worker from following its chain, and what a person does about it.
NODE_TEXTS: Final = {
    "NodeUnreachable": "too few nodes answer; check that they run, their URLs, and ports and cidrs "
    "of spec.nodes",
    "ChainMismatch": "nodes are on another chain than the one registered; mend the URLs in the "
    "chain file, nothing is read or paid until then",
    "NodesDisagree": "nodes tell different blocks; find the one that is wrong",
    "ReorgTooDeep": "the chain went back further than is believed; payouts are stopped",
    "ChainStalled": "the newest block is old; look at the nodes",
}
SUSPENDED_TEXT: Final = (
    "spec.suspend.withdrawals is true: none begins when the workers of before are replaced"
)
REASON: Final = re.compile("[A-Za-z][A-Za-z0-9]{0,127}")


def ready(deployment: Object | None, pods: Sequence[Object]) -> Condition:
    """Ready, or the reason of the first pod that says why not."""
    status: dict[str, Any] = (deployment or {}).get("status") or {}
    wanted = (deployment or {}).get("spec", {}).get("replicas", 0)
    count = status.get("readyReplicas", 0)
    for pod in pods:
        fault = pod_fault(pod)
        if fault is not None:
            reason, text = fault
            return Condition("Ready", Truth.FALSE, reason, f"pod {name_of(pod)}: {text}")
    text = f"{count} of {wanted} workers are ready"
    if deployment is None or count < wanted:
        return Condition("Ready", Truth.FALSE, "WorkersStarting", text)
    return Condition("Ready", Truth.TRUE, "WorkersReady", text)


def pod_fault(pod: Object) -> tuple[str, str] | None:
    """Why a pod cannot work, when it says so."""
    for found in (pod.get("status") or {}).get("containerStatuses") or []:
        waiting = (found.get("state") or {}).get("waiting") or {}
        reason = str(waiting.get("reason", ""))
        if reason in WAITING:
            return WAITING[reason], str(waiting.get("message") or reason)
        if reason == CRASHING:
            ended = (found.get("lastState") or {}).get("terminated") or {}
            name = EXITS.get(ended.get("exitCode", 0), "WorkerCrashing")
            return name, f"{EXIT_TEXTS[name]} {ended.get('message', '')}".strip()
    return None


def signal_condition(decision: Decision, newest: Heard | None, *, never: bool) -> Condition:
    """SignalFresh."""
    if decision.is_signal_fresh:
        assert newest is not None
        return Condition("SignalFresh", Truth.TRUE, "Reporting", f"by {newest.pod}")
    if never:
        text = "no worker has reported since the Deployment was made"
        return Condition("SignalFresh", Truth.FALSE, "NeverReported", text)
    text = "no worker reports; the number of workers is held within the bounds"
    return Condition("SignalFresh", Truth.FALSE, "SignalStale", text)


def scaling(policy: Policy, decision: Decision) -> Condition:
    """Scaling: whether decisions are acted on."""
    if policy.mode is Mode.MANUAL:
        return Condition("Scaling", Truth.FALSE, "Manual", "spec.replicas is obeyed")
    if policy.is_dry_run:
        return Condition("Scaling", Truth.FALSE, "DryRun", describe(decision))
    if decision.reason is Reason.PAUSED:
        return Condition("Scaling", Truth.FALSE, "Paused", describe(decision))
    if not decision.is_signal_fresh:
        return Condition("Scaling", Truth.FALSE, "Held", describe(decision))
    return Condition("Scaling", Truth.TRUE, decision.reason.value, describe(decision))


def synced(scanning: Heard | None, *, is_fresh: bool) -> Condition:
    """NodesSynced, by the newest report of the worker that follows the blocks."""
    kind = "NodesSynced"
    if scanning is None or not is_fresh:
        return Condition(kind, Truth.UNKNOWN, "SignalStale", "no worker follows the blocks")
    report = scanning.report
    if report.scan_condition:
        text = NODE_TEXTS.get(report.scan_condition, "see the worker's log")
        name = word(report.scan_condition)
        return Condition(kind, Truth.FALSE, name, f"{text}: {report.scan_detail}")
    lag = report.scan_lag_blocks
    text = f"{lag} blocks behind the tip"
    if lag > limits.SCAN_LAG_BLOCKS_MAX:
        return Condition(kind, Truth.FALSE, "ChainStalled", f"{text}; look at the nodes")
    return Condition(kind, Truth.TRUE, "Following", text)


def word(reason: str) -> str:
    """A reason as the API server takes it; a worker of another release may say anything."""
    return reason if REASON.fullmatch(reason) else "ScanWaits"


def withdrawals(spec: Object, newest: Heard | None, *, fresh: bool) -> Condition:
    """WithdrawalsEnabled."""
    kind = "WithdrawalsEnabled"
    if spec["suspend"]["withdrawals"]:
        return Condition(kind, Truth.FALSE, "Suspended", SUSPENDED_TEXT)
    if newest is None or not fresh:
        return Condition(kind, Truth.UNKNOWN, "SignalStale", "no worker reports")
    blocked, stuck = newest.report.blocked_count, newest.report.stuck_count
    if blocked or stuck:
        text = (
            f"{blocked} wait for signer, funds, approval, ceiling or time lock; {stuck} are stuck"
        )
        return Condition(kind, Truth.TRUE, "SomeBlocked", text)
    return Condition(kind, Truth.TRUE, "Paying", "")


def replicas_ignored(policy: Policy) -> Condition:
    """ReplicasIgnored: `kubectl scale` does nothing in Auto."""
    if policy.mode is Mode.MANUAL or policy.manual_replicas == 1:
        return Condition(
            "ReplicasIgnored", Truth.FALSE, "Obeyed" if policy.mode is Mode.MANUAL else "Auto", ""
        )
    text = "spec.replicas has no effect in scaling.mode Auto; use minReplicas and maxReplicas"
    return Condition("ReplicasIgnored", Truth.TRUE, "Auto", text)
