"""A database with the custody schema and one network."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from runtime.migrations import migrate
from runtime.postgres import Connection
from runtime.settings import PostgresSettings
from wallets.schema import MIGRATIONS

NETWORK_ID = 1


@pytest.fixture
async def custody(
    postgres_dsn: str, postgres_settings: PostgresSettings
) -> AsyncIterator[Connection]:
    """A connection to a fresh custody schema; its actor is the test."""
    await migrate(postgres_settings, MIGRATIONS)
    connection = await asyncpg.connect(postgres_dsn)
    await connection.execute("set custody.actor = 'test'")
    await connection.execute(
        "insert into custody.chain values ('bitcoin', 'regtest', $1, 'genesis')", NETWORK_ID
    )
    yield connection
    await connection.close()
