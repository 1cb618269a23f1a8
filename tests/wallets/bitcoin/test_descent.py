"""Which of our transactions one stands and falls with."""

from collections.abc import AsyncIterator

import pytest

from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from wallets.bitcoin.descent import LINE_MAX, read_line
from wallets.bitcoin.wire import Input, Output, Transaction
from wallets.contract import TransactionId

ROOT = TransactionId("ab" * 32)


def spends(*parents: TransactionId) -> Transaction:
    inputs = tuple(Input(one, 0, b"", 0xFFFFFFFD) for one in parents)
    return Transaction(2, inputs, (Output(1_000, b"\x51"),), 0)


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    opened = await postgres.connect(postgres_settings, application_name="test")
    yield opened
    await opened.close()


async def store(connection: Connection, one: Transaction, *states: str) -> None:
    attempt_id = await connection.fetchval(
        "insert into custody.attempt (network_id, kind, state, txid, raw, fee_atoms_max) "
        "values ($1, 'payout', 'signed', $2, $3, 1) returning attempt_id",
        NETWORK_ID,
        one.txid(),
        one.serialise(),
    )
    for state in states:
        await connection.execute(
            "update custody.attempt set state = $2 where attempt_id = $1", attempt_id, state
        )


async def line(database: Database, one: Transaction) -> list[TransactionId]:
    return [found.txid() for found in await read_line(database, NETWORK_ID, one.serialise())]


async def test_a_line_is_of_ours_that_may_die_nearest_first(
    database: Database, custody: Connection
) -> None:
    final, parent = spends(ROOT), spends(TransactionId("cd" * 32))
    await store(custody, final, "broadcast", "mined", "final")
    await store(custody, parent, "broadcast", "dead")
    child = spends(parent.txid(), final.txid())
    await store(custody, child)
    grandchild = spends(child.txid())
    expected = [grandchild.txid(), child.txid(), parent.txid()]
    assert await line(database, grandchild) == expected


async def test_a_line_ends_where_nodes_keep_no_longer_one(
    database: Database, custody: Connection
) -> None:
    last = spends(ROOT)
    for _ in range(LINE_MAX + 5):
        await store(custody, last)
        last = spends(last.txid())
    assert len(await line(database, last)) == LINE_MAX
