"""Order sessions of one client over one connection: one that is not read holds up nobody."""

import asyncio

import pytest

from cambist.client import ApiKey
from cambist.client import Client as SdkClient
from cambist.client import limits as client_limits
from tests.gateway.venue import ACCOUNT, SECOND_ACCOUNT, RunningGateway, Venue

# Their answers are larger than the window of a stream.
ORDERS = 6_000
SECONDS = 60.0


async def test_a_session_that_is_not_read_leaves_the_others_their_connection(
    venue: Venue, gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_limits, "EVENTS_WAITING_MAX", 2)
    key = await venue.key()
    endpoint = f"127.0.0.1:{gateway.ports.port}"
    async with (
        asyncio.timeout(SECONDS),
        SdkClient.connect(endpoint, ApiKey(key.key_id, key.private_key)) as client,
        client.session("deaf", account_ids=[ACCOUNT]) as deaf,
        client.session("busy", account_ids=[SECOND_ACCOUNT]) as busy,
    ):
        assert deaf._driver.channels.channel is busy._driver.channels.channel
        market = await client.market("BTC-USD")
        events = deaf.events()
        wanted = [
            deaf.make_order(market, "buy", market.quantity(1), market.price(1))
            for _ in range(ORDERS)
        ]
        sending = asyncio.create_task(deaf.submit_all(wanted))
        for _ in range(20):
            order = await busy.new_order(market, "buy", market.quantity(1), market.price(2))
            await busy.cancel(order)
        assert not sending.done() or not all(one.done() for one in sending.result())
        told = [await anext(events) for _ in range(ORDERS)]
        assert len(told) == ORDERS
        await asyncio.gather(*await sending)
