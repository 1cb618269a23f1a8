"""Who may write: a small loop over one Lease.

Whoever renewed less than `LEASE_ACT_SECONDS` ago on its own monotonic clock leads; any error means
that time goes on without a renewal. Others take the Lease when it has not changed for its duration
as *they* saw it, so clocks of machines are never compared. The Lease fences nothing by itself:
writes carry a resourceVersion and drain calls the number of transitions.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from control import limits
from control.cluster.client import Cluster
from control.cluster.kinds import Kind, Object
from control.errors import ControlError, NotFound, NotLeader
from runtime import logs
from runtime.clock import NANOSECONDS_PER_SECOND, Clock

LOGGER = logs.get(__name__)


class Lease:
    """The Lease `name`, as one process sees it."""

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        identity: str,
        clock: Clock,
        *,
        on_gain: Callable[[], None],
    ) -> None:
        self._cluster: Final = cluster
        self._name: Final = name
        self._identity: Final = identity
        self._clock: Final = clock
        self._on_gain: Final = on_gain
        # When the last good renewal was *asked for*; None = not ours.
        self._renewed_at: float | None = None
        self._seen_version = ""
        self._seen_at = 0.0
        self._is_closing = False
        # A renewal and the release must not cross.
        self._one_at_a_time: Final = asyncio.Lock()
        self.transitions = 0

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return self._clock.monotonic_ns() / NANOSECONDS_PER_SECOND

    @property
    def is_leading(self) -> bool:
        """Whether this process may write now."""
        renewed_at = self._renewed_at
        return renewed_at is not None and self.now() - renewed_at < limits.LEASE_ACT_SECONDS

    def require(self) -> None:
        """Raises NotLeader unless this process may write now; called before each write."""
        if not self.is_leading:
            raise NotLeader(f"the Lease {self._name} was not renewed")

    async def run(self) -> None:
        """Renews or waits until the Lease is given away."""
        was_leading = False
        while not self._is_closing:
            try:
                async with asyncio.timeout(limits.LEASE_REQUEST_SECONDS * 2):
                    async with self._one_at_a_time:
                        await self.step()
            except (ControlError, TimeoutError) as error:
                LOGGER.warning("the Lease could not be renewed", error=str(error))
            # Leadership also ends by time alone, while this loop waits for an answer.
            if self.is_leading != was_leading:
                was_leading = not was_leading
                LOGGER.info("leadership", leading=was_leading, transitions=self.transitions)
                if was_leading:
                    self._on_gain()
            await asyncio.sleep(limits.LEASE_INTERVAL_SECONDS)

    async def step(self) -> None:
        """One look: renews what is ours, takes what is free."""
        asked_at = self.now()
        timeout = limits.LEASE_REQUEST_SECONDS
        try:
            found = await self._cluster.get(Kind.LEASE, self._name, timeout_seconds=timeout)
        except NotFound:
            document = {"metadata": {"name": self._name}, "spec": self._spec({}, 0)}
            made = await self._cluster.create(Kind.LEASE, document, timeout_seconds=timeout)
            self._took(made, asked_at)
            return
        spec = found.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        self._look(found, asked_at)
        if holder == self._identity:
            transitions = int(spec.get("leaseTransitions") or 0)
        elif not holder or asked_at - self._seen_at > self._duration_of(spec):
            transitions = int(spec.get("leaseTransitions") or 0) + 1
        else:
            self._renewed_at = None
            return
        found["spec"] = self._spec(spec, transitions)
        put = await self._cluster.replace(Kind.LEASE, found, timeout_seconds=timeout)
        self._took(put, asked_at)

    async def release(self) -> None:
        """Gives a Lease of ours away at once; on SIGTERM."""
        async with self._one_at_a_time:
            self._is_closing = True
            if self.is_leading:
                self._renewed_at = None
                await self._give_away()

    async def _give_away(self) -> None:
        timeout = limits.LEASE_REQUEST_SECONDS
        try:
            found = await self._cluster.get(Kind.LEASE, self._name, timeout_seconds=timeout)
            if found["spec"].get("holderIdentity") == self._identity:
                found["spec"]["holderIdentity"] = ""
                await self._cluster.replace(Kind.LEASE, found, timeout_seconds=timeout)
                LOGGER.info("the Lease is released")
        except ControlError as error:
            LOGGER.warning("the Lease could not be released", error=str(error))

    def _look(self, found: Object, at: float) -> None:
        version = str(found["metadata"]["resourceVersion"])
        if version != self._seen_version:
            self._seen_version, self._seen_at = version, at

    def _took(self, found: Object, asked_at: float) -> None:
        self._look(found, asked_at)
        self.transitions = int(found["spec"].get("leaseTransitions") or 0)
        self._renewed_at = asked_at

    def _duration_of(self, spec: Object) -> float:
        return float(spec.get("leaseDurationSeconds") or limits.LEASE_DURATION_SECONDS)

    def _spec(self, spec: Object, transitions: int) -> Object:
        at = datetime.fromtimestamp(self._clock.wall_ns() / NANOSECONDS_PER_SECOND, UTC)
        moment = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        is_ours = spec.get("holderIdentity") == self._identity
        return {
            **spec,
            "holderIdentity": self._identity,
            "leaseDurationSeconds": limits.LEASE_DURATION_SECONDS,
            "acquireTime": spec.get("acquireTime") if is_ours else moment,
            "renewTime": moment,
            "leaseTransitions": transitions,
        }
