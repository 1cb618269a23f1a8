"""Lists everything now and then: fills the store at start, and finds what watches did not tell.

A list that finds news twice in a row, or a Lease that is silent for long, means stalled watches:
they are started anew. The API server being away is no reason to end.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from control import limits
from control.cluster.client import Cluster
from control.cluster.kinds import CACHED, Kind, Object
from control.cluster.store import Store
from control.cluster.watching import Watching
from control.errors import ControlError
from control.telemetry import Instruments
from runtime import logs
from runtime.clock import NANOSECONDS_PER_SECOND, Clock

LOGGER = logs.get(__name__)


class Resync:
    """Keeps the store true."""

    def __init__(
        self,
        cluster: Cluster,
        store: Store,
        clock: Clock,
        instruments: Instruments,
        make_watching: Callable[[Callable[[Kind, bool, Object], None]], Watching],
    ) -> None:
        self._cluster: Final = cluster
        self._store: Final = store
        self._clock: Final = clock
        self._instruments: Final = instruments
        self._make: Final = make_watching
        self._watching: Watching | None = None
        self._heard_at = self._now()
        self._late = 0

    def _now(self) -> float:
        return self._clock.monotonic_ns() / NANOSECONDS_PER_SECOND

    @property
    def watch_age_seconds(self) -> float:
        """Since a watch last told anything."""
        return self._now() - self._heard_at

    def hear(self, kind: Kind, gone: bool, found: Object) -> None:
        """What a watch tells."""
        self._heard_at = self._now()
        if kind is Kind.LEASE:
            return
        if gone:
            self._store.remove(kind, found)
        else:
            self._store.put(kind, found)

    async def run(self) -> None:
        """Fills the store, starts the watches, then checks for ever."""
        while True:
            if await self._list():
                break
            await asyncio.sleep(limits.LEASE_INTERVAL_SECONDS)
        self._start()
        try:
            while True:
                await asyncio.sleep(limits.RESYNC_SECONDS)
                await self._list()
                if self._is_stalled():
                    await self._restart()
        finally:
            if self._watching is not None:
                await self._watching.stop(limits.STOP_SECONDS)

    async def _list(self) -> bool:
        """Lists all kinds; whether all were listed."""
        misses = 0
        for kind in CACHED:
            before = self._store.names(kind)
            try:
                listed = await self._cluster.list(kind)
            except ControlError as error:
                LOGGER.warning("list failed", kind=kind.title, error=str(error))
                return False
            misses += self._store.replace(kind, listed, before)
        if self._watching is not None:
            self._instruments.watch_missed.add(misses)
            self._late = self._late + 1 if misses else 0
        return True

    def _is_stalled(self) -> bool:
        assert self._watching is not None
        return (
            not self._watching.is_running
            or self._late >= limits.MISSES_MAX
            or self.watch_age_seconds > limits.WATCH_STALL_SECONDS
        )

    def _start(self) -> None:
        self._heard_at, self._late = self._now(), 0
        self._watching = self._make(self.hear)
        self._watching.start()

    async def _restart(self) -> None:
        assert self._watching is not None
        LOGGER.warning("watches are started anew", watch_age_seconds=self.watch_age_seconds)
        self._instruments.watch_restarts.add(1)
        await self._watching.stop()
        self._start()
