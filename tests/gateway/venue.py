"""A little venue for tests: a fake matching, gateways in this loop, keys, a raw client.

Long because every test of the gateway stands on it, and its parts make no sense apart.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import SecretStr

from cambist.auth.v1 import auth_pb2, auth_pb2_grpc
from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2, service_pb2, service_pb2_grpc
from gateway import server
from gateway.door.permissions import Scope
from gateway.identity.keys import KeyRecord
from gateway.identity.store import MIGRATIONS, KeyStore
from gateway.server import Ports
from gateway.settings import GatewaySettings
from runtime import migrations, postgres, rpc_errors
from runtime.settings import PostgresSettings
from tests.fakes.engines import new_engine
from tests.fakes.matching import SHARD, FakeMatching

FIRM, OTHER_FIRM = 1, 2
ACCOUNT, SECOND_ACCOUNT, FOREIGN_ACCOUNT = 4_096, 4_097, 5_000
MARKET = (SHARD << 16) + 1
SECOND_MARKET = MARKET + 1
ASSET = 1
SECRET = "a secret of thirty-two characters."
ORDER, CANCEL = enums_pb2.COMMAND_CLASS_ORDER, enums_pb2.COMMAND_CLASS_CANCEL
Reason = service_pb2.TerminateReason
_IDS = itertools.count(1)


def fresh_id() -> bytes:
    """Sixteen bytes that no other command of this process has."""
    return next(_IDS).to_bytes(16, "big")


def new_order(**fields: Any) -> commands_pb2.NewOrder:
    """A limit order that rests."""
    values: dict[str, Any] = {
        "cl_ord_id": fresh_id(),
        "account_id": ACCOUNT,
        "market_id": MARKET,
        "side": enums_pb2.SIDE_BUY,
        "order_type": enums_pb2.ORDER_TYPE_LIMIT,
        "time_in_force": enums_pb2.TIME_IN_FORCE_GTC,
        "price_ticks": 100,
        "quantity_lots": 5,
        "sent_time_ns": time.time_ns(),
    }
    return commands_pb2.NewOrder(**{**values, **fields})


def orders_body(count: int, **fields: Any) -> bytes:
    """A batch body with so many orders."""
    return commands_pb2.Commands(
        commands=[commands_pb2.Command(new_order=new_order(**fields)) for _ in range(count)]
    ).SerializeToString()


def body_of(**command: Any) -> bytes:
    """A batch body with one command."""
    return commands_pb2.Commands(commands=[commands_pb2.Command(**command)]).SerializeToString()


def resolve_body(identifier: bytes = b"") -> bytes:
    """A batch body that asks about one id."""
    resolve = commands_pb2.Resolve(
        id=identifier or fresh_id(), account_id=ACCOUNT, sent_time_ns=time.time_ns()
    )
    return body_of(resolve=resolve)


async def status_of(call: Awaitable[object]) -> tuple[str, str]:
    """Code and reason of a unary call."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        fault = rpc_errors.fault_of(error)
        return fault.code.name, fault.reason
    return "OK", ""


@dataclass
class Key:
    """An API key with its private half."""

    key_id: str
    private_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_bytes(self) -> bytes:
        return self.private_key.public_key().public_bytes_raw()


@dataclass
class RunningGateway:
    """One gateway in this loop."""

    ports: Ports
    stop: asyncio.Event
    task: asyncio.Task[None]
    settings: GatewaySettings

    async def end(self) -> None:
        self.stop.set()
        await self.task


@dataclass
class Venue:
    """Everything of one test."""

    matching: FakeMatching
    matching_port: int
    store: KeyStore
    postgres: PostgresSettings
    gateways: list[RunningGateway] = field(default_factory=list)
    channels: list[grpc.aio.Channel] = field(default_factory=list)
    standbys: list[FakeMatching] = field(default_factory=list)

    async def gateway(self, *, is_serving: bool = True, **settings: Any) -> RunningGateway:
        """Starts a gateway and waits until one of its shards is up, unless there is none."""
        chosen = GatewaySettings(
            **{
                "listen_address": "127.0.0.1:0",
                "health_address": "127.0.0.1:0",
                "matching_endpoints": f"1=127.0.0.1:{self.matching_port}",
                "token_secret": SecretStr(SECRET),
                "postgres": self.postgres,
                "drain_ms": 1_000,
                **settings,
            }
        )
        stop = asyncio.Event()
        ready: asyncio.Future[Ports] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(server.serve(chosen, stop, ready.set_result))
        waiting: set[asyncio.Future[Any]] = {task, ready}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        running = RunningGateway(ready.result(), stop, task, chosen)
        self.gateways.append(running)

        async def serves() -> bool:
            return await health_of(running) == "SERVING"

        if is_serving:
            await until(serves)
        return running

    async def key(self, **fields: Any) -> Key:
        """Makes an API key."""
        key = Key(f"key-{next(_IDS)}")
        values: dict[str, Any] = {
            "key_id": key.key_id,
            "firm_id": FIRM,
            "label": "",
            "public_keys": (key.public_bytes,),
            "scopes": frozenset(Scope),
            "account_ids": (),
            "market_ids": (),
            "networks": (),
            "is_read_only": False,
            "orders_per_second": 0,
            "cancels_per_second": 0,
            "created_ns": time.time_ns(),
            "expires_ns": 0,
            "revoked_ns": 0,
            "version": 0,
        }
        await self.store.create(KeyRecord(**{**values, **fields}))
        return key

    async def narrow(self, key: Key, scopes: list[Scope]) -> None:
        """Leaves a key only these scopes."""
        await self.store.database.write(
            "update identity.api_key set scopes = $2, version = nextval('identity.key_version')"
            " where key_id = $1",
            key.key_id,
            scopes,
        )

    async def raise_limits(self) -> None:
        """Lets the first account have as many open orders as an account may."""
        raised = system_pb2.AccountLimits(open_orders_max=10_000, id_capacity=65_536)
        command = system_pb2.SetAccountLimits(account_id=ACCOUNT, limits=raised)
        await self.matching.system(system_pb2.SystemCommand(set_account_limits=command))

    async def previous_ends(self) -> int:
        """Ends that wait for the return of their client."""
        row = await self.store.database.read_row("select count(*) from identity.previous_end")
        assert row is not None
        return int(row[0])

    async def standby(self) -> int:
        """The port of a matching that is not primary and names the one that is."""
        standby = FakeMatching(new_engine(SHARD), is_primary=False)
        standby.hint = f"127.0.0.1:{self.matching_port}"
        self.standbys.append(standby)
        return await standby.start()

    def channel(
        self, gateway: RunningGateway, options: tuple[tuple[str, Any], ...] = ()
    ) -> grpc.aio.Channel:
        """A channel of its own, closed with the venue."""
        channel = grpc.aio.insecure_channel(
            f"127.0.0.1:{gateway.ports.port}",
            options=[("grpc.use_local_subchannel_pool", 1), *options],
        )
        self.channels.append(channel)
        return channel

    async def client(self, gateway: RunningGateway, key: Key, **options: Any) -> "Client":
        """A client that is logged on."""
        channel = self.channel(gateway, **options)
        return Client(channel, await log_on(channel, key), key)


@dataclass
class Client:
    """A logged-on client of one gateway."""

    channel: grpc.aio.Channel
    token: str
    key: Key

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)

    @property
    def orders(self) -> Any:
        return service_pb2_grpc.OrderEntryServiceStub(self.channel)

    def negotiate_request(self, name: str = "main", **fields: Any) -> service_pb2.NegotiateRequest:
        values: dict[str, Any] = {"shard": SHARD, "session_name": name}
        return service_pb2.NegotiateRequest(**{**values, **fields})

    async def negotiate(self, name: str = "main", **fields: Any) -> service_pb2.NegotiateResponse:
        request = self.negotiate_request(name, **fields)
        response: service_pb2.NegotiateResponse
        response = await self.orders.Negotiate(request, metadata=self.metadata)
        return response

    def stream(self) -> "SessionClient":
        """A stream on which nothing was said."""
        return SessionClient(self.orders.OrderEntrySession(metadata=self.metadata))

    def raw_stream(self) -> "RawSession":
        """A stream that takes bytes."""
        open_stream: Any = self.channel.stream_stream
        path = "/cambist.orders.v1.OrderEntryService/OrderEntrySession"
        response = service_pb2.OrderEntrySessionResponse.FromString
        return RawSession(open_stream(path, None, response)(metadata=self.metadata))

    async def establish(
        self, negotiated: service_pb2.NegotiateResponse, **fields: Any
    ) -> "SessionClient":
        """Opens a connection and reads the first answer."""
        session = self.stream()
        await session.open(negotiated, **fields)
        return session

    async def session(self, name: str = "main", **fields: Any) -> "SessionClient":
        """Negotiates and establishes."""
        return await self.establish(await self.negotiate(name), **fields)


@dataclass
class SessionClient:
    """One connection of a session."""

    call: Any
    first: service_pb2.OrderEntrySessionResponse = field(
        default_factory=service_pb2.OrderEntrySessionResponse
    )
    next_seq_no: dict[int, int] = field(default_factory=lambda: {ORDER: 1, CANCEL: 1})

    @property
    def established(self) -> service_pb2.Established:
        assert self.first.HasField("established"), self.first
        return self.first.established

    @property
    def refusal(self) -> service_pb2.Terminate:
        assert self.first.HasField("terminate"), self.first
        return self.first.terminate

    async def send(self, **request: Any) -> None:
        await self.call.write(service_pb2.OrderEntrySessionRequest(**request))

    async def open(self, negotiated: service_pb2.NegotiateResponse, **fields: Any) -> None:
        """Says Establish and reads the answer."""
        values: dict[str, Any] = {
            "session_id": negotiated.session_id,
            "session_version": negotiated.session_version,
            "keep_alive_ms": 10_000,
            "next_order_seq_no": 1,
            "next_cancel_seq_no": 1,
        }
        await self.send(establish=service_pb2.Establish(**{**values, **fields}))
        self.first = await self.read()

    async def terminate(self, reason: service_pb2.TerminateReason.ValueType) -> None:
        await self.send(terminate=service_pb2.Terminate(reason=reason))

    async def send_orders(self, count: int = 1, **fields: Any) -> int:
        """A batch of new orders with the next numbers; the first number."""
        return await self.send_body(ORDER, orders_body(count, **fields), count)

    async def send_body(self, command_class: int, body: bytes, count: int) -> int:
        first = self.next_seq_no[command_class]
        self.next_seq_no[command_class] += count
        await self.send_batch(command_class, first, count, body)
        return first

    async def send_batch(self, command_class: int, first: int, count: int, body: bytes) -> None:
        await self.send(
            batch=service_pb2.CommandBatch(
                command_class=enums_pb2.CommandClass.ValueType(command_class),
                first_seq_no=first,
                count=count,
                commands=body,
            )
        )

    async def read(self, seconds: float = 10.0) -> service_pb2.OrderEntrySessionResponse:
        """The next message; fails when the stream has ended."""
        async with asyncio.timeout(seconds):
            response = await self.call.read()
        if isinstance(response, service_pb2.OrderEntrySessionResponse):
            return response
        raise AssertionError(f"{await self.call.code()}: {await self.call.details()}")

    async def ending(self, seconds: float = 10.0) -> service_pb2.Terminate:
        """The venue's last message; what comes before it is skipped, nothing may follow."""
        while True:
            response = await self.read(seconds)
            if response.HasField("terminate"):
                async with asyncio.timeout(seconds):
                    assert await self.call.read() is grpc.aio.EOF
                    assert await self.call.code() is grpc.StatusCode.OK
                return response.terminate

    async def read_kind(self, kind: str, seconds: float = 10.0) -> Any:
        """The next message of a kind; heartbeats are skipped."""
        while True:
            response = await self.read(seconds)
            found = response.WhichOneof("response")
            if found == kind:
                return getattr(response, kind)
            assert found in {"sequence", "events"}, response

    async def private_events(self, count: int) -> list[events_pb2.PrivateEvent]:
        """So many private events, in order."""
        found: list[events_pb2.PrivateEvent] = []
        while len(found) < count:
            batch = await self.read_kind("events")
            found += events_pb2.PrivateEvents.FromString(batch.private_events).events
        return found

    async def session_events(self, kind: str) -> list[events_pb2.SessionEvent]:
        """Session events of the next batch that has one of a kind."""
        while True:
            batch = await self.read_kind("events")
            events = events_pb2.SessionEvents.FromString(batch.session_events).events
            if any(event.WhichOneof("event") == kind for event in events):
                return list(events)


class RawSession(SessionClient):
    """A connection whose requests are bytes."""

    async def send(self, **request: Any) -> None:
        message = service_pb2.OrderEntrySessionRequest(**request)
        await self.call.write(message.SerializeToString())


async def until(is_so: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    """Asks again and again until the answer is yes; fails when the time is over."""
    async with asyncio.timeout(seconds):
        while not await is_so():  # noqa: ASYNC110 - another process or task decides
            await asyncio.sleep(0.02)


async def health_of(gateway: RunningGateway, name: str = "") -> str:
    """What the health port says."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.ports.health_port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))


async def log_on(channel: grpc.aio.Channel, key: Key, **changes: Any) -> str:
    """A token for the key."""
    stub = auth_stub(channel)
    challenge = await stub.GetChallenge(auth_pb2.GetChallengeRequest())
    request = signed_logon(key, challenge.nonce, **changes)
    response = await stub.Logon(request)
    return str(response.token)


def auth_stub(channel: grpc.aio.Channel) -> Any:
    return auth_pb2_grpc.AuthServiceStub(channel)


def signed_logon(key: Key, nonce: bytes, *, time_ns: int | None = None) -> auth_pb2.LogonRequest:
    """A logon signed by the key."""
    now_ns = time.time_ns() if time_ns is None else time_ns
    body = b"cambist-logon-v1\n" + key.key_id.encode() + b"\n" + nonce
    body += now_ns.to_bytes(8, "big", signed=True)
    return auth_pb2.LogonRequest(
        key_id=key.key_id, nonce=nonce, time_ns=now_ns, signature=key.private_key.sign(body)
    )


def definitions() -> list[system_pb2.SystemCommand]:
    """Assets, markets, firms, accounts, money."""
    command = system_pb2.SystemCommand
    amount = (10**9).to_bytes(16, "little")
    one = (1).to_bytes(16, "little")
    commands = [
        command(create_asset=system_pb2.CreateAsset(asset_id=number, symbol=symbol, decimals=0))
        for number, symbol in ((1, "BTC"), (2, "USD"))
    ]
    commands += [
        command(
            create_market=system_pb2.CreateMarket(
                market_id=market_id,
                symbol=symbol,
                base_asset_id=1,
                quote_asset_id=2,
                lot_size_atoms=one,
                tick_size_atoms=one,
            )
        )
        for market_id, symbol in ((MARKET, "BTC-USD"), (SECOND_MARKET, "BTC-USD-2"))
    ]
    commands += [
        command(create_firm=system_pb2.CreateFirm(firm_id=firm_id, name=f"firm {firm_id}"))
        for firm_id in (FIRM, OTHER_FIRM)
    ]
    owners = ((ACCOUNT, FIRM), (SECOND_ACCOUNT, FIRM), (FOREIGN_ACCOUNT, OTHER_FIRM))
    commands += [
        command(create_account=system_pb2.CreateAccount(account_id=account_id, firm_id=firm_id))
        for account_id, firm_id in owners
    ]
    commands += [
        command(
            set_phase=system_pb2.SetPhase(
                market_id=market_id, phase=enums_pb2.MARKET_PHASE_CONTINUOUS
            )
        )
        for market_id in (MARKET, SECOND_MARKET)
    ]
    deposits = [(account_id, asset) for account_id, _ in owners for asset in (1, 2)]
    commands += [
        command(
            credit=system_pb2.Credit(
                source_id=1,
                source_seq=number,
                deposit_id=number.to_bytes(16, "big"),
                account_id=account_id,
                asset_id=asset_id,
                amount_atoms=amount,
            )
        )
        for number, (account_id, asset_id) in enumerate(deposits, start=1)
    ]
    return commands


@contextlib.asynccontextmanager
async def open_venue(postgres_settings: PostgresSettings) -> AsyncIterator[Venue]:
    """A venue with definitions and no gateway yet; everything ends with the block."""
    await migrations.migrate(postgres_settings, MIGRATIONS)
    database = await postgres.connect(postgres_settings, application_name="test")
    matching = FakeMatching(new_engine(SHARD))
    port = await matching.start()
    await matching.system(*definitions())
    venue = Venue(matching, port, KeyStore(database), postgres_settings)
    try:
        yield venue
    finally:
        for channel in venue.channels:
            await channel.close()
        for running in venue.gateways:
            await running.end()
        for one in (matching, *venue.standbys):
            await one.stop()
        await database.close()
