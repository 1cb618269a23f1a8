"""The role as a process: killed, cut off from its database, restarted; the history stays whole."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from matching.settings import MatchingSettings
from runtime.postgres import Database
from runtime.settings import PostgresSettings
from tests.matching.history.conftest import running
from tests.matching.projector.conftest import MakeProjector
from tests.matching.projector.journal import SHARD, Journal, store
from tests.matching.projector.test_projector import clear, read_tables

CUT = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1"


async def projected_seq(database: Database) -> int:
    record = await database.read_row("select max(projected_seq) from history.progress")
    return int(record[0] or 0) if record is not None else 0


async def until_projected(database: Database, seq: int) -> None:
    async with asyncio.timeout(60):
        while await projected_seq(database) < seq:  # noqa: ASYNC110 - another process projects
            await asyncio.sleep(0.02)


@asynccontextmanager
async def projector_process(dsn: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m matching projector`, killed at the end."""
    environment = {
        **os.environ,
        "CAMBIST_MATCHING_POSTGRES_DSN": dsn,
        "CAMBIST_MATCHING_SHARD": str(SHARD),
        "CAMBIST_MATCHING_HISTORY_ADDRESS": "127.0.0.1:0",
        "CAMBIST_MATCHING_HEALTH_ADDRESS": "127.0.0.1:0",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "matching",
        "projector",
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def check_whole(database: Database, make_projector: MakeProjector) -> None:
    """The tables are those of one undisturbed projection."""
    found = await read_tables(database)
    await clear(database)
    await make_projector().catch_up()
    assert await read_tables(database) == found


@pytest.mark.slow
async def test_kills_of_the_process_leave_the_history_whole(
    database: Database, postgres_dsn: str, make_projector: MakeProjector
) -> None:
    journal = Journal(seed=61).play(400)
    pick = random.Random(61)
    stored = 0
    for _ in range(4):
        async with projector_process(postgres_dsn) as process:
            before = await projected_seq(database)
            for _ in range(12):
                await store(database, journal.rows[stored : stored + 8])
                stored += 8
                await asyncio.sleep(0.01)
            await until_projected(database, before + 1)
            await asyncio.sleep(pick.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
    await store(database, journal.rows[stored:])
    async with projector_process(postgres_dsn) as process:
        await until_projected(database, journal.tail.last_seq)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    await check_whole(database, make_projector)


async def test_cut_connections_leave_the_history_whole(
    database: Database, postgres_settings: PostgresSettings, make_projector: MakeProjector
) -> None:
    settings = MatchingSettings(
        shard=SHARD,
        instance="cut",
        history_address="127.0.0.1:0",
        health_address="127.0.0.1:0",
        postgres=postgres_settings,
    )
    journal = Journal(seed=62).play(300)
    cut_count = 0
    async with running(settings):
        for start in range(0, len(journal.rows), 10):
            await store(database, journal.rows[start : start + 10])
            await asyncio.sleep(0.02)
            if start % 50 == 0:
                cut_count += len(await database.read(CUT, "cambist-cut"))
        await until_projected(database, journal.tail.last_seq)
    assert cut_count
    await check_whole(database, make_projector)
