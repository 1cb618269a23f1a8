"""The role `projector`: follows the event journal, and answers questions about the history.

`run` is what `python -m matching projector` does; tests call it in their own loop.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from matching import limits
from matching.history.service import HistoryService
from matching.journal.reader import JournalReader
from matching.projector.history_store import HistoryStore
from matching.projector.projector import Projector
from matching.server import open_database
from matching.settings import MatchingSettings
from runtime import logs, process, rpc_server
from runtime.rpc_health import HealthServer, start_health_server

LOGGER = logs.get(__name__)
HEALTH_NAME: Final = "cambist.matching.projector"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a running projector listens."""

    port: int
    health_port: int


async def run(
    settings: MatchingSettings,
    stop: asyncio.Event,
    on_ready: Callable[[Ports], None] = lambda _ports: None,
    niceness: int = limits.HELPER_NICENESS,
) -> None:
    """Projects until `stop` is set; `niceness` is added to that of the process.

    Raises ConfigurationError, Unavailable (at start), Stop.
    """
    os.nice(niceness)
    async with contextlib.AsyncExitStack() as stack:
        database = await open_database(settings)
        stack.push_async_callback(database.close)
        health = await start_health_server(settings.health_address, HEALTH_NAME)
        stack.push_async_callback(health.stop)
        server = await rpc_server.start_server(
            settings.history_address,
            HistoryService(database, settings.shard).register,
            rpc=settings.rpc,
            tls_settings=settings.tls,
            concurrent_calls_max=limits.CALLS_MAX,
        )
        stack.push_async_callback(server.stop, limits.STOP_SECONDS)
        executor = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="fold"))
        projector = Projector(
            JournalReader(database, settings.shard),
            HistoryStore(database, settings.shard),
            executor,
        )

        ports = Ports(server.port, health.port)
        LOGGER.info("serving", port=ports.port, health_port=ports.health_port)
        async with process.supervise(stop, project=projector.run(health_of(health))):
            on_ready(ports)
            await stop.wait()
            await health.drain()


def health_of(health: HealthServer) -> Callable[[bool], Awaitable[None]]:
    """Serving while the history follows the journal."""
    before: bool | None = None

    async def note_caught_up(caught_up: bool) -> None:
        nonlocal before
        if caught_up is not before:
            for name in ("", HEALTH_NAME):
                await health.set_serving(name, serving=caught_up)
        before = caught_up

    return note_caught_up
