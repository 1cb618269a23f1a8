"""A database with the journal's tables, and a thread for engines."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

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
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as made:
        yield made
