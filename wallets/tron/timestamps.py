"""Timestamps of transactions, given out a few at a time so that payouts of a moment share a commit.

Owned by the adapter. No two transactions of an account have the same, whichever worker made them:
a worker takes a run of numbers for itself in the database, and what it does not use within a
moment is lost, which harms nobody. It signs and sends nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

# Takes so many numbers that follow one another for an account, at a time of the chain; the first.
Takes = Callable[[bytes, int, int], Awaitable[int]]
# Of one run; the chain's clock is in milliseconds, and one run is used up within a moment.
RUN: Final = 16
# Of the chain's time; numbers that were taken earlier are let go.
GOOD_MILLISECONDS: Final = 3_000


@dataclass(slots=True)
class Timestamps:
    """Of all hot accounts of one network, in one worker."""

    takes: Takes
    _left: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take(self, account: bytes, chain_time_ms: int) -> int:
        """One that no other transaction of the account has. Raises what `takes` raises."""
        async with self._turn:
            first, last, taken_ms = self._left.get(account, (0, -1, 0))
            age_ms = chain_time_ms - taken_ms
            if first > last or not 0 <= age_ms <= GOOD_MILLISECONDS:
                first, taken_ms = await self.takes(account, chain_time_ms, RUN), chain_time_ms
                last = first + RUN - 1
            self._left[account] = (first + 1, last, taken_ms)
            return first
