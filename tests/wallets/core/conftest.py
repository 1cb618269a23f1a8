"""A network in memory with its custody tables on real Postgres."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.core.memory_chain import (
    SHARD,
    SOURCE_ID,
    MemoryApprover,
    MemoryChain,
    MemoryEngine,
    MemorySigner,
)
from wallets.contract import WithdrawalId
from wallets.core.inbox import Requested
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store

ASSET_ID = 1


async def nothing(venue: "Venue") -> None:
    """A quiet world."""


@dataclass
class Venue:
    """All parts around a pipeline."""

    database: Database
    connection: Connection
    engine: MemoryEngine
    chain: MemoryChain = field(default_factory=MemoryChain)
    approver: MemoryApprover = field(default_factory=MemoryApprover)
    signer: MemorySigner = field(default_factory=MemorySigner)
    # Called in each round: what else happens in the world.
    disturb: Callable[["Venue"], Awaitable[None]] = nothing
    # Whether workers keep what they claimed for as long as nobody else is asked.
    strides: bool = False

    def worker(self, name: str = "second") -> Pipeline:
        return Pipeline(
            Store(self.database, NETWORK_ID, name), self.chain, self.approver, self.signer
        )

    async def pass_time(self) -> None:
        """Pauses and claims of dead workers are over."""
        await self.connection.execute(
            "update custody.payout set not_before = '-infinity', claim_expires_at = '-infinity'"
        )

    async def pass_patience(self) -> None:
        """What was broadcast is unmined for longer than the schedule has it."""
        await self.connection.execute(
            "update custody.attempt set changed_at = changed_at - interval '1 hour'"
        )

    async def run(self, worker: Pipeline, rounds: int, *, mines: bool = True) -> None:
        """Steps, the engine's answers and blocks in turn."""
        for _ in range(rounds):
            await self.pass_time()
            await self.disturb(self)
            await (worker.stride() if self.strides else worker.step())
            await self.engine.apply()
            if mines:
                self.chain.mine()

    async def begin_anew(self) -> None:
        """Empty tables and a new world, without the cost of a new database."""
        await self.connection.execute(
            "truncate custody.payout, custody.attempt, custody.outbox, custody.inbox_cursor, "
            "custody.posting, custody.conflict_group cascade"
        )
        await self.connection.execute("update custody.source set last_seq = 0")
        self.engine, self.chain = MemoryEngine(self.database), MemoryChain()
        self.approver, self.signer = MemoryApprover(), MemorySigner()

    async def states(self) -> list[str]:
        rows = await self.connection.fetch("select state from custody.payout order by 1")
        return [row["state"] for row in rows]


def request(number: int = 1, *, destination: str = "to-alice", asset_id: int = 1) -> Requested:
    return Requested(
        WithdrawalId(number.to_bytes(16, "big")), 4096, asset_id, NETWORK_ID, 500, 20, destination
    )


@pytest.fixture
async def venue(custody: Connection, postgres_settings: PostgresSettings) -> AsyncIterator[Venue]:
    await custody.execute(
        "insert into custody.asset values ($1, $2, '', 'MEM', 10, 8, 0, 0)", NETWORK_ID, ASSET_ID
    )
    await custody.execute(
        "insert into custody.source values ($1, $2, $3)", SOURCE_ID, NETWORK_ID, SHARD
    )
    database = await postgres.connect(postgres_settings, application_name="test")
    yield Venue(database, custody, MemoryEngine(database))
    await database.close()
