"""Reads blocks again that were applied before some of our addresses were known.

Called by `python -m wallets rescan`. It writes what blocks pay us and never moves the watermark, so
it needs no lease; the row of a block is locked while it is read again, and a fork waits for it. The
next new block credits what was found.
"""

from dataclasses import dataclass
from typing import Final

from runtime.errors import Unavailable
from runtime.postgres import Database
from wallets.contract import Block, ReadsChain
from wallets.core.transactions import changing
from wallets.deposits import sightings
from wallets.deposits.scanner import Hooks
from wallets.errors import Rejected

ACTOR: Final = "rescan"
LAST: Final = "select max(height) as last from custody.block where network_id = $1"
# Of the blocks without a hole up to the last: a rescan from further below may have ended early.
FIRST: Final = """
select height from custody.block one where network_id = $1 and not exists (
    select from custody.block before
    where before.network_id = one.network_id and before.height = one.height - 1)
order by height desc limit 1
"""
LOCKED: Final = """
select block_hash from custody.block where network_id = $1 and height = $2 for share
"""
ADD_BEFORE: Final = """
insert into custody.block values ($1, $2, $3, $4, $5, $6) on conflict do nothing
"""
PARENT: Final = "select parent_hash from custody.block where network_id = $1 and height = $2"


@dataclass(frozen=True, slots=True)
class Rescan:
    """One network, up to what the scan has applied."""

    database: Database
    adapter: ReadsChain
    hooks: Hooks
    network_id: int

    async def run(self, from_height: int) -> int:
        """How many blocks were read again. Raises Rejected, Unavailable, Unknown, Stuck."""
        first = await self.database.read_row(FIRST, self.network_id)
        if first is None:
            raise Rejected("NOTHING_SCANNED", "the scan has not begun: set the birthday height")
        earlier = await self._read_before(from_height, first["height"])
        height = from_height
        while height <= await self._last():
            block = earlier.get(height) or await self.adapter.read_block(height)
            if not await self._apply(block, is_new=height in earlier):
                raise Unavailable(f"block {height} is leaving the chain: begin again")
            height += 1
        return height - from_height

    async def _last(self) -> int:
        row = await self.database.read_row(LAST, self.network_id)
        return -1 if row is None or row["last"] is None else int(row["last"])

    async def _read_before(self, from_height: int, first: int) -> dict[int, Block]:
        """Blocks below the first that was applied; each must be the parent of the next."""
        row = await self.database.read_row(PARENT, self.network_id, first)
        expected = "" if row is None else row["parent_hash"]
        found: dict[int, Block] = {}
        for height in range(first - 1, from_height - 1, -1):
            block = await self.adapter.read_block(height)
            if block.ref.block_hash != expected:
                raise Unavailable(f"block {height} is not the parent of ours: begin again")
            found[height], expected = block, block.parent_hash
        return found

    async def _apply(self, block: Block, *, is_new: bool) -> bool:
        """False when another block stands there on our side."""
        height, block_hash = block.ref.height, block.ref.block_hash
        async with changing(self.database, ACTOR) as connection:
            if is_new:
                await connection.execute(
                    ADD_BEFORE,
                    self.network_id,
                    height,
                    block_hash,
                    block.parent_hash,
                    block.time_ns,
                    block.header,
                )
            if await connection.fetchval(LOCKED, self.network_id, height) != block_hash:
                return False
            await self.hooks.apply_block(connection, self.network_id, block)
            await sightings.apply_block(connection, self.network_id, block)
            return True
