"""One look at a WalletChain: apply its children, decide, scale or drain, write what is.

Called by the queue, on the leader only. Reads the store, writes with the Lease checked before each
write; whatever fails is tried again as a whole.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.trace import Tracer

from control import limits
from control.chains import health, manifests
from control.chains.drain import SKIP_ANNOTATION, Drains, Progress
from control.chains.memory import Memory, has_reported, lost_signal
from control.cluster.client import Cluster
from control.cluster.kinds import Kind, Object, annotations_of, name_of
from control.cluster.lease import Lease
from control.cluster.store import Store
from control.conditions import Condition, Truth, merged
from control.events import Events
from control.scaling.decision import Decision, Policy, Reason, decide
from control.scaling.policy import decision_record, describe, moment, policy_of
from control.settings import WorkerSettings
from control.signals.board import Board, Heard
from control.telemetry import Instruments
from runtime import logs
from runtime.clock import NANOSECONDS_PER_SECOND, Clock

LOGGER = logs.get(__name__)
RECONCILE_ANNOTATION: Final = "cambist.dev/reconcile-at"
# Status fields that change with every report: they alone are written seldom.
FIGURES: Final = frozenset({"backlog", "oldestAgeSeconds", "scanLagBlocks", "blocked", "decision"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What a look works with."""

    cluster: Cluster
    store: Store
    lease: Lease
    board: Board
    drains: Drains
    events: Events
    instruments: Instruments
    tracer: Tracer
    clock: Clock
    settings: WorkerSettings
    template: Object


@dataclass(slots=True)
class Chains:
    """All WalletChains of the namespace."""

    parts: Parts
    memories: dict[str, Memory] = field(default_factory=dict)
    # The last copy of each chain, for what is told when it went.
    known: dict[str, Object] = field(default_factory=dict)

    def reset(self) -> None:
        """A new term of leadership begins with what the cluster says."""
        self.memories.clear()

    async def look(self, name: str) -> float | None:
        """One look; seconds until the next."""
        store = self.parts.store
        chain = store.get(Kind.WALLET_CHAIN, name)
        if chain is None or chain["metadata"].get("deletionTimestamp"):
            await self._went(name)
            return None
        self.known[name] = chain
        other = older_twin(chain, store.all(Kind.WALLET_CHAIN))
        if other:
            await self._conflict(chain, other)
            return limits.CHAIN_INTERVAL_SECONDS
        with self.parts.tracer.start_as_current_span("control.chain") as span:
            span.set_attribute("cambist.chain", name)
            deployment = await self._apply(chain)
            if deployment is None:
                return limits.SIGNAL_INTERVAL_SECONDS
            memory = self._memory(chain, deployment)
            policy = policy_of(chain["spec"])
            decision, never = self._decide(chain, deployment, policy, memory)
            span.set_attribute("cambist.decision", json.dumps(decision_record(decision, 0.0)))
            progress = await self._act(chain, deployment, decision, memory)
            await self._tell(chain, decision, memory)
            conditions = self._conditions(
                chain, deployment, policy, decision, progress, never=never
            )
            await self._write(chain, deployment, decision, memory, conditions, progress)
            memory.decided = decision
        return limits.DRAIN_INTERVAL_SECONDS if progress.pods else limits.CHAIN_INTERVAL_SECONDS

    async def _apply(self, chain: Object) -> Object | None:
        """Applies children that differ from what was applied; the Deployment as it is known."""
        parts, name = self.parts, name_of(chain)
        forced = annotations_of(chain).get(RECONCILE_ANNOTATION, "")
        source = (chain["metadata"]["uid"], chain["metadata"]["generation"], forced)
        known = parts.store.get(Kind.DEPLOYMENT, manifests.child_name(chain))
        memory = self.memories.get(name)
        applied_before = memory.applied if memory else None
        if known is not None and applied_before == (source, known["metadata"]["generation"]):
            return known
        for kind, child in manifests.children(chain, parts.settings, parts.template):
            parts.lease.require()
            applied = await parts.cluster.apply(kind, child)
        # The Deployment is last.
        parts.store.put(Kind.DEPLOYMENT, applied)
        memory = self._memory(chain, applied)
        memory.applied = (source, applied["metadata"]["generation"])
        LOGGER.info("applied", chain=name, generation=source[1])
        return parts.store.get(Kind.DEPLOYMENT, manifests.child_name(chain))

    def _memory(self, chain: Object, deployment: Object) -> Memory:
        name = name_of(chain)
        if name not in self.memories:
            current = deployment["spec"].get("replicas", 1)
            self.memories[name] = Memory.begin(chain, current, self.parts.lease.now(), self._wall())
        return self.memories[name]

    def _wall(self) -> float:
        return self.parts.clock.wall_ns() / NANOSECONDS_PER_SECOND

    def _decide(
        self, chain: Object, deployment: Object, policy: Policy, memory: Memory
    ) -> tuple[Decision, bool]:
        parts, name = self.parts, name_of(chain)
        now = parts.lease.now()
        newest = parts.board.newest(name)
        never = newest is None and not has_reported(chain, deployment)
        signal = newest.signal() if newest else (None if never else lost_signal())
        current = deployment["spec"].get("replicas", 1)
        decision = decide(policy, signal, memory.history(), current, now)
        memory.note(decision)
        parts.instruments.decided(name, decision)
        if newest is not None:
            parts.instruments.signal_age.set(now - newest.at, {"chain": name})
        return decision, never

    async def _act(
        self, chain: Object, deployment: Object, decision: Decision, memory: Memory
    ) -> Progress:
        """Scales up, or drains and scales down, or undoes a drain."""
        parts = self.parts
        pods = [
            pod
            for pod in parts.store.pods_of(name_of(chain))
            if not pod["metadata"].get("deletionTimestamp")
        ]
        parts.drains.forget({pod["metadata"]["uid"] for pod in pods})
        now = parts.lease.now()
        is_skipped = annotations_of(chain).get(SKIP_ANNOTATION) == "true"
        if decision.applied >= decision.current or not pods or is_skipped:
            # Pods of the last scale-down may still be about to go.
            patience = limits.RELEASE_SECONDS if decision.applied == decision.current else 0.0
            await parts.drains.keep(pods, patience)
            if decision.changes:
                await self._scale(deployment, decision, memory)
            return Progress()
        if now < memory.drain_again_at:
            return Progress()
        # Pods beyond those that are wanted now have not been made, or are about to go.
        count = min(len(pods), decision.current - decision.applied)
        mark = f"{chain['metadata']['uid']}-{parts.lease.transitions}-{decision.applied}"
        progress = await parts.drains.shrink(pods, count, mark)
        if progress.refused:
            memory.drain_again_at = now + parts.settings.drain_seconds
            await parts.drains.keep(pods, 0.0)
            note = f"not empty in time: {', '.join(progress.refused)}; they work on"
            await parts.events.tell(Kind.WALLET_CHAIN, chain, "DrainRefused", note, warning=True)
        elif progress.is_done:
            await self._scale(deployment, decision, memory)
        return progress

    async def _scale(self, deployment: Object, decision: Decision, memory: Memory) -> None:
        self.parts.lease.require()
        await self.parts.cluster.scale(deployment, decision.applied)
        memory.changed_at = self.parts.lease.now()
        LOGGER.info("scaled", deployment=name_of(deployment), decision=describe(decision))

    async def _tell(self, chain: Object, decision: Decision, memory: Memory) -> None:
        """An event for each decision that changes something, and for a lost or found signal."""
        before = memory.decided
        events, kind = self.parts.events, Kind.WALLET_CHAIN
        if decision.changes and (before is None or before.applied != decision.applied):
            await events.tell(kind, chain, "Scaling", describe(decision))
        if decision.reason is Reason.SIGNAL_STALE and (
            before is None or before.reason is not Reason.SIGNAL_STALE
        ):
            await events.tell(kind, chain, "SignalStale", describe(decision), warning=True)

    def _conditions(
        self,
        chain: Object,
        deployment: Object,
        policy: Policy,
        decision: Decision,
        progress: Progress,
        *,
        never: bool,
    ) -> list[Condition]:
        name, store = name_of(chain), self.parts.store
        pods = store.pods_of(name)
        newest: Heard | None = self.parts.board.newest(name)
        fresh = decision.is_signal_fresh
        synced = self._synced(name, policy)
        return [
            health.ready(store.get(Kind.DEPLOYMENT, name_of(deployment)), pods),
            health.signal_condition(decision, newest, never=never),
            synced,
            health.scaling(policy, decision),
            draining(progress, self.memories[name].drain_again_at > self.parts.lease.now()),
            health.withdrawals(chain["spec"], newest, fresh=fresh),
            health.replicas_ignored(policy),
            Condition("Conflict", Truth.FALSE, "OnlyOne", ""),
        ]

    def _synced(self, name: str, policy: Policy) -> Condition:
        parts = self.parts
        scanning = parts.board.scanning(name)
        is_fresh = (
            scanning is not None and parts.lease.now() - scanning.at <= policy.signal_stale_seconds
        )
        synced = health.synced(scanning, is_fresh=is_fresh)
        parts.instruments.nodes_synced.set(synced.status is Truth.TRUE, {"chain": name})
        return synced

    async def _write(
        self,
        chain: Object,
        deployment: Object,
        decision: Decision,
        memory: Memory,
        conditions: Sequence[Condition],
        progress: Progress,
    ) -> None:
        newest = self.parts.board.newest(name_of(chain))
        selector = ",".join(f"{key}={value}" for key, value in manifests.labels_of(chain).items())
        state = deployment.get("status") or {}
        status: Object = {
            "replicas": state.get("replicas", 0),
            "readyReplicas": state.get("readyReplicas", 0),
            "selector": selector,
            "draining": ",".join(progress.pods),
            "decision": decision_record(decision, self._wall()),
        }
        if newest is not None:
            report = newest.report
            status |= {
                "backlog": report.claimable_count,
                "oldestAgeSeconds": report.oldest_claimable_age_ms // 1_000,
                "blocked": report.blocked_count,
            }
        scanning = self.parts.board.scanning(name_of(chain))
        if scanning is not None:
            status["scanLagBlocks"] = scanning.report.scan_lag_blocks
        now = self.parts.lease.now()
        is_urgent = decision.changes or (
            memory.decided is not None and memory.decided.reason != decision.reason
        )
        may_write_figures = is_urgent or now - memory.figures_at >= limits.FIGURES_SECONDS
        if await self._status(chain, status, conditions, may_write_figures=may_write_figures):
            memory.figures_at = now

    async def _status(
        self,
        chain: Object,
        status: Object,
        conditions: Sequence[Condition],
        *,
        may_write_figures: bool = True,
    ) -> bool:
        """Writes the status when it differs enough; whether it did."""
        known = chain.get("status") or {}
        generation = chain["metadata"]["generation"]
        now = moment(self._wall())
        status["observedGeneration"] = generation
        status["conditions"] = merged(known.get("conditions", []), conditions, generation, now)
        differs = {key for key in status if not is_same(key, status[key], known.get(key))}
        if not differs or (differs <= FIGURES and not may_write_figures):
            return False
        self.parts.lease.require()
        version = chain["metadata"]["resourceVersion"]
        change = {"metadata": {"resourceVersion": version}, "status": status}
        name = name_of(chain)
        written = await self.parts.cluster.patch(Kind.WALLET_CHAIN, name, change, "status")
        self.parts.store.put(Kind.WALLET_CHAIN, written)
        return True

    async def _conflict(self, chain: Object, other: str) -> None:
        text = (
            f"WalletChain {other} is older and serves this chain and network; "
            "delete one of the two. This one has no workers"
        )
        conditions = [
            Condition("Ready", Truth.FALSE, "Conflict", text),
            Condition("Conflict", Truth.TRUE, "SameChain", text),
        ]
        await self._status(chain, {"replicas": 0, "readyReplicas": 0}, conditions)

    async def _went(self, name: str) -> None:
        """The resource was deleted: its workers go by owner references; money stays in Postgres."""
        chain, newest = self.known.pop(name, None), self.parts.board.newest(name)
        self.memories.pop(name, None)
        self.parts.board.forget_chain(name)
        if chain is None or newest is None:
            return
        report = newest.report
        waiting = report.claimable_count + report.confirming_count + report.in_flight_count
        if waiting + report.blocked_count:
            note = (
                f"deleted with {waiting} withdrawals under way and {report.blocked_count} blocked: "
                "none is lost, none goes on; make a WalletChain of this chain and network again"
            )
            LOGGER.warning("chain deleted with withdrawals", chain=name, note=note)
            kind, reason = Kind.WALLET_CHAIN, "WithdrawalsUnderWay"
            await self.parts.events.tell(kind, chain, reason, note, warning=True)


def draining(progress: Progress, is_refused: bool) -> Condition:
    """Draining."""
    if progress.refused or is_refused:
        text = (
            "workers did not get empty in time and work on; "
            f"annotate the WalletChain {SKIP_ANNOTATION}=true to take them anyway"
        )
        return Condition("Draining", Truth.FALSE, "DrainRefused", text)
    if progress.pods:
        return Condition("Draining", Truth.TRUE, "Draining", ", ".join(progress.pods))
    return Condition("Draining", Truth.FALSE, "NotDraining", "")


def is_same(key: str, wanted: object, known: object) -> bool:
    """Whether a status field says the same; the time of a decision alone is nothing new."""
    if key == "decision" and isinstance(wanted, dict) and isinstance(known, dict):
        return {**wanted, "time": ""} == {**known, "time": ""}
    return wanted == known


def older_twin(chain: Object, others: Sequence[Object]) -> str:
    """Another WalletChain of the same chain and network that came first; empty = none."""

    def order(found: Object) -> tuple[str, str]:
        return str(found["metadata"].get("creationTimestamp", "~")), str(
            found["metadata"].get("uid", "~")
        )

    spec = chain["spec"]
    for other in others:
        same = (other["spec"]["chain"], other["spec"]["network"]) == (
            spec["chain"],
            spec["network"],
        )
        if same and name_of(other) != name_of(chain) and order(other) < order(chain):
            return name_of(other)
    return ""
