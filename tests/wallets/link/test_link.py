"""Custody and a real process of matching: requests become payouts, commands are answered once."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from cambist.orders.v1 import commands_pb2
from runtime import postgres
from runtime.clock import SystemClock
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings, TlsSettings
from tests.matching.shard import (
    ACCOUNT,
    BASE,
    SHARD,
    Shard,
    end,
    now_ns,
    settings,
    start,
    start_standby,
    unary_envelope,
    until,
)
from tests.wallets.conftest import NETWORK_ID
from wallets.contract import WithdrawalId
from wallets.core import inbox, outbox
from wallets.core.transactions import changing
from wallets.engines import Primary, open_engines
from wallets.link import lease
from wallets.link.reader import Reader
from wallets.link.sender import Identity, Sender

SOURCE_ID = 7
ID = WithdrawalId(b"w" * 16)


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    await custody.execute(
        "insert into custody.asset values ($1, $2, '', 'BTC', 6, 6, 0, 0)",
        NETWORK_ID,
        BASE,
    )
    await custody.execute(
        "insert into custody.source values ($1, $2, $3)", SOURCE_ID, NETWORK_ID, SHARD
    )
    opened = await postgres.connect(postgres_settings, application_name="link-test")
    yield opened
    await opened.close()


@asynccontextmanager
async def linked(database: Database, *shards: Shard, reads: bool = True) -> AsyncIterator[None]:
    """Reader and sender at work; what ends one of them fails the test."""
    async with AsyncExitStack() as stack:
        addresses = {SHARD: tuple(f"127.0.0.1:{shard.ports.port}" for shard in shards)}
        channels = (await open_engines(addresses, TlsSettings(), stack))[SHARD]
        sender = Sender(
            database,
            Identity(SOURCE_ID, SHARD, secrets.token_hex(8)),
            Primary(channels),
            SystemClock(),
            lambda: secrets.randbits(62) | 1,
        )
        tasks = [asyncio.create_task(sender.run())]
        if reads:
            tasks.append(asyncio.create_task(Reader(database, SHARD, Primary(channels)).run()))
        yield
        assert not [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def request(shard: Shard) -> None:
    link = await shard.link()
    asked = commands_pb2.RequestWithdrawal(
        request_id=ID,
        account_id=ACCOUNT,
        asset_id=BASE,
        network_id=NETWORK_ID,
        amount_atoms=(500).to_bytes(16, "little"),
        fee_atoms=(5).to_bytes(16, "little"),
        destination="somewhere",
        sent_time_ns=now_ns(),
    )
    await link.send(unary_envelope(commands_pb2.Command(request_withdrawal=asked)))


def has(connection: Connection, query: str, expected: object) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return bool(await connection.fetchval(query) == expected)

    return look


async def put(database: Database, kind: str) -> None:
    async with changing(database, "test") as connection:
        await outbox.put(connection, kind, ID, network_id=NETWORK_ID, shard=SHARD)


async def put_start(database: Database) -> None:
    """As the pipeline does once the payout is approved."""
    async with changing(database, "test") as connection:
        await connection.execute("update custody.payout set state = 'approved'")
    await put(database, "start")


STATE = "select state from custody.payout"
ANSWERS = "select count(*) from custody.outbox where answer_reason = 0"


async def test_a_request_becomes_a_payout_and_its_commands_are_done_across_a_restart(
    database: Database, custody: Connection, postgres_settings: PostgresSettings
) -> None:
    chosen = settings(postgres_settings)
    shard = await start(chosen)
    await shard.create_market()
    async with linked(database, shard):
        await request(shard)
        await until(has(custody, STATE, "requested"))
    await end(shard)
    await put_start(database)
    await custody.execute("update custody.lease set expires_at = '-infinity'")
    again = await start(chosen)
    async with linked(database, again):
        await until(has(custody, STATE, "started"))
        await put(database, "settle")
        await until(has(custody, ANSWERS, 2))
    await end(again)
    assert await inbox.read_cursor(database, SHARD) > 0


async def test_what_was_done_but_not_heard_is_sent_again_and_stays_done_once(
    database: Database, custody: Connection, postgres_settings: PostgresSettings
) -> None:
    shard = await start(settings(postgres_settings))
    await shard.create_market()
    async with linked(database, shard):
        await request(shard)
        await until(has(custody, STATE, "requested"))
    before = (await shard.status()).released_seq
    await put_start(database)
    async with linked(database, shard, reads=False):
        await shard.until_released(before + 1)
    assert await custody.fetchval(ANSWERS) == 0
    await custody.execute("update custody.lease set expires_at = '-infinity'")
    async with linked(database, shard):
        await until(has(custody, STATE, "started"))
        cursor = await inbox.read_cursor(database, SHARD)
        await shard.until_released(cursor)
    assert await custody.fetchval(STATE) == "started"
    await end(shard)


async def test_requests_and_commands_follow_a_shard_to_its_other_process(
    database: Database, custody: Connection, postgres_settings: PostgresSettings
) -> None:
    chosen = settings(postgres_settings)
    shard = await start(chosen)
    await shard.create_market()
    standby = await start_standby(chosen)
    # The one that refuses is named first.
    async with linked(database, standby, shard):
        await request(shard)
        await until(has(custody, STATE, "requested"))
        await end(shard)
        await put_start(database)
        await until(has(custody, STATE, "started"))
    await end(standby)


async def test_one_owner_holds_a_lease_and_each_change_raises_its_token(
    database: Database, custody: Connection
) -> None:
    first = await lease.hold(database, "x", "one", 60.0)
    assert await lease.hold(database, "x", "one", 60.0) == first
    assert await lease.hold(database, "x", "two", 60.0) is None
    await lease.hand_over(database, "x", "one")
    second = await lease.hold(database, "x", "two", 60.0)
    assert first is not None
    assert second == first + 1
