"""Looks every half minute whether journal, book and chain agree, and stops payouts when not.

Run by the worker under a lease, one per network; `python -m wallets reconcile` looks once. It moves
no money and ends no stop. A look that a dependency prevents says nothing, and is tried again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from wallets.books.holdings import ChainMoved, Counts
from wallets.contract import BlockRef
from wallets.core import inbox
from wallets.reconciliation import cut, limits
from wallets.reconciliation.checks import (
    Finding,
    Side,
    check_held,
    check_owed,
    of_tokens_alone,
    to_stop,
)
from wallets.reconciliation.cut import Cut, Externals
from wallets.reconciliation.engine import Engine


@dataclass(frozen=True, slots=True)
class Rules:
    """What is done about differences."""

    # Blocks after which found coins are on the book.
    final_depth: int
    # By asset, atoms of the chain: a greater surplus stops payouts too.
    surplus_max: dict[int, int] = field(default_factory=dict)
    # Off where the engine is given money that no chain ever had, as in a sandbox.
    engine_stops: bool = True


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found; `stopping` and `suspending` are parts of `findings`.

    Payouts of the network stop for the first, and those of one asset for each of the second.
    """

    cut: Cut
    findings: tuple[Finding, ...]
    stopping: tuple[Finding, ...]
    suspending: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Of one network."""

    database: Database
    network_id: int
    counts: Counts | None
    engines: Sequence[Engine]
    rules: Rules
    # What is asked of nodes before each look; raises ChainMoved, as counting does.
    prepares: Callable[[], Awaitable[None]] | None = None
    # Whether missing tokens went by our own keys; None = nobody can tell, so all of them did.
    was_taken: Callable[[int, BlockRef], Awaitable[bool]] | None = None

    async def run(self) -> None:
        """Looks for ever. Raises Broken."""
        while True:
            try:
                await self.look()
            except (Unavailable, Unknown) as error:
                logs.get(__name__).warning("not reconciled", reason=str(error))
            await asyncio.sleep(limits.LOOK_SECONDS)

    async def look(self) -> Look:
        """One look, stored. Raises Unavailable, Unknown, Broken."""
        found = await self._cut()
        owed = [one.opened() for one in found.owed]
        for before, after in zip(found.owed, owed, strict=True):
            if before is not after and after.opening_atoms:
                logs.get(__name__).warning(
                    "money without coins", asset_id=after.asset_id, atoms=str(after.opening_atoms)
                )
        findings = [*check_held(found.held), *check_owed(owed)]
        judged = [one for one in findings if self.rules.engine_stops or one.side is not Side.ENGINE]
        harmful = to_stop(judged, self.rules.surplus_max)
        suspending = await self._destroyed(found, harmful)
        stopping = [one for one in harmful if one not in suspending]
        for one in findings:
            log = logs.get(__name__).error if one in harmful else logs.get(__name__).warning
            log("books differ", side=one.side, finding=str(one), height=found.block.height)
        final = found.block.height - self.rules.final_depth + 1
        deep = [one for one in found.found if one.height <= final]
        # Before the look is stored: the first one books what was there, and is the first once.
        await cut.book_found(self.database, self.network_id, deep)
        await cut.record(
            self.database, self.network_id, found, findings, stopping, suspending=suspending
        )
        return Look(found, tuple(findings), tuple(stopping), tuple(suspending))

    async def _destroyed(self, found: Cut, harmful: Sequence[Finding]) -> list[Finding]:
        """Deficits that are their token's alone: what its issuer did, and nobody with our keys."""
        if self.was_taken is None:
            return []
        natives = await cut.read_natives(self.database, self.network_id)
        tokens = of_tokens_alone(harmful, natives)
        try:
            for one in tokens:
                if await self.was_taken(one.asset_id, found.block):
                    return []
        except Unavailable as error:
            # Unknown is no proof of innocence.
            logs.get(__name__).warning("who took tokens is unknown", reason=str(error))
            return []
        return tokens

    async def _cut(self) -> Cut:
        """When the chain stood still for as long as it takes. Raises Unavailable, Unknown."""
        for _ in range(limits.CUT_TRIES_MAX):
            try:
                if self.prepares is not None:
                    await self.prepares()
                externals = await self._externals()
                return await cut.look(self.database, self.network_id, self.counts, externals)
            except ChainMoved:
                await asyncio.sleep(limits.CUT_PAUSE_SECONDS)
        raise Unavailable("the chain never stood still for as long as it takes to count")

    async def _externals(self) -> list[Externals]:
        """Of all shards, each where custody has read it; none when one cannot say."""
        result = []
        for engine in self.engines:
            seq = await inbox.read_cursor(self.database, engine.shard)
            found = await engine.read(seq)
            if found is None:
                return []
            result.append(found)
        return result
