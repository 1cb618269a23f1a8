"""A worker's scan: what keeps it from going on is named, and it goes on by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from runtime import postgres
from runtime.clock import SystemClock
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.matching.shard import until
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.deposits.memory_blocks import MemoryBlocks
from wallets.deposits import limits
from wallets.deposits.scanner import Hooks, Scanner
from wallets.link import lease
from wallets.worker.chains import no_block, no_undo
from wallets.worker.scanning import NODE_UNREACHABLE, Scanning, lease_of

FOR_EVER = 10_000_000_000


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    del custody
    opened = await postgres.connect(postgres_settings, application_name="test")
    yield opened
    await opened.close()


@asynccontextmanager
async def scanning(database: Database, chain: MemoryBlocks, owner: str) -> AsyncIterator[Scanning]:
    scanner = Scanner(database, chain, Hooks(no_block, no_undo), NETWORK_ID, 0, FOR_EVER)
    found = Scanning(database, chain, scanner, SystemClock())
    task = asyncio.create_task(lease.while_held(database, lease_of(NETWORK_ID), owner, found.run))
    yield found
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})


async def says(connection: Connection, query: str, expected: object) -> bool:
    return bool(await connection.fetchval(query) == expected)


def asks(connection: Connection, query: str, expected: object) -> Callable[[], Awaitable[bool]]:
    return partial(says, connection, query, expected)


CONDITION = "select scan_condition from custody.chain"
HEIGHT = "select max(height) from custody.block"


async def test_nodes_of_another_chain_are_named_and_nothing_is_scanned_until_they_are_ours(
    database: Database, custody: Connection
) -> None:
    chain = MemoryBlocks(is_foreign=True)
    chain.mine()
    async with scanning(database, chain, "one"):
        await until(asks(custody, CONDITION, "ChainMismatch"))
        assert await custody.fetchval(HEIGHT) is None
        chain.is_foreign = False
        await until(asks(custody, HEIGHT, 0))
        await until(asks(custody, CONDITION, ""))


async def test_a_fork_that_is_too_deep_stops_the_networks_payouts(
    database: Database, custody: Connection
) -> None:
    chain = MemoryBlocks()
    for _ in range(limits.REORGANISATION_DEPTH_MAX + 3):
        chain.mine()
    async with scanning(database, chain, "one"):
        await until(asks(custody, HEIGHT, len(chain.blocks) - 1))
        forked = MemoryBlocks(chain.blocks[:1], made=10_000)
        while len(forked.blocks) <= len(chain.blocks):
            forked.mine()
        chain.blocks = forked.blocks
        await until(asks(custody, CONDITION, "ReorgTooDeep"))
        await until(asks(custody, "select withdrawals_stopped from custody.chain", True))
    reason = await custody.fetchval("select stopped_reason from custody.chain")
    assert reason.startswith("ReorgTooDeep")


async def test_the_next_holder_of_the_lease_goes_on_and_the_first_writes_nothing_more(
    database: Database, custody: Connection
) -> None:
    chain = MemoryBlocks()
    chain.mine()
    async with scanning(database, chain, "one"):
        await until(asks(custody, HEIGHT, 0))
        await lease.hand_over(database, lease_of(NETWORK_ID), "one")
        token = await lease.hold(database, lease_of(NETWORK_ID), "two", 600.0)
        assert token is not None
        chain.mine()
    assert await custody.fetchval(HEIGHT) == 0
    await lease.hand_over(database, lease_of(NETWORK_ID), "two")
    async with scanning(database, chain, "three"):
        await until(asks(custody, HEIGHT, 1))


async def test_nodes_that_do_not_answer_are_told_and_forgotten_when_they_do(
    database: Database, custody: Connection
) -> None:
    chain = MemoryBlocks(is_down=True)
    chain.mine()
    async with scanning(database, chain, "one") as found:

        async def told(expected: str) -> bool:
            return found.is_scanning and found.condition == expected

        await until(partial(told, NODE_UNREACHABLE))
        assert "down" in found.detail
        # An outage is nobody's state: rows stay as they were.
        assert await says(custody, CONDITION, "")
        chain.is_down, chain.is_foreign = False, True
        await until(partial(told, "ChainMismatch"))
        chain.is_foreign = False
        await until(partial(told, ""))
    assert not found.is_scanning
