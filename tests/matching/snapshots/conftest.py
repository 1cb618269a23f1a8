"""A journal in a real database, and a store beside it."""

from collections.abc import AsyncIterator

import pytest

from matching.snapshots.store import SnapshotStore
from runtime import postgres
from runtime.postgres import Database
from runtime.settings import PostgresSettings
from tests.matching.projector.journal import SHARD, migrate


@pytest.fixture
async def database(postgres_settings: PostgresSettings) -> AsyncIterator[Database]:
    opened = await postgres.connect(postgres_settings, application_name="test")
    await migrate(opened)
    yield opened
    await opened.close()


@pytest.fixture
def snapshots(database: Database) -> SnapshotStore:
    return SnapshotStore(database, SHARD, chunk_bytes=1_000, chunk_pause_seconds=0)
