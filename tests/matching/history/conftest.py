"""A projected journal behind a real history port."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc.aio
import pytest

from cambist.internal.history.v1 import history_pb2_grpc
from matching.projector import process
from matching.projector.process import Ports
from matching.settings import MatchingSettings
from runtime import postgres
from runtime.postgres import Database
from runtime.settings import PostgresSettings
from tests.matching.projector.journal import SHARD, Journal, migrate, store


@dataclass
class History:
    """A running projector on a journal, and a stub that asks it."""

    journal: Journal
    database: Database
    ports: Ports
    stub: Any

    async def add(self, count: int) -> None:
        """More rows, and waits until they are projected."""
        stored = len(self.journal.rows)
        self.journal.play(count)
        await store(self.database, self.journal.rows[stored:])
        await self.wait()

    async def wait(self) -> None:
        """Waits until everything stored is projected."""
        query = "select projected_seq from history.progress where shard = $1"
        async with asyncio.timeout(20):
            while True:
                record = await self.database.read_row(query, SHARD)
                if record is not None and record[0] == self.journal.tail.last_seq:
                    return
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running(settings: MatchingSettings) -> AsyncIterator[Ports]:
    """The role in this loop."""
    stop = asyncio.Event()
    ready: asyncio.Future[Ports] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(process.run(settings, stop, ready.set_result, niceness=0))
    waiting: set[asyncio.Future[Any]] = {task, ready}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    try:
        yield ready.result()
    finally:
        stop.set()
        await task


@pytest.fixture
def settings(postgres_settings: PostgresSettings) -> MatchingSettings:
    return MatchingSettings(
        shard=SHARD,
        history_address="127.0.0.1:0",
        health_address="127.0.0.1:0",
        postgres=postgres_settings,
    )


@pytest.fixture
async def history(settings: MatchingSettings) -> AsyncIterator[History]:
    database = await postgres.connect(settings.postgres, application_name="test")
    await migrate(database)
    journal = Journal(seed=41).play(250)
    await store(database, journal.rows)
    async with (
        running(settings) as ports,
        grpc.aio.insecure_channel(f"127.0.0.1:{ports.port}") as channel,
    ):
        made = History(journal, database, ports, history_pb2_grpc.HistoryServiceStub(channel))
        await made.wait()
        yield made
    await database.close()
