"""A venue per test, and one that is filled as `cambist apply` does it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.settings import PostgresSettings
from tests.cli.venue import ACCOUNT, OTHER, CliVenue, running_venue


@pytest.fixture
async def empty_venue(
    postgres_settings: PostgresSettings, tmp_path: Path
) -> AsyncIterator[CliVenue]:
    async with running_venue(postgres_settings, tmp_path) as venue:
        yield venue


@pytest.fixture
async def venue(empty_venue: CliVenue) -> CliVenue:
    applied = await empty_venue.apply()
    assert applied.status == 0, applied.stderr
    await empty_venue.fund(ACCOUNT, OTHER)
    return empty_venue
