"""The role `snapshotter`: follows the journal and stores snapshots until it is asked to stop.

`run` is what `python -m matching snapshotter` does; tests call it in their own loop.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from matching import engines, limits
from matching.server import open_database
from matching.settings import MatchingSettings
from matching.snapshots.schedule import Schedule
from matching.snapshots.snapshotter import Snapshotter, SnapshotterParts
from matching.snapshots.store import SnapshotStore
from runtime import logs, process
from runtime.clock import NANOSECONDS_PER_SECOND, SystemClock
from runtime.rpc_health import HealthServer, start_health_server

LOGGER = logs.get(__name__)
HEALTH_NAME: Final = "cambist.matching.snapshotter"


async def run(
    settings: MatchingSettings,
    stop: asyncio.Event,
    on_ready: Callable[[int], None] = lambda _health_port: None,
    niceness: int = limits.HELPER_NICENESS,
) -> None:
    """Follows until `stop` is set; `niceness` is added to that of the process.

    Raises ConfigurationError, Unavailable (at start), Stop.
    """
    os.nice(niceness)
    async with contextlib.AsyncExitStack() as stack:
        kind = engines.load(settings.engine)
        database = await open_database(settings)
        stack.push_async_callback(database.close)
        health = await start_health_server(settings.health_address, HEALTH_NAME)
        stack.push_async_callback(health.stop)
        executor = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="engine"))
        snapshotter = Snapshotter(
            SnapshotterParts(
                shard=settings.shard,
                kind=kind,
                database=database,
                store=SnapshotStore(
                    database,
                    settings.shard,
                    chunk_pause_seconds=settings.snapshot_chunk_pause_seconds,
                ),
                schedule=Schedule(
                    settings.snapshot_every_commands,
                    int(settings.snapshot_every_seconds * NANOSECONDS_PER_SECOND),
                ),
                clock=SystemClock(),
                executor=executor,
            )
        )
        LOGGER.info("serving", health_port=health.port, engine=kind.name)
        async with process.supervise(stop, follow=snapshotter.run(health_of(health))):
            on_ready(health.port)
            await stop.wait()
            await health.drain()


def health_of(health: HealthServer) -> Callable[[bool], Awaitable[None]]:
    """Serving while it follows the journal."""
    before: bool | None = None

    async def note_follows(follows: bool) -> None:
        nonlocal before
        if follows is not before:
            for name in ("", HEALTH_NAME):
                await health.set_serving(name, serving=follows)
        before = follows

    return note_follows
