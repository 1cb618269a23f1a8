"""Gathers deposits in the hot wallet, round by round, and follows each transfer to its end.

Run by the worker under a lease whose token each plan names: a worker that lost the lease stores
nothing, so nothing is topped up or swept twice. A round begins when nothing of the last one is
open, and never while the network's payouts are stopped. What is worth it is the chain's to say.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from wallets.contract import Held
from wallets.errors import Fenced, Stuck
from wallets.treasury import limits, store
from wallets.treasury.following import Following, SignsInternal
from wallets.treasury.ports import Follows
from wallets.treasury.store import Draft


class Gathers(Protocol):
    """A chain on which deposits lie on addresses of their own."""

    async def next_round(self, owned: frozenset[str]) -> list[Draft]:
        """What is worth moving now; it stores and sends nothing. Raises Stuck, Unavailable."""


def lease_of(network_id: int) -> str:
    """One worker gathers on a network."""
    return f"sweeps/{network_id}"


@dataclass(frozen=True, slots=True)
class Gathering:
    """Of one network."""

    database: Database
    chain: Follows
    gathers: Gathers
    signer: SignsInternal

    async def run(self, token: int) -> None:
        """Until cancelled, or the lease is another's."""
        while True:
            try:
                await self.step(token)
            except (Unavailable, Unknown, Stuck) as error:
                logs.get(__name__).warning("sweeps wait", reason=str(error))
            except Fenced as error:
                logs.get(__name__).warning("sweeps are another worker's", reason=str(error))
                return
            await asyncio.sleep(limits.STEP_SECONDS)

    async def step(self, token: int) -> int:
        """How many transfers it planned. Raises Unavailable, Unknown, Stuck, Fenced."""
        network_id = self.chain.network.network_id
        if await Following(self.database, self.chain, self.signer).look():
            return 0
        row = await self.database.read_row(
            "select withdrawals_stopped from custody.chain where network_id = $1", network_id
        )
        if row is None or row["withdrawals_stopped"]:
            return 0
        owned = await store.read_owned(self.database, network_id)
        drafts = await self.gathers.next_round(owned)
        for draft in drafts:
            await store.add(self.database, network_id, draft, Held(lease_of(network_id), token))
            logs.get(__name__).info(draft.kind, asset=draft.asset_id, atoms=str(draft.amount_atoms))
        return len(drafts)
