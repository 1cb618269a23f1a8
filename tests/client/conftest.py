"""A scripted gateway and a client of it."""

from collections.abc import AsyncIterator

import pytest

from cambist.client import ApiKey, Client
from tests.fakes.scripted_gateway import ScriptedGateway
from tests.fakes.venue_model import VenueModel


@pytest.fixture
def key() -> ApiKey:
    return ApiKey.generate("maker")


@pytest.fixture
async def gateway(key: ApiKey) -> AsyncIterator[ScriptedGateway]:
    gateway = ScriptedGateway(VenueModel(), key)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture
async def client(gateway: ScriptedGateway, key: ApiKey) -> AsyncIterator[Client]:
    async with Client.connect(f"127.0.0.1:{gateway.port}", key) as client:
        yield client
