"""Deposits that no block has yet: shown as `seen`, and as `replaced` when the pool drops them.

Run by the worker under the lease `pool/<network>`, on chains that offer `ReadsPool`. It is for
people's eyes: it credits nothing, moves no watermark, and whatever it says is overruled by a block.
What conflicts with a transaction takes all that spend it out of the node's pool, so each look at
the whole pool finds a cascade at once.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from wallets.contract import Movement
from wallets.core.transactions import changing
from wallets.deposits import limits, sightings
from wallets.errors import Stuck

ACTOR: Final = "pool"
NOT_IN_POOL: Final = "NOT_IN_POOL"
TIP: Final = """
select block_hash from custody.block where network_id = $1 order by height desc limit 1
"""
BACK: Final = """
update custody.deposit set state = 'seen', reason = ''
where network_id = $1 and state = 'replaced' and credit_count = 0 and txid = any($2::text[])
"""
GONE: Final = """
update custody.deposit set state = 'replaced', reason = $3
where network_id = $1 and state = 'seen' and not txid = any($2::text[])
"""
WAITING: Final = (
    "select txid from custody.deposit where network_id = $1 and state = 'seen' limit $2"
)


@dataclass(frozen=True, slots=True)
class PoolView:
    """One look at a node's whole memory pool."""

    txids: frozenset[str]
    # Of transactions that were asked for; the rest comes in the next looks.
    movements: tuple[Movement, ...]
    looked_at: frozenset[str]
    # The node's best block, the same before and after it listed its pool; empty = it changed.
    block_hash: str


@runtime_checkable
class ReadsPool(Protocol):
    """A chain whose nodes show what may be in the next blocks."""

    async def read_pool(self, known: frozenset[str]) -> PoolView:
        """All ids, and what those pay that are not `known`. Raises Unavailable, Stuck."""


@dataclass(slots=True)
class Pool:
    """One network's pool as one worker has seen it."""

    database: Database
    network_id: int
    chain: ReadsPool
    # Looked at before and still there.
    known: frozenset[str] = field(default=frozenset())

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            try:
                await self.look()
            except (Unavailable, Unknown, Stuck) as error:
                logs.get(__name__).warning("pool not seen", reason=str(error))
            await asyncio.sleep(limits.POOL_SECONDS)

    async def look(self) -> None:
        """Books what is new and what is gone. Raises Unavailable, Unknown, Stuck."""
        view = await self.chain.read_pool(self.known)
        async with changing(self.database, ACTOR) as connection:
            await sightings.see_pool(connection, self.network_id, view.movements)
            paid = sorted({movement.txid for movement in view.movements})
            await connection.execute(BACK, self.network_id, paid)
            # What left the pool into a block that is not applied here yet is not gone.
            if view.block_hash and view.block_hash == await connection.fetchval(
                TIP, self.network_id
            ):
                rows = await connection.fetch(WAITING, self.network_id, limits.POOL_SEEN_MAX)
                here = present((row["txid"] for row in rows), view)
                await connection.execute(GONE, self.network_id, here, NOT_IN_POOL)
        self.known = (self.known & view.txids) | view.looked_at


def present(txids: Iterable[str], view: PoolView) -> list[str]:
    """Those of our deposits that the pool still has."""
    return sorted(set(txids) & view.txids)
