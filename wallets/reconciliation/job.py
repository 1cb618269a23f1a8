"""Looks every half minute whether journal, book and chain agree, and stops payouts when not.

Run by the worker under a lease, one per network; `python -m wallets reconcile` looks once. It moves
no money and ends no stop. A look that a dependency prevents says nothing, and is tried again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from wallets.books.holdings import Counts
from wallets.core import inbox
from wallets.reconciliation import cut, limits
from wallets.reconciliation.checks import Finding, Side, check_held, check_owed, to_stop
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
    """What one look found; `stopping` is a part of `findings`."""

    cut: Cut
    findings: tuple[Finding, ...]
    stopping: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Of one network."""

    database: Database
    network_id: int
    counts: Counts | None
    engines: Sequence[Engine]
    rules: Rules

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
        externals = await self._externals()
        found = await cut.look(self.database, self.network_id, self.counts, externals)
        owed = [one.opened() for one in found.owed]
        for before, after in zip(found.owed, owed, strict=True):
            if before is not after and after.opening_atoms:
                logs.get(__name__).warning(
                    "money without coins", asset_id=after.asset_id, atoms=str(after.opening_atoms)
                )
        findings = [*check_held(found.held), *check_owed(owed)]
        judged = [one for one in findings if self.rules.engine_stops or one.side is not Side.ENGINE]
        stopping = to_stop(judged, self.rules.surplus_max)
        await cut.record(self.database, self.network_id, found, findings, stopping)
        for one in findings:
            log = logs.get(__name__).error if one in stopping else logs.get(__name__).warning
            log("books differ", side=one.side, finding=str(one), height=found.block.height)
        final = found.block.height - self.rules.final_depth + 1
        deep = [one for one in found.found if one.height <= final]
        await cut.book_found(self.database, self.network_id, deep)
        return Look(found, tuple(findings), tuple(stopping))

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
