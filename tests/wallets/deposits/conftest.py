"""A network in memory with two addresses, its scanner and the engine that it credits to."""

from collections.abc import AsyncIterator

import pytest

from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.deposits.memory_blocks import (
    ACCOUNT,
    AHEAD,
    OURS,
    SHARD,
    SOURCE_ID,
    MemoryBlocks,
    MemoryCredits,
    Scan,
)
from wallets.bitcoin import coins
from wallets.contract import Held
from wallets.deposits.scanner import Hooks, Scanner
from wallets.link.lease import hold


@pytest.fixture
async def scan(custody: Connection, postgres_settings: PostgresSettings) -> AsyncIterator[Scan]:
    """Nothing scanned yet; without tiers nothing is credited."""
    await custody.execute(
        "insert into custody.asset values ($1, 1, '', 'MEM', 8, 8, 100, 0)", NETWORK_ID
    )
    await custody.execute(
        "insert into custody.source values ($1, $2, $3)", SOURCE_ID, NETWORK_ID, SHARD
    )
    await custody.execute(
        "insert into custody.key_branch values ($1, 'deposit', 1, 'x', 'x', 0)", NETWORK_ID
    )
    for index, (key, account_id) in enumerate(((OURS, ACCOUNT), (AHEAD, 0))):
        await custody.execute(
            "insert into custody.address values ($1, $2, '', 'deposit', 1, $3, $4)",
            NETWORK_ID,
            key,
            index,
            account_id,
        )
    database: Database = await postgres.connect(postgres_settings, application_name="test")
    token = await hold(database, "scan", "me", 600.0)
    assert token is not None
    chain = MemoryBlocks()
    chain.mine()
    hooks = Hooks(coins.apply_block, coins.undo_block)
    scanner = Scanner(database, chain, hooks, NETWORK_ID, 0, 60)
    yield Scan(database, scanner, chain, Held("scan", token), custody)
    await database.close()


@pytest.fixture
async def engine(scan: Scan) -> MemoryCredits:
    """Nothing credited yet."""
    return MemoryCredits(scan.database, scan.connection)
