"""The level-based queue: which objects are to be looked at, and when.

A key says only *that* something may differ, never what; whoever takes it reads the present state.
One key is never worked on twice at a time. The number of keys is bounded by that of objects.
"""

import asyncio
from collections.abc import Awaitable, Callable
from operator import itemgetter
from typing import Final, NamedTuple

from control import limits
from control.cluster.kinds import Kind
from control.errors import ControlError, NotLeader
from runtime import logs

LOGGER = logs.get(__name__)


class Key(NamedTuple):
    """One object."""

    kind: Kind
    name: str


# Looks at one object; answers after how many seconds to look again, None = when asked to.
Reconcile = Callable[[Key], Awaitable[float | None]]


class Work:
    """Keys with the moment from which each is due, on the loop's clock."""

    def __init__(self, reconcile: Reconcile, *, may_act: Callable[[], bool]) -> None:
        self._reconcile: Final = reconcile
        self._may_act: Final = may_act
        self._due: dict[Key, float] = {}
        self._running: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._changed = asyncio.Event()

    def add(self, key: Key, delay_seconds: float = 0.0) -> None:
        """Looks at `key` after the delay, or earlier when that was asked for before."""
        at = asyncio.get_running_loop().time() + delay_seconds
        if at < self._due.get(key, float("inf")):
            self._due[key] = at
            self._changed.set()

    def forget(self, key: Key) -> None:
        """The object is gone for good."""
        self._due.pop(key, None)
        self._failures.pop(key, None)

    @property
    def depth(self) -> int:
        """Keys that are due now."""
        now = asyncio.get_running_loop().time()
        return sum(at <= now for at in self._due.values())

    async def run(self) -> None:
        """Works for ever. While this replica may not act, keys stay."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                wait = self._start(group) if self._may_act() else limits.DRAIN_INTERVAL_SECONDS
                try:
                    async with asyncio.timeout(wait):
                        await self._changed.wait()
                except TimeoutError:
                    continue

    def _start(self, group: asyncio.TaskGroup) -> float:
        """Starts what is due and fits; seconds until the next may be due."""
        now = asyncio.get_running_loop().time()
        waiting = [(at, key) for key, at in self._due.items() if key not in self._running]
        for at, key in sorted(waiting, key=itemgetter(0)):
            if at > now:
                return min(at - now, limits.DRAIN_INTERVAL_SECONDS)
            if len(self._running) >= limits.WORKERS:
                break
            del self._due[key]
            self._running.add(key)
            group.create_task(self._one(key), name=f"reconcile {key.name}")
        return limits.DRAIN_INTERVAL_SECONDS

    async def _one(self, key: Key) -> None:
        try:
            async with asyncio.timeout(limits.RECONCILE_SECONDS):
                again = await self._reconcile(key)
        except NotLeader:
            self.add(key)
        except Exception as error:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            delay = min(
                limits.BACKOFF_FIRST_SECONDS * 2 ** min(failures - 1, 10),
                limits.BACKOFF_MAX_SECONDS,
            )
            LOGGER.warning(
                "reconcile failed",
                kind=key.kind.title,
                name=key.name,
                failures=failures,
                again_seconds=delay,
                error=str(error) or type(error).__name__,
                exc_info=None if isinstance(error, (ControlError, TimeoutError)) else error,
            )
            self.add(key, delay)
        else:
            self._failures.pop(key, None)
            if again is not None:
                self.add(key, again)
        finally:
            self._running.discard(key)
            self._changed.set()
