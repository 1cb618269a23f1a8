"""What nodes tell every payout alike, asked once for all who want it within a moment.

Used by the node set for head and reference block of new transactions, and for prices. Never for
balances, receipts or what is compared with them: those are asked anew each time. Time is passed in.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Kept(Generic[T]):
    """The newest answer and until when it is good; nobody else asks while one does."""

    now_seconds: Callable[[], float]
    kept_seconds: float
    _until_seconds: float = 0.0
    _answer: T | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The kept answer, or a new one. Raises what `ask` raises, which is not kept."""
        if not self.kept_seconds:
            return await ask()
        async with self._turn:
            if self._answer is None or self.now_seconds() >= self._until_seconds:
                self._answer = await ask()
                self._until_seconds = self.now_seconds() + self.kept_seconds
            return self._answer
