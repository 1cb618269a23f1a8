"""Custody's service as gateways reach it, on real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cambist.internal.custody.v1 import custody_pb2_grpc
from runtime import rpc_channel
from runtime.postgres import Connection
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from wallets.service import server
from wallets.settings import WalletSettings


@pytest.fixture
async def stub(custody: Connection, postgres_settings: PostgresSettings) -> AsyncIterator[Any]:
    await custody.execute(
        "insert into custody.asset "
        "values ($1, 1, '', 'BTC', 8, 9, 1000, 1000, false, false, '', 50)",
        NETWORK_ID,
    )
    settings = WalletSettings(
        postgres=postgres_settings, service_address="127.0.0.1:0", health_address="127.0.0.1:0"
    )
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.serve(settings, stop, ready.set_result))
    port = await asyncio.wait_for(ready, 20.0)
    async with rpc_channel.open_channel(f"127.0.0.1:{port}") as channel:
        yield custody_pb2_grpc.CustodyServiceStub(channel)
    stop.set()
    await task
