"""The pool on a real Postgres: what an error lets its caller do."""

import asyncpg
import pytest
from pydantic import SecretStr

from runtime import postgres
from runtime.errors import ConfigurationError, Unavailable, Unknown
from runtime.postgres import Database
from runtime.settings import PostgresSettings


async def opened(settings: PostgresSettings) -> Database:
    database = await postgres.connect(settings, application_name="test")
    await database.write("create table t (n int primary key)")
    return database


async def count(database: Database) -> int:
    row = await database.read_row("select count(*) from t")
    assert row is not None
    return int(row[0])


async def test_a_transaction_commits_as_one_or_not_at_all(
    postgres_settings: PostgresSettings,
) -> None:
    database = await opened(postgres_settings)
    async with database.transaction() as connection:
        await connection.execute("insert into t values (1)")
        await connection.execute("insert into t values (2)")

    async def fail() -> None:
        async with database.transaction() as connection:
            await connection.execute("insert into t values (3)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await count(database) == 2
    await database.close()


async def test_an_error_of_the_statement_stays_itself(postgres_settings: PostgresSettings) -> None:
    database = await opened(postgres_settings)
    await database.write("insert into t values (1)")
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.write("insert into t values (1)")
    await database.close()


async def test_a_write_without_an_answer_in_time_is_unknown_and_a_read_is_unavailable(
    postgres_settings: PostgresSettings,
) -> None:
    database = await opened(postgres_settings)
    slow = "with waited as (select pg_sleep(5)) insert into t select 1 from waited"
    with pytest.raises(Unknown):
        await database.write(slow, timeout_seconds=0.1)
    with pytest.raises(Unavailable):
        await database.read("select pg_sleep(5)", timeout_seconds=0.1)
    assert await count(database) == 0
    await database.close()


async def test_a_killed_backend_is_unknown_for_a_write(
    postgres_settings: PostgresSettings,
) -> None:
    database = await opened(postgres_settings)
    with pytest.raises(Unknown):
        await database.write("select pg_terminate_backend(pg_backend_pid())")
    # The pool goes on with another connection.
    assert await count(database) == 0
    await database.close()


async def test_a_backend_killed_inside_a_transaction_is_unavailable(
    postgres_settings: PostgresSettings,
) -> None:
    database = await opened(postgres_settings)

    async def fail() -> None:
        async with database.transaction() as connection:
            await connection.execute("insert into t values (1)")
            await connection.execute("select pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(Unavailable):
        await fail()
    assert await count(database) == 0
    await database.close()


async def test_waiting_for_a_connection_ends(postgres_settings: PostgresSettings) -> None:
    small = postgres_settings.model_copy(
        update={"pool_connections_max": 1, "pool_wait_seconds": 0.1}
    )
    database = await opened(small)
    async with database.connection():
        with pytest.raises(Unavailable):
            await database.read("select 1")
    await database.close()


async def test_what_was_left_open_is_gone_when_the_connection_is_used_again(
    postgres_settings: PostgresSettings,
) -> None:
    database = await opened(postgres_settings.model_copy(update={"pool_connections_max": 1}))
    async with database.connection() as connection:
        await connection.execute("begin")
        await connection.execute("set local custody.actor = 'somebody'")
        await connection.execute("insert into t values (1)")
    async with database.connection() as connection:
        assert not connection.is_in_transaction()
        assert not await connection.fetchval("select current_setting('custody.actor', true)")
    assert await count(database) == 0
    await database.close()


async def test_a_database_that_may_lose_commits_is_refused(
    postgres_settings: PostgresSettings, postgres_dsn: str
) -> None:
    connection = await asyncpg.connect(postgres_dsn)
    name = await connection.fetchval("select current_database()")
    await connection.execute(f"alter database {name} set synchronous_commit = off")
    await connection.close()
    with pytest.raises(ConfigurationError, match="synchronous_commit off"):
        await postgres.connect(postgres_settings, application_name="test")


async def test_a_server_that_is_away_is_unavailable_and_its_password_not_told() -> None:
    away = PostgresSettings(dsn=SecretStr("postgresql://u:hush@127.0.0.1:1/d"))
    with pytest.raises(Unavailable) as caught:
        await postgres.connect(away, application_name="test")
    assert "hush" not in str(caught.value)
    with pytest.raises(ConfigurationError):
        await postgres.connect(PostgresSettings(), application_name="test")
