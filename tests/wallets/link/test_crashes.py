"""Reader and sender die at every point; the next ones do the rest, and each number is done once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from runtime import postgres
from runtime.clock import SystemClock
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.crash_points import Countdown, Sites, die_everywhere
from tests.wallets.link.memory_journal import MemoryJournal, MemoryPrimary
from wallets import journal
from wallets.contract import WithdrawalId
from wallets.core import inbox, outbox
from wallets.core.transactions import changing
from wallets.link import lease, limits, reader, sender
from wallets.link.reader import Reader
from wallets.link.sender import Identity, Sender

# Many short lives, one after the other.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

SHARD, SOURCE_ID, ACCOUNT, ASSET_ID = 3, 7, 4096, 1
ID = WithdrawalId(b"w" * 16)
OTHER = WithdrawalId(b"o" * 16)
# What the engine does in the end: one is paid, and one that no network can pay goes back.
DONE = ["release_withdrawal", "start_withdrawal", "settle_withdrawal"]
SECONDS = 20
SITES = Sites(journal, inbox, outbox, lease, reader, sender)


@dataclass
class Venue:
    """Custody's tables, and an engine that outlives the processes between them."""

    database: Database
    connection: Connection
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    owners: int = 0

    async def begin_anew(self) -> None:
        await self.connection.execute(
            "truncate custody.payout, custody.outbox, custody.inbox_cursor, custody.lease cascade"
        )
        await self.connection.execute("update custody.source set last_seq = 0")
        self.journal = MemoryJournal()
        self.journal.request(OTHER, ACCOUNT, ASSET_ID + 1)
        self.journal.request(ID, ACCOUNT, ASSET_ID)

    async def work(self, countdown: Countdown) -> None:
        """One process of both, until nothing is left to do, and its drain."""
        self.owners += 1
        # The lease of one that died has run out.
        await self.connection.execute("update custody.lease set expires_at = '-infinity'")
        database = countdown.before(self.database)
        primary = cast("Any", MemoryPrimary(self.journal, countdown))
        identity = Identity(SOURCE_ID, SHARD, f"process {self.owners}")
        follows = Reader(database, SHARD, primary)
        sends = Sender(database, identity, primary, SystemClock(), lambda: 1)
        tasks = [asyncio.create_task(one) for one in (follows.run(), sends.run(), self.drive())]
        try:
            async with asyncio.timeout(SECONDS):
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()
        await lease.hand_over(database, identity.lease, identity.owner)

    async def drive(self) -> None:
        """What the pipeline would do next, until both withdrawals have ended."""
        while True:
            state = await self.connection.fetchval("select state from custody.payout")
            kinds = {
                row["kind"]: row["answer_reason"]
                for row in await self.connection.fetch("select * from custody.outbox")
            }
            if state == "requested":
                await self.put("start", "update custody.payout set state = 'approved'")
            elif state == "started" and "settle" not in kinds:
                await self.put("settle", "update custody.payout set reason = 'paid'")
            elif kinds == {"release": 0, "start": 0, "settle": 0}:
                return
            await asyncio.sleep(0)

    async def put(self, kind: str, query: str) -> None:
        async with changing(self.database, "test") as connection:
            await connection.execute(query)
            await outbox.put(connection, kind, ID, network_id=NETWORK_ID, shard=SHARD)

    async def go_on(self) -> None:
        """The next process ends it, and nothing was done twice."""
        await self.work(Countdown(SITES))
        assert self.journal.done == DONE
        assert await self.connection.fetchval("select count(*) from custody.payout") == 1
        assert await self.connection.fetchval("select count(*) from custody.outbox") == len(DONE)
        assert await inbox.read_cursor(self.database, SHARD) == self.journal.seq
        assert not await self.connection.fetchval("select withdrawals_stopped from custody.chain")


@pytest.fixture
async def venue(
    custody: Connection, postgres_settings: PostgresSettings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Venue]:
    monkeypatch.setattr(limits, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(limits, "RECONNECT_SECONDS", 0.0)
    await custody.execute(
        "insert into custody.asset values ($1, $2, '', 'BTC', 6, 6, 0, 0)", NETWORK_ID, ASSET_ID
    )
    await custody.execute(
        "insert into custody.source values ($1, $2, $3)", SOURCE_ID, NETWORK_ID, SHARD
    )
    database = await postgres.connect(postgres_settings, application_name="link-test")
    yield Venue(database, custody)
    await database.close()


async def test_reader_and_sender_may_die_at_every_point(venue: Venue) -> None:
    reached: set[str] = set()

    async def live(countdown: Countdown) -> None:
        await venue.begin_anew()
        await venue.work(countdown)

    await die_everywhere(SITES, live, venue.go_on, reached)
    assert SITES.expected() - reached == set()
