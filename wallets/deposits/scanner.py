"""Follows a chain block by block: one step goes one block forward, or one back on a fork.

Called in a loop by who holds the lease. Everything of a block is written in one transaction with
the watermark, after the lease's token was looked at in it. An answer that is empty or unknown
never moves anything.
"""

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from runtime.postgres import Connection, Database
from wallets.contract import Block, BlockRef, Held, ReadsChain
from wallets.core import fences
from wallets.core.transactions import changing
from wallets.deposits import crediting, limits, sightings
from wallets.deposits.crediting import Height
from wallets.errors import Broken, Condition, Fenced, Stuck

ACTOR: Final = "scanner"
WATERMARK: Final = """
select height, block_hash, parent_hash, time_ns from custody.block
where network_id = $1 order by height desc limit 1
"""


@dataclass(frozen=True, slots=True)
class Hooks:
    """A chain's own tables, in the same transaction; the arguments are the network's id first."""

    apply_block: Callable[[Connection, int, Block], Awaitable[None]]
    undo_block: Callable[[Connection, int, str], Awaitable[None]]


class Moved(enum.Enum):
    """What a step did."""

    FORWARD = "forward"
    BACK = "back"
    # Nothing newer is there.
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Watermark:
    """The last block that was applied."""

    height: int
    block_hash: str
    parent_hash: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class Scanner:
    """One network's scan."""

    database: Database
    adapter: ReadsChain
    hooks: Hooks
    network_id: int
    # Where the first scan begins, before any address was given out.
    birthday_height: int
    stalled_after_seconds: int
    # False while deposits are suspended: they are seen, and credited at a later height.
    credits_any: bool = True

    async def step(self, lease: Held, *, now_ns: int) -> Moved:
        """One block. Raises Stuck, Fenced, Unavailable, Unknown."""
        row = await self.database.read_row(WATERMARK, self.network_id)
        last = None if row is None else Watermark(*row)
        tip = await self.adapter.tip()
        if last is None:
            if tip.height < self.birthday_height:
                return Moved.NOT
            await self._forward(lease, None, await self._read(self.birthday_height))
            return Moved.FORWARD
        if tip.height > last.height:
            block = await self._read(last.height + 1)
            if block.parent_hash == last.block_hash:
                await self._forward(lease, last, block)
                return Moved.FORWARD
        elif await self._is_ours(tip):
            self._raise_if_stalled(last, now_ns)
            return Moved.NOT
        await self._back(lease, last, tip)
        return Moved.BACK

    async def lag(self) -> int:
        """Blocks of the best chain above our watermark. Raises Unavailable, Stuck."""
        row = await self.database.read_row(WATERMARK, self.network_id)
        tip = await self.adapter.tip()
        height = self.birthday_height - 1 if row is None else int(row["height"])
        return max(0, tip.height - height)

    async def _read(self, height: int) -> Block:
        block = await self.adapter.read_block(height)
        if block.ref.height != height:
            raise Broken(f"asked for block {height}, got {block.ref.height}")
        return block

    async def _is_ours(self, tip: BlockRef) -> bool:
        """Whether a head that is not above our watermark is on the chain that we followed."""
        row = await self.database.read_row(
            "select block_hash from custody.block where network_id = $1 and height = $2",
            self.network_id,
            tip.height,
        )
        if row is None:
            raise Stuck(Condition.REORG_TOO_DEEP, f"the head is at {tip.height}, below our first")
        return bool(row["block_hash"] == tip.block_hash)

    def _raise_if_stalled(self, last: Watermark, now_ns: int) -> None:
        age_seconds = (now_ns - last.time_ns) // 1_000_000_000
        if age_seconds > self.stalled_after_seconds:
            raise Stuck(Condition.CHAIN_STALLED, f"the head is {age_seconds} s old")

    async def _forward(self, lease: Held, last: Watermark | None, block: Block) -> None:
        height = Height(block.ref.height, await self.adapter.final_height())
        async with changing(self.database, ACTOR) as connection:
            await self._guard(connection, lease, last)
            await connection.execute(
                "insert into custody.block values ($1, $2, $3, $4, $5, $6)",
                self.network_id,
                block.ref.height,
                block.ref.block_hash,
                block.parent_hash,
                block.time_ns,
                block.header,
            )
            await self.hooks.apply_block(connection, self.network_id, block)
            await sightings.apply_block(connection, self.network_id, block)
            await crediting.apply_height(
                connection, self.network_id, height, credits_any=self.credits_any
            )

    async def _back(self, lease: Held, last: Watermark, tip: BlockRef) -> None:
        await self._raise_if_too_deep(last, tip)
        async with changing(self.database, ACTOR, "its block left the chain") as connection:
            await self._guard(connection, lease, last)
            await sightings.undo_block(connection, self.network_id, (last.height, last.block_hash))
            await self.hooks.undo_block(connection, self.network_id, last.block_hash)
            await connection.execute(
                "delete from custody.block where network_id = $1 and height = $2",
                self.network_id,
                last.height,
            )

    async def _raise_if_too_deep(self, last: Watermark, tip: BlockRef) -> None:
        """Looks far back before anything is undone: that block must still be on the chain."""
        height = max(self.birthday_height, last.height - limits.REORGANISATION_DEPTH_MAX)
        if last.height > height and tip.height >= height:
            block = await self._read(height)
            if await self._is_ours(block.ref):
                return
        raise Stuck(Condition.REORG_TOO_DEEP, f"block {height} or the first left the chain")

    async def _guard(self, connection: Connection, lease: Held, last: Watermark | None) -> None:
        """Nobody else may have moved: the lease's row is locked until the transaction's end."""
        if not await fences.is_held(connection, lease):
            raise Fenced(f"lease {lease.name} is not ours")
        row = await connection.fetchrow(WATERMARK, self.network_id)
        if (None if row is None else Watermark(*row)) != last:
            raise Fenced("the watermark moved")
