"""Kills a worker again and again while a test waits for something to come true."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Protocol, TypeVar

T = TypeVar("T")


class Waits(Protocol):
    """Custody as a test runs it."""

    async def wait_worker(self) -> None:
        """Until the worker answers."""


class Killable(Protocol):
    """A venue with one worker, which is started anew when it dies."""

    @property
    def custody(self) -> Waits:
        """Whose worker it is."""

    def kill_worker(self) -> None:
        """By SIGKILL."""


def killing(
    world: Killable,
    look: Callable[[], Awaitable[T]],
    kills: int,
    source: Random,
    kill: Callable[[], None] | None = None,
) -> Callable[[], Awaitable[T]]:
    """A look that kills first, so many times, each a moment after the worker came up.

    `kill` is the worker's unless another one is given.
    """
    left = iter(range(kills))

    async def kill_and_look() -> T:
        if next(left, None) is not None:
            await world.custody.wait_worker()
            await asyncio.sleep(source.uniform(0.0, 2.0))
            (kill or world.kill_worker)()
        return await look()

    return kill_and_look
