"""The log is told in pages, one network's entries alone, with the withdrawals that they pay."""

from collections.abc import AsyncIterator

import pytest

from runtime import postgres
from runtime.migrations import migrate
from runtime.postgres import Database
from runtime.settings import PostgresSettings
from wallets.contract import TransactionId
from wallets.signer import log
from wallets.signer.log import Listed

NETWORK_ID, OTHER = 2, 3


@pytest.fixture
async def database(postgres_settings: PostgresSettings) -> AsyncIterator[Database]:
    await migrate(postgres_settings, log.MIGRATIONS)
    opened = await postgres.connect(postgres_settings, application_name="test")
    yield opened
    await opened.close()


async def add(database: Database, number: int, network_id: int, *withdrawals: bytes) -> Listed:
    intent_id, txid = number.to_bytes(16, "big"), f"t{number}"
    await database.write(
        "insert into signer.entry values ($1, $2, $3, $4, $5, '{}', 'raw', 1)",
        number,
        intent_id,
        intent_id * 2,
        network_id,
        txid,
    )
    for one in withdrawals:
        await database.write(
            "insert into signer.payment values ($1, $2, 'somewhere', '', 5)", number, one
        )
    return Listed(number, intent_id, TransactionId(txid), withdrawals)


async def test_pages_go_on_after_a_number_and_leave_out_other_networks(database: Database) -> None:
    first = await add(database, 1, NETWORK_ID, b"a" * 16, b"b" * 16)
    await add(database, 2, OTHER, b"c" * 16)
    # Of an internal transfer.
    third = await add(database, 3, NETWORK_ID)
    assert await log.entries(database, NETWORK_ID, 0, 1) == [first]
    assert await log.entries(database, NETWORK_ID, 1, 10) == [third]
    assert await log.entries(database, NETWORK_ID, 3, 10) == []
