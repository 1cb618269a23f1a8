"""What a real engine owes, at the sequence that custody has read, beside custody's book."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc.aio
import pytest

from runtime import rpc_channel
from runtime.clock import SystemClock
from runtime.errors import Unavailable
from runtime.postgres import Connection, Database, connect
from runtime.settings import PostgresSettings
from tests.matching.rpc.test_snapshots import store_snapshot
from tests.matching.shard import ACCOUNT, BASE, SHARD, Shard, adjustment, running, settings, until
from tests.wallets.conftest import NETWORK_ID
from wallets.books import postings
from wallets.core import inbox, outbox
from wallets.core.outbox import CREDIT, Credited
from wallets.core.transactions import changing
from wallets.engines import Primary
from wallets.link.reader import Reader
from wallets.link.sender import Identity, Sender
from wallets.reconciliation.engine import Engine
from wallets.reconciliation.job import Reconciliation, Rules
from wallets.reserves.liabilities import read_liabilities

RICH = 2 * 10**15
DEPOSIT_ID = b"d" * 16


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    await custody.execute(
        "insert into custody.asset values ($1, $2, '', 'BTC', 8, 6, 0, 0)", NETWORK_ID, BASE
    )
    await custody.execute("insert into custody.source values (7, $1, $2)", NETWORK_ID, SHARD)
    opened = await connect(postgres_settings, application_name="reconciliation")
    yield opened
    await opened.close()


@asynccontextmanager
async def linked(
    database: Database, channel: grpc.aio.Channel, *, sends: bool = True
) -> AsyncIterator[None]:
    reader = Reader(database, SHARD, Primary((channel,)))
    identity = Identity(7, SHARD, secrets.token_hex(8))
    sender = Sender(
        database, identity, Primary((channel,)), SystemClock(), lambda: secrets.randbits(62) | 1
    )
    tasks = [asyncio.create_task(reader.run())]
    if sends:
        tasks.append(asyncio.create_task(sender.run()))
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until_read(database: Database, shard: Shard) -> None:
    """Custody has read all that the engine has released."""
    released = int((await shard.status()).released_seq)

    async def is_read() -> bool:
        return await inbox.read_cursor(database, SHARD) >= released

    await until(is_read)


async def credit(database: Database, engine_atoms: int) -> None:
    """A deposit's credit, as crediting books and sends it; the chain has two decimals more."""
    async with changing(database, "test") as connection:
        await connection.execute(
            "insert into custody.deposit (deposit_id, network_id, txid, index, key, account_id, "
            "asset_id, contract, amount_atoms, engine_atoms, remainder_atoms, state, credit_count)"
            " values ($1, $2, 'x', 0, '', $3, $4, '', $5, $6, 7, 'credited', 1)",
            DEPOSIT_ID,
            NETWORK_ID,
            ACCOUNT,
            BASE,
            engine_atoms * 100 + 7,
            engine_atoms,
        )
        deposit = Credited(DEPOSIT_ID, ACCOUNT, BASE, engine_atoms)
        await outbox.put_deposit(connection, CREDIT, deposit, network_id=NETWORK_ID, shard=SHARD)
        entries = postings.of_credit(BASE, engine_atoms * 100 + 7, 7)
        await postings.post(connection, NETWORK_ID, CREDIT, DEPOSIT_ID, entries)


async def test_the_engine_owes_what_the_book_says_and_more_is_a_deficit(
    database: Database, custody: Connection, postgres_settings: PostgresSettings
) -> None:
    async with running(settings(postgres_settings)) as shard:
        await shard.create_market()
        async with rpc_channel.open_channel(f"127.0.0.1:{shard.ports.port}") as channel:
            engine = Engine(SHARD, Primary((channel,)))
            job = Reconciliation(database, NETWORK_ID, None, (engine,), Rules(3))
            async with linked(database, channel, sends=False):
                await until_read(database, shard)
                # Test money that no chain ever had is what the books open with.
                first = await job.look()
                assert [one.opening_atoms for one in first.cut.owed] == [None]
                assert [one.engine_atoms for one in first.cut.owed] == [RICH]
                assert first.findings == ()
                await credit(database, 50)
                pending = await job.look()
                assert [one.pending_atoms for one in pending.cut.owed] == [50]
                assert pending.findings == ()
            async with linked(database, channel):
                answered = "select count(*) = 1 from custody.outbox where answer_reason = 0"

                async def is_answered() -> bool:
                    return bool(await custody.fetchval(answered))

                await until(is_answered)
                done = await job.look()
                assert [one.engine_atoms for one in done.cut.owed] == [RICH + 50]
                assert done.findings == ()
                await shard.admin.Adjust(adjustment(ACCOUNT, BASE, 3, number=9))
                await until_read(database, shard)
                bad = await job.look()
            assert [(one.side, one.atoms) for one in bad.stopping] == [("engine", -3)]
            reason = await custody.fetchval("select stopped_reason from custody.chain")
            assert reason == f"BooksDeficit: deficit of 3 in customers of asset {BASE}"
            # One that starts from a snapshot says the same as one that read all rows.
            await store_snapshot(postgres_settings)
            async with linked(database, channel, sends=False):
                await until_read(database, shard)
            seq = await inbox.read_cursor(database, SHARD)
            from_rows = await engine.read(seq)
            from_snapshot = await Engine(SHARD, Primary((channel,))).read(seq)
            assert from_rows == from_snapshot
            assert from_rows is not None
            assert from_rows.atoms[BASE] == RICH + 53
            # A process that does not answer is passed over within the look.
            async with rpc_channel.open_channel("127.0.0.1:1") as nobody:
                both = Engine(SHARD, Primary((nobody, channel)))
                assert await both.read(seq) == from_rows
                with pytest.raises(Unavailable, match=r"\['UNAVAILABLE'\]"):
                    await Engine(SHARD, Primary((nobody,))).read(seq)
            owed = await read_liabilities(SHARD, Primary((channel,)), BASE)
            assert sum(owed.balances.values()) == RICH + 53


async def test_money_of_a_sandbox_is_named_and_stops_nobody(
    database: Database, custody: Connection, postgres_settings: PostgresSettings
) -> None:
    async with running(settings(postgres_settings)) as shard:
        await shard.create_market()
        async with rpc_channel.open_channel(f"127.0.0.1:{shard.ports.port}") as channel:
            engines = (Engine(SHARD, Primary((channel,))),)
            job = Reconciliation(database, NETWORK_ID, None, engines, Rules(3, engine_stops=False))
            async with linked(database, channel, sends=False):
                await until_read(database, shard)
                await job.look()
                await shard.admin.Adjust(adjustment(ACCOUNT, BASE, 3, number=9))
                await until_read(database, shard)
                look = await job.look()
            assert [one.atoms for one in look.findings] == [-3]
            assert look.stopping == ()
    assert not await custody.fetchval("select withdrawals_stopped from custody.chain")
