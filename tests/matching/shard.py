"""A process of matching in the test's own loop, over real Postgres and real gRPC."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import grpc.aio

from cambist.admin.v1 import admin_pb2, admin_pb2_grpc
from cambist.internal.journal.v1 import batch_pb2, frames_pb2, system_pb2
from cambist.internal.matching.v1 import matching_pb2, matching_pb2_grpc
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2
from matching import engines, server
from matching.engines import EngineKind
from matching.release.directory import PRIVATE, SESSION, SYSTEM, Directory
from matching.settings import DevelopmentSettings, MatchingSettings
from runtime import embedded_postgres, rpc_channel
from runtime.clock import SystemClock
from runtime.settings import PostgresSettings

SHARD = 1
MARKET = 65_537
FIRM = 1
ACCOUNT, OTHER = 4_096, 4_097
BASE, QUOTE = 1, 2
EXTERNAL = 4
SECONDS = 20.0
ORDER = enums_pb2.COMMAND_CLASS_ORDER
CANCEL = enums_pb2.COMMAND_CLASS_CANCEL
UNARY = enums_pb2.COMMAND_CLASS_UNARY
SYSTEM_CLASS = enums_pb2.COMMAND_CLASS_SYSTEM


def now_ns() -> int:
    return SystemClock().wall_ns()


def settings(postgres: PostgresSettings, **changes: Any) -> MatchingSettings:
    return MatchingSettings(
        postgres=postgres,
        listen_address="127.0.0.1:0",
        admin_address="127.0.0.1:0",
        health_address="127.0.0.1:0",
        development=DevelopmentSettings(enabled=True),
        **changes,
    )


def new_order(
    price_ticks: int = 100,
    side: int = enums_pb2.SIDE_BUY,
    account_id: int = ACCOUNT,
    quantity_lots: int = 1,
) -> commands_pb2.Command:
    order = commands_pb2.NewOrder(
        cl_ord_id=secrets.token_bytes(16),
        account_id=account_id,
        market_id=MARKET,
        side=enums_pb2.Side.ValueType(side),
        order_type=enums_pb2.ORDER_TYPE_LIMIT,
        time_in_force=enums_pb2.TIME_IN_FORCE_GTC,
        price_ticks=price_ticks,
        quantity_lots=quantity_lots,
        sent_time_ns=now_ns(),
    )
    return commands_pb2.Command(new_order=order)


def unary_envelope(command: commands_pb2.Command, correlation: int = 1) -> bytes:
    return batch_pb2.Envelope(
        command_class=UNARY,
        count=1,
        received_ns=now_ns(),
        correlation=correlation,
        commands=commands_pb2.Commands(commands=[command]).SerializeToString(),
    ).SerializeToString()


def system_envelope(*commands: system_pb2.SystemCommand, correlation: int = 1) -> bytes:
    return batch_pb2.Envelope(
        command_class=SYSTEM_CLASS,
        count=len(commands),
        received_ns=now_ns(),
        correlation=correlation,
        system_commands=system_pb2.SystemCommands(commands=commands).SerializeToString(),
    ).SerializeToString()


def established(session_id: int, link_id: int, correlation: int) -> system_pb2.SystemCommand:
    return system_pb2.SystemCommand(
        session_established=system_pb2.SessionEstablished(
            session_id=session_id,
            firm_id=FIRM,
            account_ids=[ACCOUNT, OTHER],
            may_trade=True,
            window_ms=1_000,
            link_id=link_id,
            correlation=correlation,
        )
    )


def session_envelope(
    session_id: int,
    first_seq_no: int,
    commands: Sequence[commands_pb2.Command],
    *,
    command_class: int = ORDER,
    connection: int = 1,
) -> bytes:
    return batch_pb2.Envelope(
        command_class=enums_pb2.CommandClass.ValueType(command_class),
        session_id=session_id,
        connection=connection,
        first_seq_no=first_seq_no,
        count=len(commands),
        received_ns=now_ns(),
        commands=commands_pb2.Commands(commands=commands).SerializeToString(),
    ).SerializeToString()


@asynccontextmanager
async def blocked(chosen: PostgresSettings) -> AsyncIterator[None]:
    """Postgres does not let the primary's insert through meanwhile."""
    connection = await asyncpg.connect(chosen.dsn.get_secret_value())
    try:
        await connection.execute("begin")
        await connection.execute("select from journal.shard_fence where shard = 1 for update")
        yield
    finally:
        connection.terminate()


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    """Looks again and again until it is so."""
    async with asyncio.timeout(SECONDS):
        while True:
            if await look():
                return
            await asyncio.sleep(0.02)


class Link:
    """A SubmitCommands stream that said hello."""

    def __init__(self, call: Any, link_id: int) -> None:
        self.call = call
        self.link_id = link_id
        self.number = 0

    async def hello(self, shard: int = SHARD) -> Any:
        hello = matching_pb2.Hello(link_id=self.link_id, shard=shard, name="test")
        await self.call.write(matching_pb2.SubmitCommandsRequest(hello=hello))
        return (await self.read()).welcome

    async def read(self) -> Any:
        async with asyncio.timeout(SECONDS):
            return await self.call.read()

    async def send(self, envelope: bytes) -> int:
        self.number += 1
        submit = matching_pb2.Submit(number=self.number, envelope=envelope)
        async with asyncio.timeout(SECONDS):
            await self.call.write(matching_pb2.SubmitCommandsRequest(submit=submit))
        return self.number


@dataclass
class Shard:
    """A running process and its clients."""

    task: asyncio.Task[None]
    stop: asyncio.Event
    ports: server.Ports
    stub: Any
    admin: Any
    channels: tuple[grpc.aio.Channel, ...]

    async def link(self, link_id: int = 0) -> Link:
        link = Link(self.stub.SubmitCommands(), link_id or secrets.randbits(62) | 1)
        await link.hello()
        return link

    async def rows(self, from_seq: int, until_seq: int, **filters: Any) -> list[Any]:
        request = matching_pb2.StreamEventsRequest(
            shard=SHARD, from_seq=from_seq, until_seq=until_seq, **filters
        )
        async with asyncio.timeout(SECONDS):
            return [row async for answer in self.stub.StreamEvents(request) for row in answer.rows]

    async def status(self) -> Any:
        return await self.stub.GetStatus(matching_pb2.GetStatusRequest(), timeout=SECONDS)

    async def until_released(self, seq: int) -> Any:
        async def is_released() -> bool:
            return bool((await self.status()).released_seq >= seq)

        await until(is_released)
        return await self.status()

    async def create_market(self) -> None:
        """Two assets, a market in CONTINUOUS, a firm with two rich accounts."""
        admin = self.admin
        for asset_id, symbol in ((BASE, "BTC"), (QUOTE, "USDT")):
            asset = admin_pb2.Asset(asset_id=asset_id, symbol=symbol, decimals=6)
            await admin.CreateAsset(admin_pb2.CreateAssetRequest(shard=SHARD, asset=asset))
        market = admin_pb2.Market(
            market_id=MARKET,
            symbol="BTC-USDT",
            base_asset_id=BASE,
            quote_asset_id=QUOTE,
            lot_size_atoms="1000",
            tick_size_atoms="1000",
        )
        await admin.CreateMarket(admin_pb2.CreateMarketRequest(market=market))
        firm = admin_pb2.Firm(firm_id=FIRM, name="firm")
        await admin.CreateFirm(admin_pb2.CreateFirmRequest(shard=SHARD, firm=firm))
        for account_id in (ACCOUNT, OTHER):
            account = admin_pb2.Account(account_id=account_id, firm_id=FIRM, open_orders_max=10_000)
            await admin.CreateAccount(admin_pb2.CreateAccountRequest(shard=SHARD, account=account))
            for asset_id in (BASE, QUOTE):
                await admin.Adjust(adjustment(account_id, asset_id))
        phase = admin_pb2.SetPhaseRequest(market_id=MARKET, phase=enums_pb2.MARKET_PHASE_CONTINUOUS)
        await admin.SetPhase(phase)


def adjustment(
    account_id: int, asset_id: int, amount_atoms: int = 10**15, number: int = 0
) -> admin_pb2.AdjustRequest:
    return admin_pb2.AdjustRequest(
        shard=SHARD,
        adjustment_id=(number << 64 | account_id << 8 | asset_id).to_bytes(16, "big"),
        from_account_id=EXTERNAL,
        to_account_id=account_id,
        asset_id=asset_id,
        amount_atoms=str(amount_atoms),
        first_approver="one",
        second_approver="two",
    )


async def start(chosen: MatchingSettings, kind: EngineKind | None = None) -> Shard:
    """Starts a process and waits until it is primary. Raises what ended it."""
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.serve(chosen, stop, ready.set_result, kind))
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    return connect(task, stop, ready.result())


async def start_standby(chosen: MatchingSettings) -> Shard:
    """Starts a process beside another one and waits until it listens."""
    ports = server.Ports(*(embedded_postgres.free_port() for _ in range(3)))
    addresses = {
        "listen_address": f"127.0.0.1:{ports.port}",
        "admin_address": f"127.0.0.1:{ports.admin_port}",
        "health_address": f"127.0.0.1:{ports.health_port}",
        "instance": "second",
    }
    stop = asyncio.Event()
    task = asyncio.create_task(server.serve(chosen.model_copy(update=addresses), stop))
    shard = connect(task, stop, ports)
    for channel in shard.channels:
        await rpc_channel.wait_ready(channel, "the standby", SECONDS)
    return shard


def connect(task: asyncio.Task[None], stop: asyncio.Event, ports: server.Ports) -> Shard:
    """Clients of a process."""
    channels = tuple(
        rpc_channel.open_channel(f"127.0.0.1:{port}") for port in (ports.port, ports.admin_port)
    )
    return Shard(
        task,
        stop,
        ports,
        matching_pb2_grpc.MatchingServiceStub(channels[0]),
        admin_pb2_grpc.AdminServiceStub(channels[1]),
        channels,
    )


async def end(shard: Shard) -> None:
    """Stops a process as SIGTERM does; raises what it ended with."""
    shard.stop.set()
    try:
        await asyncio.wait_for(shard.task, SECONDS)
    finally:
        for channel in shard.channels:
            await channel.close()


@asynccontextmanager
async def running(chosen: MatchingSettings, kind: EngineKind | None = None) -> AsyncIterator[Shard]:
    """A process that is primary, stopped at the end."""
    shard = await start(chosen, kind)
    try:
        yield shard
    finally:
        await end(shard)


def private_events(row: Any, account_id: int = ACCOUNT) -> list[events_pb2.PrivateEvent]:
    directory = Directory(row.events)
    record = directory.find(PRIVATE, account_id)
    if record is None:
        return []
    return [*events_pb2.PrivateEvents.FromString(directory.payload(record)).events]


def session_events(row: Any, session_id: int) -> list[events_pb2.SessionEvent]:
    directory = Directory(row.events)
    record = directory.find(SESSION, session_id)
    if record is None:
        return []
    return [*events_pb2.SessionEvents.FromString(directory.payload(record)).events]


def system_events(row: Any) -> list[frames_pb2.SystemEvent]:
    directory = Directory(row.events)
    record = directory.find(SYSTEM, 0)
    if record is None:
        return []
    return [*frames_pb2.SystemEvents.FromString(directory.payload(record)).events]


KIND = engines.load("auto")
