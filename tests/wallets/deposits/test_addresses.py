"""Deposit addresses on real Postgres, derived by a plain rule."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from runtime import postgres
from runtime.postgres import Connection, Database
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from wallets.contract import Destination
from wallets.deposits import limits
from wallets.deposits.addresses import BRANCH, look_ahead, reserve
from wallets.errors import Broken, Rejected

ALICE = 4096
BOB = 8192


class PlainBranch:
    """Derives by writing key and place down."""

    def create_wallet(self, extended_public_key: str, index: int) -> Destination:
        text = f"{extended_public_key}/{index}"
        return Destination(text, text.encode())


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    await add_branch(custody, 1)
    database = await postgres.connect(postgres_settings, application_name="test")
    yield database
    await database.close()


async def add_branch(custody: Connection, generation: int) -> None:
    await custody.execute(
        "insert into custody.key_branch values ($1, $2, $3, 'plain', $4, 0)",
        NETWORK_ID,
        BRANCH,
        generation,
        f"public{generation}",
    )


async def ask(database: Database, account_id: int, request_id: bytes) -> str:
    address = await reserve(database, PlainBranch(), NETWORK_ID, account_id, request_id)
    assert address.key == address.text.encode()
    return address.text


async def test_every_branch_is_derived_ahead_before_a_scan_and_again_changes_nothing(
    database: Database, custody: Connection
) -> None:
    await custody.execute(
        "insert into custody.key_branch values ($1, 'hot', 1, 'plain', 'h', 0)", NETWORK_ID
    )
    for _ in range(2):
        await look_ahead(database, PlainBranch(), NETWORK_ID)
        rows = await custody.fetch(
            "select branch, count(*) as number from custody.address group by branch order by branch"
        )
        places = limits.LOOK_AHEAD + 1
        assert [tuple(row) for row in rows] == [(BRANCH, places), ("hot", places)]


async def test_an_address_remembers_the_shard_that_its_account_was_on(
    database: Database, custody: Connection
) -> None:
    await reserve(database, PlainBranch(), NETWORK_ID, ALICE, b"one", 3)
    assert await custody.fetchval("select shard from custody.address where account_id > 0") == 3


async def test_a_request_gets_one_address_and_another_request_the_next(database: Database) -> None:
    first = await ask(database, ALICE, b"one")
    assert first == "public1/0"
    assert await ask(database, ALICE, b"one") == first
    assert await ask(database, ALICE, b"two") == "public1/1"
    assert await ask(database, BOB, b"one") == "public1/2"


async def test_requests_at_once_never_share_an_address_unless_they_are_the_same(
    database: Database,
) -> None:
    texts = await asyncio.gather(
        *(ask(database, account, name) for account in (ALICE, BOB) for name in (b"a", b"a", b"b"))
    )
    assert texts[0] == texts[1]
    assert texts[3] == texts[4]
    assert len(set(texts)) == 4


async def test_places_ahead_are_known_before_they_are_given_out(
    database: Database, custody: Connection
) -> None:
    for name in (b"one", b"two"):
        await ask(database, ALICE, name)
    rows = await custody.fetch("select path_index, account_id from custody.address order by 1")
    assert [row["path_index"] for row in rows] == list(range(limits.LOOK_AHEAD + 2))
    assert [row["account_id"] for row in rows[:3]] == [ALICE, ALICE, 0]


async def test_a_new_generation_is_used_from_its_start_and_old_addresses_stay(
    database: Database, custody: Connection
) -> None:
    old = await ask(database, ALICE, b"one")
    await add_branch(custody, 2)
    await custody.execute("update custody.key_branch set retired = true where generation = 1")
    assert await ask(database, ALICE, b"two") == "public2/0"
    assert await ask(database, ALICE, b"one") == old


async def test_an_account_that_uses_none_of_its_addresses_gets_no_more(
    database: Database, custody: Connection
) -> None:
    for number in range(limits.UNUSED_ADDRESSES_MAX):
        await ask(database, ALICE, number.to_bytes(2, "big"))
    with pytest.raises(Rejected, match="TOO_MANY_UNUSED_ADDRESSES"):
        await ask(database, ALICE, b"more")
    assert await ask(database, BOB, b"one") == f"public1/{limits.UNUSED_ADDRESSES_MAX}"
    await custody.execute(
        "insert into custody.deposit (deposit_id, network_id, txid, index, key, account_id, "
        "asset_id, contract, amount_atoms, engine_atoms, state) "
        "values ($1, $2, 'txid', 0, 'public1/0', $3, 1, '', 5, 5, 'seen')",
        bytes(16),
        NETWORK_ID,
        ALICE,
    )
    await ask(database, ALICE, b"more")


@pytest.mark.parametrize(("account_id", "request_id"), [(0, b"one"), (ALICE, b"")])
async def test_a_request_without_account_or_id_gets_nothing(
    database: Database, account_id: int, request_id: bytes
) -> None:
    with pytest.raises(Rejected, match="INVALID_REQUEST"):
        await ask(database, account_id, request_id)


async def test_without_a_live_branch_nothing_is_given_out(
    database: Database, custody: Connection
) -> None:
    await custody.execute("update custody.key_branch set retired = true")
    with pytest.raises(Broken, match="no live branch"):
        await ask(database, ALICE, b"one")
