"""A journal in a real database, and projectors on it."""

from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

from matching.journal.reader import JournalReader
from matching.projector.history_store import HistoryStore
from matching.projector.projector import Projector
from runtime import postgres
from runtime.postgres import Database
from runtime.settings import PostgresSettings
from tests.matching.projector.journal import SHARD, migrate

MakeProjector = Callable[..., Projector]


@pytest.fixture
async def database(postgres_settings: PostgresSettings) -> AsyncIterator[Database]:
    opened = await postgres.connect(postgres_settings, application_name="test")
    await migrate(opened)
    yield opened
    await opened.close()


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as made:
        yield made


@pytest.fixture
def make_projector(database: Database, executor: Executor) -> MakeProjector:
    def make(**bounds: Any) -> Projector:
        store = HistoryStore(database, SHARD)
        return Projector(JournalReader(database, SHARD), store, executor, **bounds)

    return make
