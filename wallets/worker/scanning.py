"""Follows the network's blocks for as long as this worker holds the scan's lease.

Run by `server`. Before each pass it asks whether the nodes are on our chain. What keeps it from
going on is named on the network's row; a fork that is too deep also stops the network's payouts.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from runtime import logs
from runtime.clock import Clock
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from wallets.contract import Held, ReadsChain
from wallets.core.transactions import changing
from wallets.deposits.scanner import Moved, Scanner
from wallets.errors import Condition, Fenced, Stuck
from wallets.worker import limits

ACTOR: Final = "scanner"
# Not one of custody's conditions: an outage is not written to rows, it is only told.
NODE_UNREACHABLE: Final = "NodeUnreachable"
NAME: Final = """
update custody.chain set scan_condition = $2 where network_id = $1 and scan_condition <> $2
"""
STOP: Final = """
update custody.chain set withdrawals_stopped = true, stopped_reason = $2
where network_id = $1 and not withdrawals_stopped
"""


def lease_of(network_id: int) -> str:
    """Name of the lease of a network's scan."""
    return f"scanner/{network_id}"


@dataclass(slots=True)
class Scanning:
    """One network's scan in one worker."""

    database: Database
    chain: ReadsChain
    scanner: Scanner
    clock: Clock
    # Blocks that the nodes have and we have not applied, as of the last pass.
    lag_blocks: int = 0
    # Whether this worker holds the lease and had its first pass.
    is_scanning: bool = False
    # What keeps it from going on, for the operator: a name and words; empty = nothing.
    condition: str = ""
    detail: str = ""

    async def run(self, token: int) -> None:
        """Scans until cancelled or another worker holds the lease. Raises Broken."""
        try:
            await self._run(Held(lease_of(self.scanner.network_id), token))
        finally:
            # What a worker without the lease once saw is not news.
            self.is_scanning = False

    async def _run(self, lease: Held) -> None:
        while True:
            try:
                await self.chain.check()
                await self._catch_up(lease)
                self._say("")
                await self._name("")
                pause = limits.SCAN_SECONDS
            except Stuck as error:
                await self._wait(error)
                pause = limits.RETRY_SECONDS
            except (Unavailable, Unknown) as error:
                logs.get(__name__).warning("not scanned", reason=str(error))
                await self._look_for_nodes()
                pause = limits.RETRY_SECONDS
            except Fenced as error:
                logs.get(__name__).warning("scan ended", reason=str(error))
                return
            await asyncio.sleep(pause)

    async def _catch_up(self, lease: Held) -> None:
        """To the tip, or so far that the nodes should be looked at again."""
        for _ in range(limits.BLOCKS_PER_CHECK):
            if await self.scanner.step(lease, now_ns=self.clock.wall_ns()) is Moved.NOT:
                self.lag_blocks = 0
                return
        self.lag_blocks = await self.scanner.lag()

    async def _look_for_nodes(self) -> None:
        """Was it the nodes that did not answer, or the database?"""
        try:
            await self.chain.check()
            await self.chain.tip()
        except Unavailable as error:
            self._say(NODE_UNREACHABLE, str(error))
        except Stuck as error:
            self._say(error.condition, str(error))
        else:
            self._say("")

    def _say(self, condition: str, detail: str = "") -> None:
        self.is_scanning = True
        self.condition, self.detail = condition, detail[: limits.DETAIL_CHARACTERS_MAX]

    async def _wait(self, error: Stuck) -> None:
        logs.get(__name__).warning("scan waits", condition=error.condition, reason=str(error))
        self._say(error.condition, str(error))
        await self._name(error.condition)
        if error.condition is Condition.REORG_TOO_DEEP:
            await self._write(STOP, str(error))

    async def _name(self, condition: str) -> None:
        await self._write(NAME, condition)

    async def _write(self, query: str, value: str) -> None:
        """For people's eyes: without a database it is told in the next pass."""
        try:
            async with changing(self.database, ACTOR) as connection:
                await connection.execute(query, self.scanner.network_id, value)
        except (Unavailable, Unknown) as error:
            logs.get(__name__).warning("not named", reason=str(error))
