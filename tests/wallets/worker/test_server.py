"""A worker beside a real engine: what it takes from the journal, what it tells, how it ends."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from cambist.internal.wallets.v1 import wallets_pb2, wallets_pb2_grpc
from cambist.orders.v1 import commands_pb2
from runtime import postgres, rpc_channel
from runtime.errors import ConfigurationError
from runtime.postgres import Connection
from runtime.settings import PostgresSettings
from tests.matching.shard import (
    ACCOUNT,
    BASE,
    SHARD,
    Shard,
    now_ns,
    running,
    unary_envelope,
    until,
)
from tests.matching.shard import settings as matching_settings
from wallets.bitcoin.networks import REGTEST
from wallets.contract import Held
from wallets.core.fences import is_held
from wallets.link import lease
from wallets.settings import WalletSettings
from wallets.worker import server
from wallets.worker.server import Ports

NETWORK_ID = 1
SECONDS = 20.0
FEES = {
    "floor_rate": 1_000,
    "fallback_rate": 2_000,
    "ceiling_rate": 100_000,
    "long_term_rate": 5_000,
    "target_blocks": 6,
}
CHAIN = {
    # Nothing listens there.
    "nodes": [{"name": "a", "url": "http://127.0.0.1:9", "user": "u", "password": "planted"}],
    "agreeing": 1,
    "settings": {
        "fees": FEES,
        "change": {"branch": "change", "index": 0},
        "deposit_depth": 1,
        "final_depth": 6,
    },
}


@pytest.fixture
async def registered(custody: Connection) -> Connection:
    await custody.execute("update custody.chain set genesis_hash = $1", REGTEST.genesis_hash)
    await custody.execute(
        "insert into custody.asset values ($1, $2, '', 'BTC', 6, 6, 0, 0)", NETWORK_ID, BASE
    )
    await custody.execute("insert into custody.source values (7, $1, $2)", NETWORK_ID, SHARD)
    return custody


def settings_of(
    postgres: PostgresSettings, directory: Path, engine: str, content: object = None, **changes: Any
) -> WalletSettings:
    path = directory / "chain.json"
    path.write_text(json.dumps(CHAIN if content is None else content), encoding="utf-8")
    given: dict[str, Any] = {
        "chain": "bitcoin",
        "network": "regtest",
        "chain_file": str(path),
        "listen_address": "127.0.0.1:0",
        "health_address": "127.0.0.1:0",
        "engines": f"{SHARD}={engine}",
        "postgres": postgres,
        **changes,
    }
    return WalletSettings(**given)


@asynccontextmanager
async def working(chosen: WalletSettings) -> AsyncIterator[Ports]:
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.serve(chosen, stop, ready.set_result))
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    yield ready.result()
    stop.set()
    await asyncio.wait_for(task, SECONDS)


async def request(shard: Shard) -> None:
    asked = commands_pb2.RequestWithdrawal(
        request_id=secrets.token_bytes(16),
        account_id=ACCOUNT,
        asset_id=BASE,
        network_id=NETWORK_ID,
        amount_atoms=(500).to_bytes(16, "little"),
        fee_atoms=(5).to_bytes(16, "little"),
        destination="bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
        sent_time_ns=now_ns(),
    )
    link = await shard.link()
    await link.send(unary_envelope(commands_pb2.Command(request_withdrawal=asked)))


async def test_it_takes_requests_tells_signals_drains_and_hands_its_leases_over(
    registered: Connection, postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    async def is_taken() -> bool:
        return bool(await registered.fetchval("select count(*) = 1 from custody.payout"))

    async with running(matching_settings(postgres_settings)) as shard:
        await shard.create_market()
        chosen = settings_of(postgres_settings, tmp_path, f"127.0.0.1:{shard.ports.port}")
        async with (
            working(chosen) as ports,
            rpc_channel.open_channel(f"127.0.0.1:{ports.port}") as channel,
        ):
            stub = wallets_pb2_grpc.WalletWorkerServiceStub(channel)
            await request(shard)
            await until(is_taken)
            drained = await stub.Drain(wallets_pb2.DrainRequest(timeout_ms=10_000))
            assert drained.in_flight_count == 0
            await registered.execute(
                "update custody.payout set not_before = '-infinity', claim_expires_at = '-infinity'"
            )
            signals = stub.StreamSignals(wallets_pb2.StreamSignalsRequest())
            first = await signals.read()
            assert isinstance(first, wallets_pb2.StreamSignalsResponse)
            assert (first.claimable_count, first.draining) == (1, True)
            await stub.Undrain(wallets_pb2.UndrainRequest())
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Act(wallets_pb2.ActRequest())
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub.Drain(wallets_pb2.DrainRequest())
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    rows = await registered.fetch(
        "select name, expires_at < clock_timestamp() as over from custody.lease order by name"
    )
    assert [(row["name"], row["over"]) for row in rows] == [
        ("audit", True),
        (f"pool/{NETWORK_ID}", True),
        (f"reader/{SHARD}", True),
        (f"reconciliation/{NETWORK_ID}", True),
        ("sender/7", True),
        (f"treasury/{NETWORK_ID}", True),
    ]


async def test_a_frozen_worker_and_its_successor_share_an_instance_and_no_token(
    registered: Connection, postgres_settings: PostgresSettings
) -> None:
    frozen, successor = server.name_owner("pod-1"), server.name_owner("pod-1")
    database = await postgres.connect(postgres_settings, application_name="test")
    try:
        first = await lease.hold(database, "scanner/1", frozen, 60.0)
        assert first is not None
        assert await lease.hold(database, "scanner/1", successor, 60.0) is None
        await registered.execute("update custody.lease set expires_at = '-infinity'")
        second = await lease.hold(database, "scanner/1", successor, 60.0)
        assert second == first + 1
        # Awake again, it neither renews nor hands over, and what it writes is fenced.
        assert await lease.hold(database, "scanner/1", frozen, 60.0) is None
        await lease.hand_over(database, "scanner/1", frozen)
        async with database.transaction() as connection:
            assert not await is_held(connection, Held("scanner/1", first))
            assert await is_held(connection, Held("scanner/1", second))
    finally:
        await database.close()


@pytest.mark.parametrize("column", ["screens_deposits", "screens_withdrawals"])
async def test_a_network_that_screens_is_not_served_without_somebody_who_answers(
    registered: Connection, postgres_settings: PostgresSettings, tmp_path: Path, column: str
) -> None:
    await registered.execute(f"update custody.chain set {column} = true")
    chosen = settings_of(postgres_settings, tmp_path, "127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="screening is missing"):
        await server.serve(chosen, asyncio.Event())
    for content in ({"url": "http://10.0.0.1/planted"}, "accept all"):
        chosen = settings_of(
            postgres_settings, tmp_path, "127.0.0.1:9", {**CHAIN, "screening": content}
        )
        with pytest.raises(ConfigurationError, match="screening") as caught:
            await server.serve(chosen, asyncio.Event())
        assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "content", "named"),
    [
        ({"network": "main"}, None, "not registered"),
        ({"engines": ""}, None, "names no engine"),
        ({"engines": "2=127.0.0.1:9"}, None, "lacks shards"),
        ({}, {}, "without"),
        ({}, {**CHAIN, "agreeing": 2}, "cannot agree"),
        ({}, {**CHAIN, "settings": {"fees": FEES}}, "change: missing"),
    ],
)
async def test_a_wrong_setting_is_named_and_no_password_is_told(
    registered: Connection,
    postgres_settings: PostgresSettings,
    tmp_path: Path,
    changes: dict[str, Any],
    content: object,
    named: str,
) -> None:
    del registered
    chosen = settings_of(postgres_settings, tmp_path, "127.0.0.1:9", content, **changes)
    with pytest.raises(ConfigurationError, match=named) as caught:
        await server.serve(chosen, asyncio.Event())
    assert "planted" not in str(caught.value)
