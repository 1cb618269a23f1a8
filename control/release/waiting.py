"""Asks until something is so, for as long as it may take."""

import asyncio
from collections.abc import Awaitable, Callable

import click

from control import limits
from control.errors import Unavailable


async def until(is_done: Callable[[], Awaitable[bool]], timeout_seconds: float) -> bool:
    """Whether it was so in time. An API server that is away is asked again."""
    try:
        async with asyncio.timeout(timeout_seconds):
            while not await answered(is_done):  # noqa: ASYNC110 - it is another process that does it
                await asyncio.sleep(limits.JOB_POLL_SECONDS)
    except TimeoutError:
        return False
    return True


async def answered(is_done: Callable[[], Awaitable[bool]]) -> bool:
    """One look; False too when nobody answered."""
    try:
        return await is_done()
    except Unavailable as error:
        click.echo(f"asked again: {error}")
        return False
