"""Which lanes this worker plans on: each lane is leased to one worker, and all have about as many.

Kept by the worker, asked by the adapter. A lease is for taking new nonces; whoever claims a payout
may follow it, raise its fee or cancel it. What is known here may be old, as after a pause of the
process: each plan names the lease with its fencing token, and the store refuses the plan of a
worker that lost it. So two workers never plan on one lane, and a nonce has one owner all the same.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from wallets.contract import Held
from wallets.core.transactions import changing
from wallets.ethereum import lanes, limits
from wallets.ethereum.addresses import text_of
from wallets.link import lease

ACTOR: Final = "lanes"
# Rows of workers that are gone would stay for ever: each has a name of its own.
FORGET: Final = """
delete from custody.lease where starts_with(name, $1) and expires_at < clock_timestamp()
"""
WORKERS: Final = "select count(*) from custody.lease where starts_with(name, $1)"


class LaneLeases:
    """Of one network, for one worker."""

    def __init__(self, database: Database, network_id: int) -> None:
        self._database = database
        self._network_id = network_id
        self._held: dict[bytes, Held] = {}

    @property
    def has_any(self) -> bool:
        """Whether this worker can plan at all."""
        return bool(self._held)

    def of(self, account: bytes) -> Held | None:
        """The lease of a lane; None while it is not ours."""
        return self._held.get(account)

    async def run(self, owner: str, is_drained: Callable[[], bool]) -> None:
        """Keeps our share until cancelled; once drained, hands it over to the others."""
        while True:
            try:
                if is_drained():
                    await self.hand_over(owner)
                else:
                    await self.renew(owner)
            except (Unavailable, Unknown) as error:
                # A database that does not answer is a lease that is not ours.
                self._held = {}
                logs.get(__name__).warning("lanes are not leased", reason=str(error))
            await asyncio.sleep(limits.LANE_RENEWAL_SECONDS)

    async def renew(self, owner: str) -> None:
        """Keeps what we hold, takes what is free, up to our share. Raises Unavailable, Unknown."""
        workers = await self._count_workers(owner)
        found = await lanes.read_lanes(self._database, self._network_id)
        open_ones = [lane.account for lane in found if not lane.is_draining]
        share = -(-len(open_ones) // workers)
        held: dict[bytes, Held] = {}
        # Ours first: a lane changes hands only where another worker has too few.
        for account in sorted(open_ones, key=lambda one: one not in self._held):
            name = self._name(account)
            if len(held) < share:
                token = await lease.hold(self._database, name, owner, limits.LANE_LEASE_SECONDS)
                if token is not None:
                    held[account] = Held(name, token)
            elif account in self._held:
                await lease.hand_over(self._database, name, owner)
        if held.keys() != self._held.keys():
            texts = [text_of(account) for account in held]
            logs.get(__name__).info("lanes", leased=texts, workers=workers)
        self._held = held

    async def hand_over(self, owner: str) -> None:
        """Ends our leases, so that the others need not wait. Raises Unavailable, Unknown."""
        held, self._held = self._held, {}
        for one in held.values():
            await lease.hand_over(self._database, one.name, owner)
        await lease.hand_over(self._database, self._presence + owner, owner)

    async def _count_workers(self, owner: str) -> int:
        """Those that share the lanes now, this one too."""
        name = self._presence + owner
        await lease.hold(self._database, name, owner, limits.LANE_LEASE_SECONDS)
        async with changing(self._database, ACTOR) as connection:
            await connection.execute(FORGET, self._presence)
            return max(1, int(await connection.fetchval(WORKERS, self._presence)))

    @property
    def _presence(self) -> str:
        return f"lane workers/{self._network_id}/"

    def _name(self, account: bytes) -> str:
        return f"lane/{self._network_id}/{text_of(account)}"
