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
from runtime import certificate_life, logs, postgres, process, rpc_channel, rpc_server, telemetry
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.postgres import Database
from runtime.rpc_health import start_health_server
from runtime.telemetry import Telemetry
from wallets.approver.client import ApproverClient
from wallets.audit import chain
from wallets.contract import Approves, Builds, Network
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.deposits import addresses
from wallets.deposits.pool import Pool, ReadsPool
from wallets.deposits.scanner import Scanner
from wallets.deposits.screening import Screening
from wallets.engines import Primary, open_engines, read_engines
from wallets.link import lease
from wallets.link.reader import Reader
from wallets.link.sender import Identity, Sender
from wallets.operating import read_network
from wallets.reconciliation.networks import open_reconciliation
from wallets.restoring import identity
from wallets.screening.verdicts import Screens
from wallets.screening.withdrawals import Screened
from wallets.settings import WalletSettings
from wallets.signer.client import SignerClient
from wallets.treasury import gathering
from wallets.treasury.following import CancelsNonces
from wallets.treasury.networks import open_treasury
from wallets.worker import limits
from wallets.worker.chains import Opened, Serves, open_chain, open_screening
from wallets.worker.payout_figures import PayoutFigures
from wallets.worker.scanning import Scanning, lease_of
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


def name_owner(instance: str) -> str:
    """Who holds leases and claims: another one after each start.

    Whoever is frozen and its successor may share an instance, and must not share a fencing token.
    """
    start = secrets.token_hex(8)
    return f"{instance}/{start}" if instance else start


async def links(
    database: Database,
    network: Network,
    owner: str,
    channels: Mapping[int, tuple[grpc.aio.Channel, ...]],
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
    for shard, those in channels.items():
        name = f"reader/{shard}"
        reader = Reader(database, shard, Primary(those))
        tasks[name] = lease.while_held(database, name, owner, partial(without_token, reader.run))
    for row in rows:
        identity = Identity(row["source_id"], row["shard"], owner)
        tasks[identity.lease] = Sender(
            database,
            identity,
            Primary(channels[row["shard"]]),
            SystemClock(),
            lambda: secrets.randbits(LINK_BITS) | 1,
        ).run()
    return tasks


async def without_token(work: Callable[[], Task], _token: int) -> None:
    """Of work that is harmless when done twice."""
    await work()


async def open_scanning(
    settings: WalletSettings, database: Database, network: Network, opened: Opened
) -> Scanning | None:
    """The scan from the oldest branch's birthday on; None for a network without branches."""
    row = await database.read_row(
        "select min(birthday_height) as height from custody.key_branch where network_id = $1",
        network.network_id,
    )
    if row is None or row["height"] is None:
        logs.get(__name__).warning("no branches, nothing to scan for", network=network.network)
        return None
    await addresses.look_ahead(database, opened.chain, network.network_id)
    scanner = Scanner(
        database,
        opened.chain,
        opened.hooks,
        network.network_id,
        int(row["height"]),
        opened.stalled_after_seconds,
        credits_any=not settings.deposits_suspended,
    )
    return Scanning(database, opened.chain, scanner, SystemClock())


async def open_screens(
    settings: WalletSettings, database: Database, network: Network, stack: AsyncExitStack
) -> Screens | None:
    """None where nobody is asked; raises ConfigurationError where nobody answers."""
    screens = await open_screening(Path(settings.chain_file), stack)
    if screens is not None:
        return screens
    row = await database.read_row(
        "select screens_deposits or screens_withdrawals as screens from custody.chain "
        "where network_id = $1",
        network.network_id,
    )
    if row is not None and row["screens"]:
        raise ConfigurationError("chain file: the network screens: screening is missing")
    return None


def scans(
    database: Database, network: Network, scanning: Scanning | None, owner: str
) -> dict[str, Task]:
    """Follows the blocks, where there is something to scan for."""
    if scanning is None:
        return {}
    name = lease_of(network.network_id)
    return {name: lease.while_held(database, name, owner, scanning.run)}


def open_pool(database: Database, network_id: int, chain: Serves) -> Pool | None:
    """None for a chain whose nodes show no pool."""
    return Pool(database, network_id, chain) if isinstance(chain, ReadsPool) else None


def sweeps(database: Database, opened: Opened, signer: SignerClient, owner: str) -> dict[str, Task]:
    """Gathers deposits, where the chain file says how."""
    if opened.gathers is None:
        return {}
    name = gathering.lease_of(opened.chain.network.network_id)
    work = gathering.Gathering(database, opened.chain, opened.gathers, signer)
    return {name: lease.while_held(database, name, owner, work.run)}


def jobs(database: Database, opened: Opened, owner: str) -> dict[str, Task]:
    """What else the chain has to be done, by one worker each."""
    tasks: dict[str, Task] = {}
    for kind, work in opened.jobs.items():
        name = f"{kind}/{opened.chain.network.network_id}"
        tasks[name] = lease.while_held(database, name, owner, partial(without_token, work))
    return tasks


def open_shares(opened: Opened, owner: str, steps: Steps, stack: AsyncExitStack) -> dict[str, Task]:
    """Keeps this worker's share of what the workers of a network share; handed over at the end."""
    if opened.shares is None:
        return {}
    stack.push_async_callback(opened.shares.hand_over, owner)
    return {"shares": opened.shares.run(owner, lambda: steps.is_drained)}


def of_chain(
    database: Database,
    opened: Opened,
    signer: SignerClient,
    steps: Steps,
    stack: AsyncExitStack,
    owner: str,
) -> dict[str, Task]:
    """All that this chain has to be done beside payouts and scans."""
    tasks = sweeps(database, opened, signer, owner) | jobs(database, opened, owner)
    if isinstance(opened.chain, CancelsNonces):
        name = f"cancels/{opened.chain.network.network_id}"
        work = opened.chain.cancels(signer).run
        tasks[name] = lease.while_held(database, name, owner, work)
    return tasks | open_shares(opened, owner, steps, stack)


async def reconciles(
    settings: WalletSettings,
    database: Database,
    opened: Opened,
    channels: Mapping[int, tuple[grpc.aio.Channel, ...]],
    owner: str,
) -> dict[str, Task]:
    """Compares engine, book and chain."""
    network_id = opened.chain.network.network_id
    books = await open_reconciliation(
        database,
        network_id,
        channels,
        engine_stops=settings.engine_deficit_stops,
        balances=opened.balances,
    )
    name = f"reconciliation/{network_id}"
    run = partial(without_token, books.run)
    return {name: lease.while_held(database, name, owner, run)}


def onlookers(
    database: Database, network: Network, running: Telemetry, owner: str
) -> dict[str, Task]:
    """Hashes what happened, and measures payouts where anybody is told."""
    works: dict[str, Callable[[], Task]] = {"audit": partial(chain.run, database)}
    if running.is_on:
        figures = PayoutFigures(database, network, running)
        works[f"figures/{network.network_id}"] = figures.run
    return {
        name: lease.while_held(database, name, owner, partial(without_token, work))
        for name, work in works.items()
    }


def open_pipelines(
    settings: WalletSettings,
    store: Store,
    chain: Builds,
    approver: Approves,
    signer: SignerClient,
) -> Steps:
    """One pipeline per step that may run side by side."""
    pipeline = Pipeline(store, chain, approver, signer)
    return Steps([pipeline.stride] * settings.steps)


@asynccontextmanager
async def measured(
    settings: WalletSettings, owner: str, steps: Steps, scanning: Scanning | None
) -> AsyncIterator[Telemetry]:
    """Telemetry of this process, and what the process itself counts."""
    running = telemetry.start(settings.telemetry, service="wallets", instance=owner)

    certificate_life.measure(
        running.meter, SystemClock(), servers=[settings.tls], channels=[settings.peer_tls]
    )

    def observe(read: Callable[[], int], _: CallbackOptions) -> list[Observation]:
        return [Observation(read())]

    running.meter.create_observable_counter(
        "cambist.wallets.steps", [partial(observe, lambda: steps.done_count)]
    )
    running.meter.create_observable_gauge(
        "cambist.wallets.in_flight", [partial(observe, lambda: steps.in_flight_count)]
    )

    def lag(_: CallbackOptions) -> list[Observation]:
        if scanning is None or not scanning.is_scanning:
            return []
        return [Observation(scanning.lag_blocks, labels)]

    labels = {"chain": settings.chain, "network": settings.network}
    running.meter.create_observable_gauge(
        "cambist.wallets.scan_lag_blocks", [lag], description="Told by the worker that scans."
    )
    try:
        yield running
    finally:
        running.stop()


async def serve(
    settings: WalletSettings,
    stop: asyncio.Event,
    on_ready: Callable[[Ports], None] = lambda _ports: None,
) -> None:
    """Works until `stop`; raises ConfigurationError, Unavailable, Broken."""
    owner = name_owner(settings.instance)
    async with AsyncExitStack() as stack:
        database = await postgres.connect(
            settings.postgres, application_name="wallets", on_open=identity.notice
        )
        stack.push_async_callback(database.close)
        async with database.connection() as connection:
            await postgres.check_durability(connection)
        network = await read_network(database, settings)
        engines = read_engines("CAMBIST_WALLETS_ENGINES", settings.engines)
        channels = await open_engines(engines, settings.engine_tls, stack)
        opened = await open_chain(network, Path(settings.chain_file), database, stack)
        signer = SignerClient(
            await stack.enter_async_context(
                rpc_channel.open_channel(settings.signer_address, tls_settings=settings.peer_tls)
            )
        )
        store = Store(database, network.network_id, owner, starts=settings.starts)
        screens = await open_screens(settings, database, network, stack)
        approver = ApproverClient(
            await stack.enter_async_context(
                rpc_channel.open_channel(settings.approver_address, tls_settings=settings.peer_tls)
            )
        )
        screened = Screened(database, approver, screens, SystemClock())
        steps = open_pipelines(settings, store, opened.chain, screened, signer)
        scanning = await open_scanning(settings, database, network, opened)
        screening = Screening(database, network.network_id, screens) if screens else None
        running = await stack.enter_async_context(measured(settings, owner, steps, scanning))
        health = await start_health_server(settings.health_address, HEALTH_NAME)
        stack.push_async_callback(health.stop)
        servicer = Servicer(database, network.network_id, steps, scanning, stop, settings.starts)
        server = await rpc_server.start_server(
            settings.listen_address,
            lambda one: wallets_pb2_grpc.add_WalletWorkerServiceServicer_to_server(servicer, one),
            rpc=settings.rpc,
            tls_settings=settings.tls,
            concurrent_calls_max=limits.CALLS_MAX,
        )
        stack.push_async_callback(server.stop, 1.0)
        tasks = await links(database, network, owner, channels)
        tasks |= onlookers(database, network, running, owner)
        tasks |= await reconciles(settings, database, opened, channels, owner)
        treasury = open_treasury(database, opened.chain, signer)
        pool = open_pool(database, network.network_id, opened.chain)
        for kind, work in (("treasury", treasury), ("screening", screening), ("pool", pool)):
            if work is not None:
                name = f"{kind}/{network.network_id}"
                run = partial(without_token, work.run)
                tasks[name] = lease.while_held(database, name, owner, run)
        tasks |= of_chain(database, opened, signer, steps, stack, owner)
        tasks |= scans(database, network, scanning, owner)
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
