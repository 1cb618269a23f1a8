"""Commits whose outcome is unknown are settled: a new epoch first, then the journal is read."""

import asyncio
import os
import signal
from urllib.parse import urlsplit

import asyncpg
import pytest
from pydantic import SecretStr

from cambist.internal.matching.v1 import matching_pb2
from matching.errors import Fenced, WentBackwards
from runtime import postgres, process
from runtime.errors import ConfigurationError
from runtime.postgres import Database
from runtime.settings import PostgresSettings
from tests.faults.cutting_proxy import CuttingProxy
from tests.matching.shard import (
    SECONDS,
    Shard,
    end,
    new_order,
    private_events,
    running,
    settings,
    start,
    unary_envelope,
    until,
)


async def open_database(chosen: PostgresSettings) -> Database:
    return await postgres.connect(chosen, application_name="test")


async def failure_of(shard: Shard) -> BaseException:
    """What ended a process."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - it is looked at by the caller
        await asyncio.wait_for(shard.task, SECONDS)
    with pytest.raises(BaseException):  # noqa: B017, PT011 - the same once more
        await end(shard)
    return process.root_of(caught.value)


async def epochs(database: Database, from_seq: int) -> list[int]:
    rows = await database.read(
        "select epoch from journal.commands where first_seq >= $1 order by first_seq", from_seq
    )
    return [row[0] for row in rows]


async def test_a_lost_reply_of_a_commit_that_happened_is_found_in_the_journal(
    postgres_settings: PostgresSettings,
) -> None:
    parts = urlsplit(postgres_settings.dsn.get_secret_value())
    assert parts.port is not None
    async with CuttingProxy(parts.port) as proxy:
        dsn = parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{proxy.port}"))
        behind = postgres_settings.model_copy(update={"dsn": SecretStr(dsn.geturl())})
        async with running(settings(behind)) as shard:
            await shard.create_market()
            before = await shard.status()
            link = await shard.link()
            proxy.cut_replies(1)
            await link.send(unary_envelope(new_order()))
            after = await shard.until_released(before.released_seq + 1)
            assert proxy.cut_count == 1
            assert after.epoch == before.epoch + 1
            await link.send(unary_envelope(new_order()))
            await shard.until_released(before.released_seq + 2)
            rows = await shard.rows(before.released_seq + 1, before.released_seq + 2)
            assert [len(private_events(row)) for row in rows] == [1, 1]
        database = await open_database(postgres_settings)
        written = await epochs(database, before.released_seq + 1)
        assert written[:2] == [before.epoch, before.epoch + 1]
        await database.close()


async def test_a_commit_that_did_not_happen_is_done_again_under_the_new_epoch(
    postgres_settings: PostgresSettings,
) -> None:
    # Long enough for the next try on a busy machine, or that one would take a third epoch.
    async with running(settings(postgres_settings, commit_seconds=3.0)) as shard:
        await shard.create_market()
        before = await shard.status()
        holder = await asyncpg.connect(postgres_settings.dsn.get_secret_value())
        transaction = holder.transaction()
        await transaction.start()
        # The insert waits for the row until its time is over; nothing of it is committed.
        await holder.execute("select from journal.shard_fence where shard = 1 for update")
        link = await shard.link()
        order = new_order()
        await link.send(unary_envelope(order))
        after = await shard.until_released(before.released_seq + 1)
        assert after.epoch == before.epoch + 1
        rows = await shard.rows(before.released_seq + 1, before.released_seq + 1)
        (event,) = private_events(rows[0])
        assert event.execution_report.cl_ord_id == order.new_order.cl_ord_id
        database = await open_database(postgres_settings)
        assert await epochs(database, before.released_seq + 1) == [after.epoch]
        await database.close()
        holder.terminate()


async def test_a_frozen_backend_that_keeps_the_primary_from_its_epoch_is_named(
    postgres_settings: PostgresSettings,
) -> None:
    async with running(settings(postgres_settings, commit_seconds=0.3)) as shard:
        await shard.create_market()
        before = await shard.status()
        holder = await asyncpg.connect(postgres_settings.dsn.get_secret_value())
        pid = await holder.fetchval("select pg_backend_pid()")
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("select from journal.shard_fence where shard = 1 for update")

        async def is_blocked() -> bool:
            return bool((await shard.status()).role == matching_pb2.ROLE_TAKEOVER_BLOCKED)

        os.kill(pid, signal.SIGSTOP)
        try:
            link = await shard.link()
            await link.send(unary_envelope(new_order()))
            await until(is_blocked)
            assert (await shard.status()).released_seq == before.released_seq
        finally:
            os.kill(pid, signal.SIGCONT)
        after = await shard.until_released(before.released_seq + 1)
        assert after.role == matching_pb2.ROLE_PRIMARY
        assert after.epoch == before.epoch + 1
        holder.terminate()


async def test_nothing_is_told_before_the_commit(postgres_settings: PostgresSettings) -> None:
    async with running(settings(postgres_settings, commit_seconds=60.0)) as shard:
        await shard.create_market()
        before = await shard.status()
        holder = await asyncpg.connect(postgres_settings.dsn.get_secret_value())
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("select from journal.shard_fence where shard = 1 for update")
        link = await shard.link()
        for _ in range(5):
            await link.send(unary_envelope(new_order()))
        reading = asyncio.create_task(shard.rows(before.released_seq + 1, before.released_seq + 5))

        async def others_gather() -> bool:
            return bool((await shard.status()).inbox_commands == 4)

        await until(others_gather)
        # One batch is applied and waits.
        status = await shard.status()
        assert status.applied_seq == before.released_seq + 1
        assert status.released_seq == before.released_seq
        assert status.state_hash == before.state_hash
        assert not reading.done()
        await transaction.rollback()
        rows = await reading
        assert [(row.first_seq, row.last_seq) for row in rows] == [
            (before.released_seq + 1, before.released_seq + 1),
            (before.released_seq + 2, before.released_seq + 5),
        ]
        await holder.close()


async def test_a_primary_whose_epoch_is_gone_stops_at_its_next_row(
    postgres_settings: PostgresSettings,
) -> None:
    chosen = settings(postgres_settings, lease_seconds=30.0, lease_renewal_seconds=10.0)
    shard = await start(chosen)
    await shard.create_market()
    before = await shard.status()
    database = await open_database(postgres_settings)
    await database.write("update journal.shard_fence set epoch = epoch + 1 where shard = 1")
    link = await shard.link()
    await link.send(unary_envelope(new_order()))
    assert isinstance(await failure_of(shard), Fenced)
    assert await epochs(database, before.released_seq + 1) == []
    await database.close()


async def test_an_idle_primary_notices_by_itself_that_another_took_over(
    postgres_settings: PostgresSettings,
) -> None:
    shard = await start(settings(postgres_settings))
    database = await open_database(postgres_settings)
    await database.write(
        "update journal.shard_lease set owner = 'other', expires_at = now() + interval '1 minute'"
    )
    await database.write("update journal.shard_fence set epoch = epoch + 1 where shard = 1")
    assert isinstance(await failure_of(shard), Fenced)
    await database.close()


async def test_a_lost_lease_alone_stops_nobody(postgres_settings: PostgresSettings) -> None:
    async with running(settings(postgres_settings)) as shard:
        database = await open_database(postgres_settings)
        await database.write(
            "update journal.shard_lease set owner = 'other',"
            " expires_at = now() + interval '1 minute'"
        )
        await asyncio.sleep(1.0)
        await shard.create_market()
        assert (await shard.status()).released_seq > 5
        await database.close()


async def test_a_journal_that_ends_before_what_was_told_stops_the_process(
    postgres_settings: PostgresSettings,
) -> None:
    shard = await start(settings(postgres_settings))
    await shard.create_market()
    released = (await shard.status()).released_seq
    database = await open_database(postgres_settings)
    for table in ("commands", "events"):
        await database.write(f"delete from journal.{table} where last_seq > $1", released - 3)
    link = await shard.link()
    await link.send(unary_envelope(new_order()))
    assert isinstance(await failure_of(shard), WentBackwards)
    await database.close()


@pytest.mark.parametrize("value", ["off", "local"])
async def test_a_database_that_can_lose_commits_is_refused(
    postgres_settings: PostgresSettings, value: str
) -> None:
    connection = await asyncpg.connect(postgres_settings.dsn.get_secret_value())
    name = await connection.fetchval("select current_database()")
    await connection.execute(f"alter database {name} set synchronous_commit = {value}")
    await connection.close()
    with pytest.raises(ConfigurationError, match="synchronous_commit"):
        await start(settings(postgres_settings))
