"""A running shard per test, with a market to trade on where a test asks for one."""

from collections.abc import AsyncIterator

import pytest

from runtime.settings import PostgresSettings
from tests.matching.shard import Shard, running, settings


@pytest.fixture
async def shard(postgres_settings: PostgresSettings) -> AsyncIterator[Shard]:
    async with running(settings(postgres_settings)) as started:
        yield started


@pytest.fixture
async def market(shard: Shard) -> Shard:
    await shard.create_market()
    return shard
