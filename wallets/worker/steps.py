"""Runs the pipeline's steps, several side by side, and stops taking new ones while it drains.

Made by `server`. A step that a dependency ended is tried again; a broken rule ends the process,
because nothing may be paid before a person looked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from runtime import logs
from runtime.errors import Unavailable, Unknown
from wallets.errors import Fenced
from wallets.worker import limits

Step: TypeAlias = Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class Steps:
    """One worker's steps; each of `steps` runs for ever, one call at a time."""

    steps: Sequence[Step]
    draining: bool = False
    in_flight_count: int = 0
    # Steps that did something, since the start.
    done_count: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Nothing is in flight yet."""
        self._idle.set()

    @property
    def is_drained(self) -> bool:
        """Whether nothing is in flight, and nothing will be."""
        return self.draining and self._idle.is_set()

    async def run(self) -> None:
        """Works until cancelled. Raises Broken."""
        async with asyncio.TaskGroup() as tasks:
            for step in self.steps:
                tasks.create_task(self._repeat(step))

    async def drain(self, seconds: float) -> int:
        """Takes no new work; what is still in flight when all ended or the time was over."""
        self.draining = True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            logs.get(__name__).warning("not drained", in_flight=self.in_flight_count)
        return self.in_flight_count

    def undrain(self) -> None:
        """Takes work again."""
        self.draining = False

    async def _repeat(self, step: Step) -> None:
        while True:
            pause = limits.IDLE_SECONDS if self.draining else await self._once(step)
            await asyncio.sleep(pause)

    async def _once(self, step: Step) -> float:
        """One step; how long to wait before the next."""
        self.in_flight_count += 1
        self._idle.clear()
        try:
            if await step():
                self.done_count += 1
                return 0.0
        except (Unavailable, Unknown, Fenced) as error:
            logs.get(__name__).warning("a step ended early", reason=str(error))
            return limits.RETRY_SECONDS
        finally:
            self.in_flight_count -= 1
            if not self.in_flight_count:
                self._idle.set()
        return limits.IDLE_SECONDS
