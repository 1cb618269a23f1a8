"""SIGKILL of matching while custody's commands are on their way: each is done, and once."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import grpc.aio
import pytest
from pydantic import SecretStr

from cambist.internal.journal.v1 import batch_pb2
from cambist.internal.matching.v1 import matching_pb2, matching_pb2_grpc
from cambist.orders.v1 import commands_pb2, enums_pb2
from runtime import postgres, rpc_channel
from runtime.clock import SystemClock
from runtime.migrations import migrate
from runtime.postgres import Database
from runtime.settings import PostgresSettings
from venue import engines
from venue.flow.definitions import SHARD, firms
from venue.setup import create_venue
from venue.stack import MATCHING, Stack, StackPlan
from wallets.contract import WithdrawalId
from wallets.core import outbox
from wallets.core.transactions import changing
from wallets.engines import Primary
from wallets.link.reader import Reader
from wallets.link.sender import Identity, Sender
from wallets.schema import MIGRATIONS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

NETWORK_ID, ASSET_ID, SOURCE_ID = 1, 1, 7
WITHDRAWALS = 200
KILLS = 3
SECONDS = 60.0


def id_of(number: int) -> WithdrawalId:
    return WithdrawalId(number.to_bytes(16, "big"))


async def request_all(stack: Stack, account_id: int) -> None:
    """Requests over a link of our own, as gateways do."""
    async with rpc_channel.open_channel(stack.matching_endpoint) as channel:
        stub: Any = matching_pb2_grpc.MatchingServiceStub(channel)
        call = stub.SubmitCommands()
        hello = matching_pb2.Hello(link_id=secrets.randbits(62) | 1, shard=SHARD, name="test")
        await call.write(matching_pb2.SubmitCommandsRequest(hello=hello))
        assert (await call.read()).WhichOneof("response") == "welcome"
        for number in range(1, WITHDRAWALS + 1):
            submit = matching_pb2.Submit(number=number, envelope=request_of(number, account_id))
            await call.write(matching_pb2.SubmitCommandsRequest(submit=submit))
        done = 0
        while done < WITHDRAWALS:
            answer = await call.read()
            assert answer.WhichOneof("response") == "progress", answer
            done = answer.progress.number
        call.cancel()


def request_of(number: int, account_id: int) -> bytes:
    """An envelope with one request."""
    asked = commands_pb2.RequestWithdrawal(
        request_id=id_of(number),
        account_id=account_id,
        asset_id=ASSET_ID,
        network_id=NETWORK_ID,
        amount_atoms=(500).to_bytes(16, "little"),
        fee_atoms=(5).to_bytes(16, "little"),
        destination="somewhere",
        sent_time_ns=time.time_ns(),
    )
    body = commands_pb2.Commands(commands=[commands_pb2.Command(request_withdrawal=asked)])
    return batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_UNARY,
        count=1,
        received_ns=time.time_ns(),
        correlation=1,
        commands=body.SerializeToString(),
    ).SerializeToString()


@contextlib.asynccontextmanager
async def linked(database: Database, channel: grpc.aio.Channel) -> AsyncIterator[None]:
    """Reader and sender for the whole test: they outlive every engine."""
    identity = Identity(SOURCE_ID, SHARD, secrets.token_hex(8))
    sender = Sender(
        database, identity, Primary((channel,)), SystemClock(), lambda: secrets.randbits(62) | 1
    )
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(Reader(database, SHARD, Primary((channel,))).run()),
            tasks.create_task(sender.run()),
        ]
        yield
        for task in running:
            task.cancel()


async def until(connection: asyncpg.Connection, query: str, expected: int) -> None:
    deadline = time.monotonic() + SECONDS
    while (found := await connection.fetchval(query)) != expected:
        assert time.monotonic() < deadline, f"{query}: {found}, not {expected}"
        await asyncio.sleep(0.05)


async def put_all(database: Database, kind: str) -> None:
    async with changing(database, "test") as connection:
        if kind == "start":
            await connection.execute("update custody.payout set state = 'approved'")
        for number in range(1, WITHDRAWALS + 1):
            await outbox.put(connection, kind, id_of(number), network_id=NETWORK_ID, shard=SHARD)


async def kill_and_restart(stack: Stack) -> None:
    stack.processes.kill(MATCHING)
    stack.start_matching()
    await asyncio.sleep(1.0)


async def test_each_command_is_done_once_however_often_matching_is_killed(tmp_path: Path) -> None:
    plan = StackPlan(tmp_path, gateway_count=1, helpers=False)
    async with Stack(replace(plan, engine=engines.sizes().engine)) as stack:
        plans = firms(1)
        await create_venue(stack, plans)
        settings = PostgresSettings(dsn=SecretStr(stack.dsn))
        await migrate(settings, MIGRATIONS)
        connection = await asyncpg.connect(stack.dsn)
        await connection.execute("set custody.actor = 'test'")
        await connection.execute("insert into custody.chain values ('x', 'y', $1, 'z')", NETWORK_ID)
        await connection.execute(
            "insert into custody.asset values ($1, $2, '', 'BTC', 8, 8, 0, 0)", NETWORK_ID, ASSET_ID
        )
        await connection.execute(
            "insert into custody.source values ($1, $2, $3)", SOURCE_ID, NETWORK_ID, SHARD
        )
        database = await postgres.connect(settings, application_name="link-test")
        async with (
            rpc_channel.open_channel(stack.matching_endpoint) as channel,
            linked(database, channel),
        ):
            await request_all(stack, plans[0].account_ids[0])
            await until(connection, "select count(*) from custody.payout", WITHDRAWALS)
            for kind in ("start", "settle"):
                await put_all(database, kind)
                for _ in range(KILLS):
                    await kill_and_restart(stack)
                answered = f"select count(*) from custody.outbox where kind = '{kind}'"
                await until(connection, f"{answered} and answer_reason = 0", WITHDRAWALS)
        stopped = await connection.fetchval("select withdrawals_stopped from custody.chain")
        started = await connection.fetchval(
            "select count(*) from custody.payout where state = 'started'"
        )
        assert (stopped, started) == (False, WITHDRAWALS)
        await database.close()
        await connection.close()
