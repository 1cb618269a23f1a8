"""Takes workers away without interrupting what they do.

A worker that is to go is marked by an annotation with the decision's id, so that the next leader
finds it; then it is asked to drain. When all victims are empty the caller writes `/scale`; a low
deletion cost makes Kubernetes take just these. Correctness never depends on it: a worker may die
at any time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from control import limits
from control.cluster.client import Cluster
from control.cluster.kinds import Kind, Object, annotations_of, name_of
from control.cluster.lease import Lease
from control.errors import NotFound, Unavailable
from control.signals.workers import Workers, address_of
from runtime import logs

LOGGER = logs.get(__name__)
DRAIN_ANNOTATION: Final = "cambist.dev/drain"
COST_ANNOTATION: Final = "controller.kubernetes.io/pod-deletion-cost"
# On a WalletChain: replicas go down at once, without asking the workers.
SKIP_ANNOTATION: Final = "cambist.dev/skip-drain"
FIRST_TO_GO: Final = "-1000"


@dataclass(slots=True)
class Asked:
    """A worker that was asked to drain; the task answers attempts still in flight."""

    task: asyncio.Task[int]
    at: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a drain is."""

    pods: tuple[str, ...] = ()
    is_done: bool = False
    # Pods that did not get empty before the deadline.
    refused: tuple[str, ...] = ()


@dataclass(slots=True)
class Drains:
    """Drains under way in this process; a new leader begins with none and asks again."""

    cluster: Cluster
    workers: Workers
    lease: Lease
    drain_seconds: float
    asked: dict[str, Asked] = field(default_factory=dict)
    # When pods were first seen marked without being wanted to go: those of a scale-down vanish.
    released: dict[str, float] = field(default_factory=dict)

    async def shrink(self, pods: Sequence[Object], count: int, decision_id: str) -> Progress:
        """Works towards taking `count` of the pods away."""
        victims = choose(pods, count)
        await self.keep([pod for pod in pods if pod not in victims], 0.0)
        refused = []
        done = True
        for pod in victims:
            if DRAIN_ANNOTATION not in annotations_of(pod):
                await self._mark(pod, decision_id)
            state = self._state(pod)
            done &= state == 0
            if state is not None and state > 0:
                refused.append(name_of(pod))
        names = tuple(name_of(pod) for pod in victims)
        return Progress(names, done and not refused, tuple(refused))

    def _state(self, pod: Object) -> int | None:
        """Attempts in flight as the drain answered; None while it runs, 0 when none is needed."""
        if not address_of(pod):
            # It does not run: it holds nothing.
            return 0
        uid = pod["metadata"]["uid"]
        asked = self.asked.get(uid)
        if asked is None:
            drain = self.workers.drain(pod, self.drain_seconds, self.lease.transitions)
            task = asyncio.create_task(drain, name=f"drain {name_of(pod)}")
            self.asked[uid] = Asked(task, self.lease.now())
            return None
        late = self.lease.now() - asked.at > self.drain_seconds + limits.UNDRAIN_SECONDS
        if not asked.task.done():
            return 1 if late else None
        error = asked.task.exception()
        if error is None:
            return asked.task.result()
        if not isinstance(error, Unavailable):
            raise error
        LOGGER.warning("drain not answered", pod=name_of(pod), error=str(error))
        # Asked again at the next look, until the deadline of the first try.
        first_at = asked.at
        if late:
            return 1
        drain = self.workers.drain(pod, self.drain_seconds, self.lease.transitions)
        self.asked[uid] = Asked(asyncio.create_task(drain), first_at)
        return None

    async def keep(self, pods: Sequence[Object], patience_seconds: float) -> None:
        """Undoes the drain of marked pods that are to stay after all.

        Those that were just released get `patience_seconds` to vanish.
        """
        for pod in pods:
            uid = pod["metadata"]["uid"]
            if DRAIN_ANNOTATION not in annotations_of(pod):
                self.released.pop(uid, None)
                continue
            since = self.released.setdefault(uid, self.lease.now())
            if self.lease.now() - since < patience_seconds:
                continue
            self.lease.require()
            self._drop(uid)
            if address_of(pod):
                await self.workers.undrain(pod, self.lease.transitions)
            await self._annotate(pod, None, None)
            LOGGER.info("drain undone", pod=name_of(pod))

    def forget(self, present: set[str]) -> None:
        """Drops what is remembered of pods that went."""
        for uid in [uid for uid in (*self.asked, *self.released) if uid not in present]:
            self._drop(uid)

    def _drop(self, uid: str) -> None:
        self.released.pop(uid, None)
        asked = self.asked.pop(uid, None)
        if asked is not None:
            asked.task.cancel()

    async def _mark(self, pod: Object, decision_id: str) -> None:
        self.lease.require()
        await self._annotate(pod, decision_id, FIRST_TO_GO)
        LOGGER.info("draining", pod=name_of(pod), decision=decision_id)

    async def _annotate(self, pod: Object, decision_id: str | None, cost: str | None) -> None:
        annotations = {DRAIN_ANNOTATION: decision_id, COST_ANNOTATION: cost}
        change = {"metadata": {"uid": pod["metadata"]["uid"], "annotations": annotations}}
        try:
            await self.cluster.patch(Kind.POD, name_of(pod), change)
        except NotFound:
            LOGGER.info("pod is gone", pod=name_of(pod))


def choose(pods: Sequence[Object], count: int) -> list[Object]:
    """Victims: those already marked, then those that do not run, then the youngest."""

    def order(pod: Object) -> tuple[bool, bool, str]:
        marked = DRAIN_ANNOTATION in annotations_of(pod)
        return (marked, not address_of(pod), str(pod["metadata"]["creationTimestamp"]))

    return sorted(pods, key=order, reverse=True)[:count]
