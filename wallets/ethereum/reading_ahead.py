"""Reads the blocks behind the one that is asked for while that is applied.

Held by the adapter, for a scan that goes up block by block. What was read ahead is given out only
when the nodes still agree on its hash; whatever went wrong is asked anew when its turn comes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from runtime.errors import Unavailable
from wallets.contract import Block, BlockRef
from wallets.errors import Stuck
from wallets.ethereum import limits


@dataclass(slots=True)
class ReadingAhead:
    """One network's; asked by one scan."""

    read_block: Callable[[int], Coroutine[Any, Any, Block]]
    agreed_ref: Callable[[int], Awaitable[BlockRef]]
    _height: int = -1
    _tasks: dict[int, asyncio.Task[Block]] = field(default_factory=dict)

    async def read(self, height: int, tip_height: int) -> Block:
        """The block of a height. Raises Unavailable, Stuck."""
        # One that goes back, or looks around, needs no other.
        goes_up = height == self._height + 1
        self._height = height
        task = self._tasks.pop(height, None)
        last_height = min(tip_height, height + limits.READ_AHEAD_BLOCKS) if goes_up else height
        self._keep(range(height + 1, last_height + 1))
        if task is not None:
            try:
                block = await task
                if block.ref == await self.agreed_ref(height):
                    return block
            except (Unavailable, Stuck):
                pass
        return await self.read_block(height)

    async def close(self) -> None:
        """Reads no further."""
        tasks = list(self._tasks.values())
        self._keep(range(0))
        await asyncio.gather(*tasks, return_exceptions=True)

    def _keep(self, heights: range) -> None:
        for height in [one for one in self._tasks if one not in heights]:
            self._tasks.pop(height).cancel()
        for height in heights:
            if height not in self._tasks:
                self._tasks[height] = asyncio.create_task(self.read_block(height))
