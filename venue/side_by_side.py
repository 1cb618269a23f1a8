"""Runs work side by side; the first that fails ends the rest and is the error that is raised.

Used where a caller prints one error: a task group would wrap it.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def side_by_side(*work: Coroutine[Any, Any, T]) -> list[T]:
    """All results in the order of `work`. Raises what the first that fails raises."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
