"""A venue per test, with one gateway and one client where that is all a test needs."""

from collections.abc import AsyncIterator

import pytest

from runtime.settings import PostgresSettings
from tests.gateway.venue import Client, RunningGateway, Venue, open_venue


@pytest.fixture
async def venue(postgres_settings: PostgresSettings) -> AsyncIterator[Venue]:
    async with open_venue(postgres_settings) as opened:
        yield opened


@pytest.fixture
async def gateway(venue: Venue) -> RunningGateway:
    return await venue.gateway()


@pytest.fixture
async def client(venue: Venue, gateway: RunningGateway) -> Client:
    return await venue.client(gateway, await venue.key())
