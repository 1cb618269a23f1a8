"""Puts the process of one shard together and runs it until it is asked to stop.

`serve` is what `python -m matching serve` does; tests call it in their own loop. The ports are open
from the start; what they answer depends on the role.
"""

import asyncio
import contextlib
import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from matching import database_size, engines, limits
from matching.admin.adjustments import Adjustments
from matching.admin.definitions import Definitions
from matching.admin.desk import Desk
from matching.admin.service import AdminParts, AdminService
from matching.engines import EngineKind
from matching.journal.fence import Claim, ShardLock
from matching.journal.partitions import prepare_shards
from matching.journal.reader import JournalReader
from matching.projector.account_index import AccountIndex
from matching.rpc.service import MatchingService
from matching.rpc.submit import Links
from matching.sandbox.faucet import Faucet
from matching.sequencer.sequencer import Gauges
from matching.settings import MatchingSettings
from matching.shard_state import Role, ShardState
from matching.snapshots.store import SnapshotStore
from matching.term import Term, TermParts
from runtime import (
    certificate_life,
    embedded_postgres,
    logs,
    migrations,
    postgres,
    process,
    rpc_server,
    telemetry,
)
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.migrations import Migrations
from runtime.postgres import Database
from runtime.rpc_bulk import BULK_OPTIONS
from runtime.rpc_health import HealthServer, start_health_server
from runtime.rpc_server import RpcServer
from runtime.settings import PostgresSettings
from runtime.stages import StageMeter

LOGGER = logs.get(__name__)
MIGRATIONS = Migrations(
    schema="journal",
    folder=Path(__file__).parent / "migrations",
    further_schemas=("history",),
    written_once=frozenset({"journal.commands", "journal.events"}),
)
HEALTH_NAME = "cambist.matching"
HEALTH_STANDBY = "cambist.matching.standby"
# Primary, or able to become it: what readiness in a cluster asks.
HEALTH_ABLE = "cambist.matching.able"
HEALTH_SECONDS = 0.1
OWNER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a running process listens."""

    port: int
    admin_port: int
    health_port: int


async def serve(
    settings: MatchingSettings,
    stop: asyncio.Event,
    on_ready: Callable[[Ports], None] = lambda _ports: None,
    kind: EngineKind | None = None,
) -> None:
    """Serves until `stop` is set; `on_ready` is called when this process is primary.

    Raises ConfigurationError, Unavailable, Stop.
    """
    async with contextlib.AsyncExitStack() as stack:
        chosen = engines.load(settings.engine) if kind is None else kind
        database = await open_database(settings)
        stack.push_async_callback(database.close)
        measured = telemetry.start(
            settings.telemetry, service="matching", instance=settings.instance
        )
        stack.callback(measured.stop)
        certificate_life.measure(
            measured.meter, SystemClock(), servers=[settings.tls, settings.admin_tls]
        )
        health = await start_health_server(
            settings.health_address, HEALTH_NAME, HEALTH_STANDBY, HEALTH_ABLE
        )
        stack.push_async_callback(health.stop)
        gauges = Gauges(StageMeter(measured.meter), measured.tracer, measured.orders)
        shard = await start_shard(settings, database, chosen, gauges)
        stack.push_async_callback(shard.stop)
        ports = Ports(shard.server.port, shard.admin_server.port, health.port)
        LOGGER.info(
            "listening",
            port=ports.port,
            admin_port=ports.admin_port,
            health_port=ports.health_port,
            engine=chosen.name,
        )
        async with process.supervise(
            stop,
            health=watch_health(shard.state, health),
            size=database_size.watch(database, measured.meter, settings.database_bytes_max),
        ):
            await shard.term.run(stop, on_primary=lambda: on_ready(ports))
            await health.drain()


@dataclass(frozen=True, slots=True)
class RunningShard:
    """The ports of one shard and what stands behind them."""

    state: ShardState
    term: Term
    server: RpcServer
    admin_server: RpcServer

    async def stop(self) -> None:
        """Ends open calls."""
        await self.server.stop(0)
        await self.admin_server.stop(0)


async def start_shard(
    settings: MatchingSettings, database: Database, kind: EngineKind, gauges: Gauges
) -> RunningShard:
    """Opens the ports; the shard is not recovered yet."""
    clock = SystemClock()
    reader = JournalReader(database, settings.shard)
    snapshots = SnapshotStore(database, settings.shard)
    state = ShardState(settings.shard, kind.name)
    definitions = Definitions()
    desk = Desk(kind, clock, secrets.randbits)
    if settings.sandbox.enabled:
        LOGGER.warning("this venue is a sandbox: firms may credit play money to themselves")
    service = MatchingService(
        state,
        Links(settings.shard, kind, clock),
        snapshots,
        AccountIndex(database, settings.shard),
        Faucet(database, reader, desk, definitions, settings.sandbox),
    )
    server = await rpc_server.start_server(
        settings.listen_address,
        service.register,
        rpc=settings.rpc,
        tls_settings=settings.tls,
        concurrent_calls_max=limits.CALLS_MAX,
        options=BULK_OPTIONS,
    )
    admin = AdminService(
        AdminParts(
            state, database, definitions, desk, Adjustments(database, reader, desk), gauges.stages
        )
    )
    check_admin_address(settings)
    admin_server = await rpc_server.start_server(
        settings.admin_address,
        admin.register,
        rpc=settings.rpc,
        tls_settings=settings.admin_tls,
        concurrent_calls_max=limits.ADMIN_CALLS_MAX,
    )
    claim = Claim(
        shard=settings.shard,
        owner=f"{settings.instance}-{secrets.token_hex(OWNER_BYTES)}",
        endpoint=settings.advertised_endpoint or with_port(settings.listen_address, server.port),
        lease_seconds=settings.lease_seconds,
    )
    lock = ShardLock(database.settings, claim, f"cambist-{settings.instance}", clock)
    term = Term(
        TermParts(
            settings=settings,
            kind=kind,
            database=database,
            reader=reader,
            snapshots=snapshots,
            lock=lock,
            clock=clock,
            gauges=gauges,
            followers=(definitions,),
        ),
        state,
    )
    return RunningShard(state, term, server, admin_server)


async def watch_health(state: ShardState, health: HealthServer) -> None:
    """SERVING while this process is primary and its clock is near the database's."""
    before: dict[str, bool] = {}
    while True:
        is_skewed = abs(state.clock_offset_ns) > limits.CLOCK_SKEW_NS
        is_serving = state.role is Role.PRIMARY and not is_skewed
        now = {
            "": is_serving,
            HEALTH_NAME: is_serving,
            HEALTH_STANDBY: state.role is Role.STANDBY,
            HEALTH_ABLE: is_serving or state.role is Role.STANDBY,
        }
        for name, serving in now.items():
            if before.get(name) != serving:
                await health.set_serving(name, serving=serving)
        if before.get("") and is_skewed:
            LOGGER.error("CLOCK_SKEW", offset_ns=state.clock_offset_ns)
        before = now
        await asyncio.sleep(HEALTH_SECONDS)


def check_admin_address(settings: MatchingSettings) -> None:
    """Raises ConfigurationError when operators would not be known to anybody."""
    tls = settings.admin_tls
    if tls.certificate_file and tls.authority_file:
        return
    host = settings.admin_address.rpartition(":")[0].strip("[]")
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback:
        raise ConfigurationError(
            "the admin port needs a certificate and an authority for client certificates"
            " unless it listens on the loopback only"
        )


def with_port(address: str, port: int) -> str:
    """An address with the port that was really taken."""
    return f"{address.rpartition(':')[0]}:{port}"


async def open_database(settings: MatchingSettings) -> Database:
    """The pool; in development a database of our own, brought up to date."""
    chosen = await database_settings(settings)
    if settings.development.enabled:
        await migrate(chosen, settings.all_shards(), settings.instance)
    return await postgres.connect(chosen, application_name=f"cambist-{settings.instance}")


async def database_settings(settings: MatchingSettings) -> PostgresSettings:
    """Settings with a DSN: the given one, or that of the embedded server in development."""
    if settings.postgres.dsn.get_secret_value() or not settings.development.enabled:
        return settings.postgres
    server = await embedded_postgres.ensure_running(Path(settings.postgres.embedded_directory))
    return settings.postgres.model_copy(update={"dsn": SecretStr(server.dsn)})


async def migrate(chosen: PostgresSettings, shards: tuple[int, ...], instance: str) -> list[str]:
    """Brings the schema up to date, with rows and partitions of all shards; what was applied.

    Running it again, or twice at once, changes nothing.
    """
    applied = await migrations.migrate(chosen, MIGRATIONS)
    database = await postgres.connect(chosen, application_name=f"cambist-{instance}-migrate")
    try:
        await prepare_shards(database, shards)
    finally:
        await database.close()
    return applied
