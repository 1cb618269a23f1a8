"""Starts and ends the service that gateways ask; any number of them run side by side."""

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from cambist.internal.custody.v1 import custody_pb2_grpc
from runtime import logs, postgres, rpc_server
from runtime.rpc_health import start_health_server
from wallets.service import limits
from wallets.service.address_book import Holds
from wallets.service.quotes import ID_BYTES
from wallets.service.servicer import Servicer
from wallets.settings import WalletSettings

HEALTH_NAME: Final = "cambist.custody"


async def serve(
    settings: WalletSettings,
    stop: asyncio.Event,
    on_ready: Callable[[int], None] = lambda _port: None,
) -> None:
    """Answers until `stop`; `on_ready` is told the port. Raises Unavailable."""
    async with AsyncExitStack() as stack:
        database = await postgres.connect(settings.postgres, application_name="custody")
        stack.push_async_callback(database.close)
        health = await start_health_server(settings.health_address, HEALTH_NAME)
        stack.push_async_callback(health.stop)
        holds = Holds(
            settings.address_hold_seconds, settings.key_hold_seconds, settings.address_book_demanded
        )
        servicer = Servicer(database, lambda: os.urandom(ID_BYTES), holds)
        server = await rpc_server.start_server(
            settings.service_address,
            lambda one: custody_pb2_grpc.add_CustodyServiceServicer_to_server(servicer, one),
            rpc=settings.rpc,
            tls_settings=settings.tls,
            concurrent_calls_max=limits.CALLS_MAX,
        )
        for name in ("", HEALTH_NAME):
            await health.set_serving(name, serving=True)
        logs.get(__name__).info("serving", port=server.port)
        on_ready(server.port)
        await stop.wait()
        await health.drain()
        await server.stop(limits.STOP_SECONDS)
