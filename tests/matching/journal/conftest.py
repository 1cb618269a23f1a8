"""A database with the journal of shard 1."""

from collections.abc import AsyncIterator

import pytest

from matching.journal.reader import JournalReader
from matching.server import migrate
from runtime import postgres
from runtime.postgres import Database
from runtime.settings import PostgresSettings


@pytest.fixture
async def database(postgres_settings: PostgresSettings) -> AsyncIterator[Database]:
    await migrate(postgres_settings, (1,), "test")
    opened = await postgres.connect(postgres_settings, application_name="test")
    yield opened
    await opened.close()


@pytest.fixture
def reader(database: Database) -> JournalReader:
    return JournalReader(database, 1)
