"""Puts a gateway together and runs it until it is asked to stop.

`serve` is what the process does; tests call it in their own loop. Drain: health says no, clients
are told to go elsewhere, streams end, then the server stops.
"""

import asyncio
import contextlib
import datetime
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path

import grpc.aio

from gateway import limits
from gateway.door.admission import Admission
from gateway.door.methods import Door, Servicer, make_handler, methods_of, unbuilt
from gateway.door.permissions import PERMISSIONS, check_complete
from gateway.identity.auth_service import AuthService
from gateway.identity.callers import Callers
from gateway.identity.session_store import SessionStore
from gateway.identity.store import MIGRATIONS, KeyStore
from gateway.identity.tokens import Signer
from gateway.identity.upkeep import forget_what_is_over
from gateway.market_data.service import MarketDataParts, MarketDataService
from gateway.queries.balances import WalletService
from gateway.queries.custody import CustodyClient, CustodyMethods
from gateway.queries.drop_copy import DropCopyService
from gateway.queries.history import HistoryClient
from gateway.queries.info import InfoService
from gateway.queries.ledger import LedgerMethods
from gateway.queries.orders import OrderQueryService
from gateway.queries.reference import ReferenceDataService
from gateway.queries.sandbox import SandboxService
from gateway.services import SERVED
from gateway.sessions.service import SessionParts, SessionService
from gateway.sessions.table import SessionTable
from gateway.settings import GatewaySettings
from gateway.shard.link import LinkSettings
from gateway.shard.outbox import Budget
from gateway.shard.shard import Shard, ShardParts
from gateway.stages import GatewayStages
from gateway.unary.risk import RiskService
from gateway.unary.service import UnaryService
from runtime import embedded_postgres, logs, migrations, postgres, process, rpc_server, telemetry
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.postgres import Database
from runtime.rpc_health import HealthServer, start_health_server
from runtime.rpc_server import RpcServer
from runtime.settings import PostgresSettings, TlsSettings
from runtime.stages import StageMeter

LOGGER = logs.get(__name__)
# Seconds for unary calls to end after the drain.
STOP_SECONDS = 1.0
UNARY_METHODS = (
    "NewOrder",
    "CancelOrder",
    "AmendOrder",
    "ReplaceOrder",
    "MassCancel",
    "CancelAllAfter",
    "BatchNewOrders",
    "BatchCancelOrders",
    "ResolveOrder",
)
MARKET_DATA_METHODS = (
    "MarketDataSession",
    "StreamLevel2",
    "StreamTrades",
    "StreamBestBidOffer",
    "GetLevel2",
)
CUSTODY_METHODS = (
    "AddAddress",
    "CancelWithdrawal",
    "CreateDepositAddress",
    "GetLiabilityProof",
    "GetLiabilityReport",
    "ListAddresses",
    "ListDeposits",
    "ListWithdrawals",
    "QuoteWithdrawal",
    "RequestWithdrawal",
)
QUERY_METHODS = ("GetOrder", "ListOpenOrders", "ListOrders", "ListFills", "ListPreventedMatches")
REFERENCE_METHODS = (
    "ListAssets",
    "ListMarkets",
    "GetMarket",
    "GetServerTime",
    "StreamTradingStatus",
)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a running gateway listens."""

    port: int
    health_port: int


@dataclass(slots=True)
class Gateway:
    """The parts of one process."""

    settings: GatewaySettings
    database: Database
    shards: dict[int, Shard]
    callers: Callers
    admission: Admission
    table: SessionTable
    history: HistoryClient
    custody: CustodyClient
    servicers: dict[str, Servicer]
    # Ends streams that are not order sessions.
    drains: tuple[Callable[[], None], ...]


async def serve(
    settings: GatewaySettings,
    stop: asyncio.Event,
    on_ready: Callable[[Ports], None] = lambda _ports: None,
) -> None:
    """Serves until `stop` is set, then drains. Raises ConfigurationError, Unavailable."""
    async with contextlib.AsyncExitStack() as stack:
        database = await open_database(settings)
        stack.push_async_callback(database.close)
        measured = telemetry.start(
            settings.telemetry, service="gateway", instance=settings.instance
        )
        stack.callback(measured.stop)
        gateway = assemble(settings, database, stages_of(measured))
        stack.push_async_callback(gateway.history.close)
        stack.push_async_callback(gateway.custody.close)
        health = await start_health_server(settings.health_address, "cambist.gateway")
        stack.push_async_callback(health.stop)
        server = await start_server(gateway)
        stack.push_async_callback(server.stop, STOP_SECONDS)
        await run(gateway, server, health, stop, on_ready)


async def run(
    gateway: Gateway,
    server: RpcServer,
    health: HealthServer,
    stop: asyncio.Event,
    on_ready: Callable[[Ports], None],
) -> None:
    """Runs everything until `stop` is set, then drains."""
    ports = Ports(server.port, health.port)
    LOGGER.info("serving", port=ports.port, health_port=ports.health_port)
    tasks = {f"shard-{number}": shard.run() for number, shard in gateway.shards.items()}
    async with process.supervise(
        stop,
        sweep=gateway.table.sweep(),
        keys=gateway.callers.watch(),
        upkeep=forget_what_is_over(
            KeyStore(gateway.database), SessionStore(gateway.database), SystemClock()
        ),
        health=watch_health(gateway, health),
        **tasks,
    ):
        on_ready(ports)
        await stop.wait()
        gateway.table.is_draining = True
        await health.drain()
        for end_streams in gateway.drains:
            end_streams()
        await gateway.table.drain(gateway.settings.drain_ms)


async def open_database(settings: GatewaySettings) -> Database:
    """The pool; in development a database of our own, brought up to date."""
    chosen = await database_settings(settings)
    if settings.development.enabled:
        await migrations.migrate(chosen, MIGRATIONS)
    return await postgres.connect(chosen, application_name=f"cambist-{settings.instance}")


async def database_settings(settings: GatewaySettings) -> PostgresSettings:
    """Settings with a DSN: the given one, or that of the embedded server in development."""
    if settings.postgres.dsn.get_secret_value() or not settings.development.enabled:
        return settings.postgres
    server = await embedded_postgres.ensure_running(Path(settings.postgres.embedded_directory))
    return settings.postgres.model_copy(update={"dsn": type(settings.token_secret)(server.dsn)})


def stages_of(measured: telemetry.Telemetry) -> GatewayStages:
    """What sessions and unary calls record."""
    return GatewayStages(StageMeter(measured.meter), measured.orders, SystemClock())


def assemble(settings: GatewaySettings, database: Database, stages: GatewayStages) -> Gateway:
    """Wires the parts; nothing runs yet."""
    clock = SystemClock()
    key_store = KeyStore(database)
    signer = Signer(token_secret(settings, database))
    rates = settings.orders_per_second, settings.cancels_per_second
    callers = Callers(key_store, signer, clock, rates)
    table = SessionTable(clock)
    shards = {
        number: make_shard(settings, number, endpoints, table)
        for number, endpoints in settings.matching().items()
    }
    references = tuple(shard.feed.reference for shard in shards.values())
    auth = AuthService(key_store, signer, callers, clock, references, secrets.token_bytes)
    budget, store = Budget(limits.OUTBOX_BYTES_TOTAL_MAX), SessionStore(database)
    sessions = SessionService(
        SessionParts(
            shards=shards,
            callers=callers,
            store=store,
            table=table,
            budget=budget,
            stages=stages,
            clock=clock,
            in_flight_commands_max=settings.in_flight_commands_max,
            outbox_bytes_max=settings.outbox_bytes_max,
        )
    )
    proxies = tuple(
        ip_network(part.strip()) for part in settings.trusted_proxies.split(",") if part.strip()
    )
    admission = Admission(callers, proxies)
    history = HistoryClient(settings.history(), settings.internal_tls)
    unary = UnaryService(shards, rates, stages)
    risk = RiskService(shards, unary, lambda: secrets.token_bytes(limits.ID_BYTES))
    market_data = MarketDataService(MarketDataParts(shards, callers, store, clock))
    wallet = WalletService(shards, callers, budget, unary)
    custody = CustodyClient(settings.custody_endpoint, settings.internal_tls)
    custody_methods = CustodyMethods(shards, custody, unary)
    reference = ReferenceDataService(shards, callers, budget, clock)
    drop_copy = DropCopyService(shards, callers, budget)
    queries = OrderQueryService(shards, history)
    info = InfoService(clock, admission.streams_of)
    servicers: dict[str, Servicer] = {
        **named("auth.v1.AuthService", auth, "GetChallenge", "Logon"),
        **named("orders.v1.OrderEntryService", sessions, "Negotiate", "OrderEntrySession"),
        **named("orders.v1.OrderEntryService", unary, *UNARY_METHODS),
        **named("market_data.v1.MarketDataService", market_data, *MARKET_DATA_METHODS),
        **named("query.v1.OrderQueryService", queries, *QUERY_METHODS),
        **named("drop_copy.v1.DropCopyService", drop_copy, "StreamPrivateEvents"),
        **named("reference.v1.ReferenceDataService", reference, *REFERENCE_METHODS),
        **named("account.v1.AccountService", reference, "ListAccounts"),
        **named("wallet.v1.WalletService", wallet, "GetBalances", "StreamBalances", "Transfer"),
        **named("wallet.v1.WalletService", custody_methods, *CUSTODY_METHODS),
        **named("wallet.v1.WalletService", LedgerMethods(shards, history), "ListLedgerEntries"),
        **named("limits.v1.LimitsService", info, "GetLimits"),
        **named("risk.v1.RiskService", risk, "MassCancelFirm"),
        **named("sandbox.v1.SandboxService", SandboxService(shards), "PayIn"),
        **named("info.v1.ApiInfoService", info, "GetApiInfo"),
    }
    drains = (market_data.drain, drop_copy.drain, wallet.drain, reference.drain)
    return Gateway(
        settings, database, shards, callers, admission, table, history, custody, servicers, drains
    )


def named(service: str, servicer: object, *methods: str) -> dict[str, Servicer]:
    """Servicers by full name: GetOrder is the coroutine function get_order."""
    return {
        f"/cambist.{service}/{method}": getattr(servicer, snake_case(method)) for method in methods
    }


def snake_case(name: str) -> str:
    """GetOrder as get_order."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def make_shard(
    settings: GatewaySettings, number: int, endpoints: tuple[str, ...], table: SessionTable
) -> Shard:
    """One shard; its clients are told when its link breaks."""
    shard = Shard(
        ShardParts(
            LinkSettings(
                shard=number,
                endpoints=endpoints,
                name=settings.instance,
                tls=settings.internal_tls,
                new_link_id=lambda: secrets.randbits(63) | 1,
            ),
            SystemClock(),
            secrets.randbits,
            settings.ring_bytes_max,
        )
    )
    shard.downs.add(lambda: table.shard_down(shard))
    return shard


def token_secret(settings: GatewaySettings, database: Database) -> bytes:
    """The venue's secret; in development one that every gateway on the same database has."""
    secret = settings.token_secret.get_secret_value()
    if secret:
        return secret.encode()
    dsn = database.settings.dsn.get_secret_value()
    return sha256(b"cambist development secret" + dsn.encode()).digest()


async def start_server(gateway: Gateway) -> RpcServer:
    """Starts the public port. Raises ConfigurationError when a method is not declared."""
    methods = methods_of(SERVED)
    check_complete(methods, PERMISSIONS)
    handlers = {}
    for name, method in methods.items():
        permission = PERMISSIONS[name]
        servicer = gateway.servicers.get(name)
        if permission.built != (servicer is not None):
            raise ConfigurationError(f"{name} is declared as built and is not, or the reverse")
        chosen = servicer if servicer is not None else unbuilt(method)
        handlers[name] = make_handler(method, chosen, permission, gateway.admission)

    def register(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((Door(handlers),))

    return await rpc_server.start_server(
        gateway.settings.listen_address,
        register,
        rpc=gateway.settings.rpc,
        tls_settings=tls_settings(gateway.settings),
        concurrent_calls_max=limits.CALLS_MAX,
    )


def tls_settings(settings: GatewaySettings) -> TlsSettings:
    """TLS of the public port; in development with a certificate of our own when asked."""
    folder = settings.development.certificate_directory
    if not folder or settings.tls.certificate_file:
        return settings.tls
    if not settings.development.enabled:
        raise ConfigurationError("only development makes its own certificate")
    from runtime.development_certificates import make_authority

    now = datetime.datetime.now(datetime.UTC)
    return make_authority(Path(folder), now).issue("gateway", now)


async def watch_health(gateway: Gateway, health: HealthServer) -> None:
    """Serving while every shard can be reached; one that cannot is named by its own entry."""
    before: dict[str, bool] = {}
    while True:
        ups = {f"shard/{number}": shard.is_up for number, shard in gateway.shards.items()}
        now = {**ups, "cambist.gateway": all(ups.values()), "": any(ups.values())}
        if not gateway.table.is_draining:
            for name, serving in now.items():
                if before.get(name) != serving:
                    await health.set_serving(name, serving=serving)
            before = now
        await asyncio.sleep(limits.SWEEP_SECONDS)
