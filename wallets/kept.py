"""What nodes tell every payout alike, asked once for all who want it within a moment.

Used for nodes of TRON and Ethereum, for what a block decides for good or for a moment: heads,
prices, what lanes hold at one block. Never for receipts: those are asked anew each time. Time is
passed in.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K")
# Answers that are kept by key; the oldest go first.
KEYS_MAX: Final = 64


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


class KeptByKey(Generic[K, T]):
    """Answers to one question each, as `Kept`."""

    def __init__(
        self, now_seconds: Callable[[], float], kept_seconds: float, keys_max: int = KEYS_MAX
    ) -> None:
        self._now_seconds = now_seconds
        self._kept_seconds = kept_seconds
        self._keys_max = keys_max
        self._kept: dict[K, Kept[T]] = {}

    def forget(self, key: K) -> None:
        """The next who wants it asks anew."""
        self._kept.pop(key, None)

    async def get(self, key: K, ask: Callable[[], Awaitable[T]]) -> T:
        """As `Kept.get`."""
        if key not in self._kept:
            while len(self._kept) >= self._keys_max:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = Kept(self._now_seconds, self._kept_seconds)
        return await self._kept[key].get(ask)
