"""Coins in Postgres: booked once, undone by block, spendable at their depth, never another's."""

from collections.abc import AsyncIterator

import pytest

from runtime.postgres import Connection, Database, connect
from runtime.settings import PostgresSettings
from wallets.bitcoin.coins import apply_block, first_spent, named, spendable, undo_block
from wallets.contract import Block, BlockRef, Movement, TransactionId

# Of the fixture `custody`.
NETWORK_ID = 1

HOT, DEPOSIT, STRANGER = b"\x00\x14" + b"h" * 20, b"\x00\x14" + b"d" * 20, b"\x00\x14" + b"s" * 20


@pytest.fixture
async def database(
    custody: Connection, postgres_settings: PostgresSettings
) -> AsyncIterator[Database]:
    for branch, account_id, key in (("hot", 0, HOT), ("deposit", 5, DEPOSIT)):
        await custody.execute(
            "insert into custody.key_branch values ($1, $2, 1, 'p2wpkh', 'x', 0)",
            NETWORK_ID,
            branch,
        )
        await custody.execute(
            "insert into custody.address (network_id, key, text, branch, generation, path_index,"
            " account_id) values ($1, $2, '', $3, 1, 9, $4)",
            NETWORK_ID,
            key,
            branch,
            account_id,
        )
    opened = await connect(postgres_settings, application_name="coins")
    yield opened
    await opened.close()


def block_of(
    height: int, *paid: tuple[bytes, int], spent: tuple[str, ...] = (), is_coinbase: bool = False
) -> Block:
    moves = tuple(
        Movement(TransactionId(f"{height:064x}"), index, b"", key, amount, is_coinbase, b"")
        for index, (key, amount) in enumerate(paid)
    )
    ref = BlockRef(height, f"block-{height}")
    return Block(ref, f"block-{height - 1}", 0, b"", moves, spent)


async def free_at(database: Database, tip_height: int, *owned: str) -> list[tuple[str, int]]:
    found = await spendable(
        database, NETWORK_ID, tip_height=tip_height, deposit_depth=6, owned=owned, coins_max=10
    )
    return [(coin.branch, coin.amount_atoms) for coin in found]


async def test_coins_are_booked_once_and_by_script_only(database: Database) -> None:
    block = block_of(100, (HOT, 70), (STRANGER, 80), (b"", 90))
    for _ in range(2):
        async with database.transaction() as connection:
            await apply_block(connection, NETWORK_ID, block)
    assert await free_at(database, 100) == [("hot", 70)]
    assert await free_at(database, 100, f"{100:064x}:0") == []
    assert [coin.path_index for coin in await named(database, NETWORK_ID, [f"{100:064x}:0"])] == [9]


async def test_deposits_and_mined_coins_wait_for_their_depth(database: Database) -> None:
    async with database.transaction() as connection:
        await apply_block(connection, NETWORK_ID, block_of(100, (DEPOSIT, 50)))
        await apply_block(connection, NETWORK_ID, block_of(101, (HOT, 60), is_coinbase=True))
        # Never shortened by whose key it is.
        await apply_block(connection, NETWORK_ID, block_of(102, (DEPOSIT, 40), is_coinbase=True))
    assert await free_at(database, 104) == []
    assert await free_at(database, 105) == [("deposit", 50)]
    assert await free_at(database, 199) == [("deposit", 50)]
    assert await free_at(database, 200) == [("hot", 60), ("deposit", 50)]
    assert len(await free_at(database, 201)) == 3


async def test_a_reorganisation_takes_coins_back_and_frees_what_was_spent(
    database: Database,
) -> None:
    coin = f"{100:064x}:0"
    async with database.transaction() as connection:
        await apply_block(connection, NETWORK_ID, block_of(100, (HOT, 70)))
        await apply_block(connection, NETWORK_ID, block_of(101, (HOT, 30), spent=(coin,)))
    assert await free_at(database, 101) == [("hot", 30)]
    assert await named(database, NETWORK_ID, [coin]) == []
    found = await first_spent(database, NETWORK_ID, [coin, "other:1"], 101)
    assert found is not None
    assert (found.height, found.block_hash, found.outpoint) == (101, "block-101", coin)
    assert await first_spent(database, NETWORK_ID, [coin], 100) is None
    async with database.transaction() as connection:
        await undo_block(connection, NETWORK_ID, "block-101")
    assert await free_at(database, 100) == [("hot", 70)]
    assert await first_spent(database, NETWORK_ID, [coin], 101) is None
