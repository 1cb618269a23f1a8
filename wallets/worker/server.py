"""Starts and ends a worker: pipeline steps, links to the engines, health, the operator's calls.

`serve` is what the process does; tests call it in their own loop. At the end no new step begins,
those that run may finish, and leases are handed over.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc.aio
from opentelemetry.metrics import CallbackOptions, Observation

from cambist.internal.wallets.v1 import wallets_pb2_grpc
from runtime import logs, postgres, process, rpc_channel, rpc_server, telemetry
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.postgres import Database
from runtime.rpc_health import start_health_server
from wallets.approver.client import ApproverClient
from wallets.audit import chain
from wallets.contract import Network
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.engines import read_engines
from wallets.link import lease
from wallets.link.reader import Reader
from wallets.link.sender import Identity, Sender
from wallets.settings import WalletSettings
from wallets.signer.client import SignerClient
from wallets.worker import limits
from wallets.worker.chains import open_chain
from wallets.worker.servicer import Servicer
from wallets.worker.steps import Steps

HEALTH_NAME: Final = "cambist.wallets"
LINK_BITS: Final = 62
Task = Coroutine[Any, Any, None]


@dataclass(frozen=True, slots=True)
class Ports:
    """Where it listens."""

    port: int
    health_port: int


async def read_network(database: Database, settings: WalletSettings) -> Network:
    """The network as it was registered; raises ConfigurationError."""
    row = await database.read_row(
        "select network_id, genesis_hash from custody.chain where chain = $1 and network = $2",
        settings.chain,
        settings.network,
    )
    if row is None:
        named = f"{settings.chain or '?'}/{settings.network or '?'}"
        raise ConfigurationError(f"network {named} is not registered: python -m wallets apply FILE")
    return Network(settings.chain, settings.network, row["network_id"], row["genesis_hash"])


async def links(
    database: Database,
    network: Network,
    owner: str,
    channels: Mapping[int, grpc.aio.Channel],
) -> dict[str, Task]:
    """Tasks by the name of their lease: a reader per shard, a sender per source of the network."""
    rows = await database.read(
        "select source_id, shard from custody.source where network_id = $1 "
        "order by source_id limit $2",
        network.network_id,
        limits.SOURCES_MAX,
    )
    if strange := {row["shard"] for row in rows} - channels.keys():
        raise ConfigurationError(f"CAMBIST_WALLETS_ENGINES lacks shards {sorted(strange)}")
    tasks: dict[str, Task] = {}
    for shard, channel in channels.items():
        name = f"reader/{shard}"
        reader = Reader(database, shard, channel)
        tasks[name] = lease.while_held(database, name, owner, reader.run)
    for row in rows:
        identity = Identity(row["source_id"], row["shard"], owner)
        tasks[identity.lease] = Sender(
            database,
            identity,
            channels[row["shard"]],
            SystemClock(),
            lambda: secrets.randbits(LINK_BITS) | 1,
        ).run()
    return tasks


async def open_pipelines(
    settings: WalletSettings,
    network: Network,
    database: Database,
    owner: str,
    stack: AsyncExitStack,
) -> Steps:
    """One pipeline per step that may run side by side."""
    chain = await open_chain(network, Path(settings.chain_file), database, stack)
    approver = await stack.enter_async_context(
        rpc_channel.open_channel(settings.approver_address, tls_settings=settings.peer_tls)
    )
    signer = await stack.enter_async_context(
        rpc_channel.open_channel(settings.signer_address, tls_settings=settings.peer_tls)
    )
    store = Store(database, network.network_id, owner)
    pipeline = Pipeline(store, chain, ApproverClient(approver), SignerClient(signer))
    return Steps([pipeline.step] * settings.steps)


@asynccontextmanager
async def measured(settings: WalletSettings, owner: str, steps: Steps) -> AsyncIterator[None]:
    """Metrics of this process."""
    running = telemetry.start(settings.telemetry, service="wallets", instance=owner)

    def observe(read: Callable[[], int], _: CallbackOptions) -> list[Observation]:
        return [Observation(read())]

    running.meter.create_observable_counter(
        "cambist.wallets.steps", [partial(observe, lambda: steps.done_count)]
    )
    running.meter.create_observable_gauge(
        "cambist.wallets.in_flight", [partial(observe, lambda: steps.in_flight_count)]
    )
    try:
        yield
    finally:
        running.stop()


async def serve(
    settings: WalletSettings,
    stop: asyncio.Event,
    on_ready: Callable[[Ports], None] = lambda _ports: None,
) -> None:
    """Works until `stop`; raises ConfigurationError, Unavailable, Broken."""
    owner = settings.instance or secrets.token_hex(8)
    async with AsyncExitStack() as stack:
        database = await postgres.connect(settings.postgres, application_name="wallets")
        stack.push_async_callback(database.close)
        async with database.connection() as connection:
            await postgres.check_durability(connection)
        network = await read_network(database, settings)
        channels = {}
        engines = read_engines("CAMBIST_WALLETS_ENGINES", settings.engines)
        for shard, address in engines.items():
            channel = rpc_channel.open_channel(address, tls_settings=settings.engine_tls)
            channels[shard] = await stack.enter_async_context(channel)
        steps = await open_pipelines(settings, network, database, owner, stack)
        await stack.enter_async_context(measured(settings, owner, steps))
        health = await start_health_server(settings.health_address, HEALTH_NAME)
        stack.push_async_callback(health.stop)
        servicer = Servicer(database, network.network_id, steps, stop)
        server = await rpc_server.start_server(
            settings.listen_address,
            lambda one: wallets_pb2_grpc.add_WalletWorkerServiceServicer_to_server(servicer, one),
            rpc=settings.rpc,
            tls_settings=settings.tls,
            concurrent_calls_max=limits.CALLS_MAX,
        )
        stack.push_async_callback(server.stop, 1.0)
        tasks = await links(database, network, owner, channels)
        tasks["audit"] = lease.while_held(database, "audit", owner, partial(chain.run, database))
        async with process.supervise(stop, steps=steps.run(), **tasks):
            for name in ("", HEALTH_NAME):
                await health.set_serving(name, serving=True)
            ports = Ports(server.port, health.port)
            logs.get(__name__).info("serving", port=ports.port, network=network.network)
            on_ready(ports)
            await stop.wait()
            await health.drain()
            await steps.drain(limits.STOP_SECONDS)
        for name in tasks:
            await lease.hand_over(database, name, owner)
