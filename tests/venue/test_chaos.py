"""Stages of the commit path as the database shows them."""

import asyncpg
import pytest

from venue.chaos import Stage, is_at, look

LOOKS_MAX = 1_000


@pytest.mark.parametrize(
    ("stage", "state", "wait_event", "fits"),
    [
        (Stage.BETWEEN_COMMITS, "idle", "ClientRead", True),
        (Stage.BETWEEN_COMMITS, "active", "", False),
        (Stage.INSERTING, "active", "", True),
        (Stage.INSERTING, "active", "WalSync", False),
        (Stage.INSERTING, "idle", "ClientRead", False),
        (Stage.FLUSHING, "active", "WalSync", True),
        (Stage.FLUSHING, "active", "WALWrite", True),
        (Stage.FLUSHING, "active", "", False),
        (Stage.ANY, "idle", "", True),
        (Stage.ANY, "active", "WalSync", True),
    ],
)
def test_a_stage_is_what_the_database_shows(
    stage: Stage, state: str, wait_event: str, fits: bool
) -> None:
    assert is_at(stage, state, wait_event) is fits


async def test_the_writer_is_found_among_all_connections(postgres_dsn: str) -> None:
    watcher = await asyncpg.connect(postgres_dsn)
    other = await asyncpg.connect(postgres_dsn)
    writer = await asyncpg.connect(
        postgres_dsn, server_settings={"application_name": "cambist-matching-writer"}
    )
    try:
        assert await look(watcher) is None
        await other.execute("create table t as select 1; insert into t select 2")
        assert await look(watcher) is None
        await writer.execute("insert into t select 3")
        for _ in range(LOOKS_MAX):
            # Between its answer and its wait for the client it is idle and waits for nothing yet.
            if (seen := await look(watcher)) == ("idle", "ClientRead"):
                break
        assert seen == ("idle", "ClientRead")
    finally:
        for connection in (watcher, other, writer):
            await connection.close()
