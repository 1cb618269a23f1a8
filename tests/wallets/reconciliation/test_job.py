"""Book and chain at one cut, on real tables: what stops payouts, and what must not."""

import json

import asyncpg
import pytest

from tests.wallets.conftest import NETWORK_ID
from tests.wallets.reconciliation.conftest import (
    ASSET_ID,
    FINAL_DEPTH,
    KEYS,
    STRANGER,
    Custody,
    transaction,
)
from wallets.bitcoin import coins
from wallets.books import postings
from wallets.books.accounts import Account
from wallets.core import claims
from wallets.core.transactions import changing

FUNDING = transaction((KEYS["hot"], 1_000), number=1)
COIN = f"{FUNDING.txid()}:0"


async def funded(venue: Custody) -> None:
    """The hot wallet has a coin that is deep and on the book."""
    await venue.block(FUNDING)
    for _ in range(FINAL_DEPTH - 1):
        await venue.block()
    await venue.look()
    assert await book(venue) == {Account.HOT: 1_000, Account.UNCLAIMED: -1_000}


async def book(venue: Custody) -> dict[str, int]:
    balances = await postings.read_balances(venue.connection, NETWORK_ID)
    return {account: atoms for (_, account), atoms in balances.items() if atoms}


async def test_a_strangers_satoshi_stops_nobody_and_is_nobodys_once_it_is_deep(
    venue: Custody,
) -> None:
    await funded(venue)
    await venue.block(transaction((KEYS["hot"], 1), number=2))
    for _ in range(FINAL_DEPTH + 1):
        look = await venue.look()
        assert look.findings == ()
        await venue.block()
    assert await venue.stopped() == ""
    assert await book(venue) == {Account.HOT: 1_001, Account.UNCLAIMED: -1_001}
    booked = await venue.connection.fetchval(
        "select count(distinct transfer_id) from custody.posting where cause = 'found'"
    )
    assert booked == 2


async def test_a_thiefs_transaction_is_a_deficit_that_stops_payouts_and_names_itself(
    venue: Custody,
) -> None:
    await funded(venue)
    await venue.block(transaction((STRANGER, 400), (KEYS["hot"], 590), spends=(COIN,)))
    look = await venue.look()
    assert [(one.account, one.atoms) for one in look.stopping] == [("hot", -1_000)]
    assert await venue.stopped() == "BooksDeficit: deficit of 1000 in hot of asset 1"
    assert await claims.claim(venue.database, NETWORK_ID, "worker") is None
    row = await venue.connection.fetchrow(
        "select * from custody.reconciliation_run order by run_id desc limit 1"
    )
    assert row is not None
    assert row["height"] == venue.height
    assert json.loads(row["findings"]) == [
        {"side": "chain", "asset_id": ASSET_ID, "account": "hot", "atoms": "-1000"}
    ]


@pytest.mark.parametrize("state", ["signed", "broadcast", "mined"])
async def test_a_payout_in_a_block_before_it_is_settled_is_no_deficit(
    venue: Custody, state: str
) -> None:
    await funded(venue)
    payout = transaction((STRANGER, 400), (KEYS["hot"], 590), spends=(COIN,))
    cheaper = transaction((STRANGER, 400), (KEYS["hot"], 595), spends=(COIN,))
    await venue.attempt(payout, state)
    await venue.attempt(cheaper, "broadcast")
    assert (await venue.look()).findings == ()
    await venue.block(payout)
    assert (await venue.look()).findings == ()
    async with changing(venue.database, "test") as connection:
        await postings.post(
            connection, NETWORK_ID, "settle", b"w" * 16, postings.of_payout(ASSET_ID, 400, 0)
        )
        await postings.post(
            connection, NETWORK_ID, "settle", b"w" * 16, postings.of_network_fee(ASSET_ID, 10)
        )
        for before in ("signed", "broadcast", "mined"):
            after = {"signed": "broadcast", "broadcast": "mined", "mined": "final"}[before]
            await connection.execute(
                "update custody.attempt set state = $1 where txid = $2 and state = $3",
                after,
                payout.txid(),
                before,
            )
    assert (await venue.look()).findings == ()
    assert await venue.stopped() == ""


async def test_a_thief_that_spends_the_inputs_of_a_payout_is_still_a_deficit(
    venue: Custody,
) -> None:
    await funded(venue)
    payout = transaction((STRANGER, 400), (KEYS["hot"], 590), spends=(COIN,))
    await venue.attempt(payout, "broadcast")
    await venue.block(transaction((STRANGER, 990), spends=(COIN,)))
    assert [one.atoms for one in (await venue.look()).stopping] == [-1_000]


async def test_coins_that_move_to_cold_without_the_book_are_named_in_both_places(
    venue: Custody,
) -> None:
    await funded(venue)
    await venue.block(transaction((KEYS["cold"], 1_000), spends=(COIN,)))
    look = await venue.look()
    # Found in the cold place, so no surplus there; gone from the hot one.
    assert [(one.account, one.atoms) for one in look.findings] == [("hot", -1_000)]


async def test_a_surplus_stops_above_its_limit_only(venue: Custody) -> None:
    await funded(venue)
    async with changing(venue.database, "test") as connection:
        await postings.post(
            connection,
            NETWORK_ID,
            "test",
            b"x",
            postings.of_move(ASSET_ID, Account.HOT, Account.EQUITY, 5),
        )
    assert [one.atoms for one in (await venue.look()).findings] == [5]
    assert await venue.stopped() == ""
    await venue.look(surplus_max={ASSET_ID: 5})
    assert await venue.stopped() == ""
    await venue.look(surplus_max={ASSET_ID: 4})
    assert await venue.stopped() == "BooksDeficit: surplus of 5 in hot of asset 1"


async def test_looks_are_kept_and_cannot_be_changed(venue: Custody) -> None:
    await venue.look()
    await venue.look()
    assert await venue.connection.fetchval("select count(*) from custody.reconciliation_run") == 2
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await venue.connection.execute("delete from custody.reconciliation_run")


async def test_a_deposit_is_no_difference_before_its_credit_nor_when_its_block_is_gone(
    venue: Custody,
) -> None:
    paid = transaction((KEYS["deposit"], 700), number=3)
    await venue.block(paid)
    await venue.connection.execute(
        "insert into custody.deposit (deposit_id, network_id, txid, index, key, account_id, "
        "asset_id, contract, amount_atoms, engine_atoms, state, block_hash, block_height) "
        "values ($1, $2, $3, 0, $4, 5, $5, '', 700, 700, 'confirming', 'block-1', 1)",
        b"d" * 16,
        NETWORK_ID,
        paid.txid(),
        KEYS["deposit"],
        ASSET_ID,
    )
    assert (await venue.look()).findings == ()
    async with changing(venue.database, "test") as connection:
        await connection.execute("update custody.deposit set state = 'credited', credit_count = 1")
        entries = postings.of_credit(ASSET_ID, 700, 0)
        await postings.post(connection, NETWORK_ID, "credit", b"d" * 16, entries)
    assert (await venue.look()).findings == ()
    async with changing(venue.database, "test") as connection:
        await coins.undo_block(connection, NETWORK_ID, "block-1")
        await connection.execute(
            "update custody.deposit set state = 'orphaned', block_hash = null, block_height = null"
        )
    assert (await venue.look()).findings == ()
