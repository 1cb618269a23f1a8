"""A network with a hot, a cold and a deposit address, and a scan without a node."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from runtime.postgres import Connection, Database, connect
from runtime.settings import PostgresSettings
from tests.wallets.conftest import NETWORK_ID
from wallets.bitcoin import coins
from wallets.bitcoin.holdings import count_coins
from wallets.bitcoin.wire import Input, Output, Transaction
from wallets.contract import Block, BlockRef, Movement, TransactionId
from wallets.reconciliation.job import Look, Reconciliation, Rules

ASSET_ID = 1
KEYS = {name: b"\x00\x14" + name.encode().ljust(20) for name in ("hot", "cold", "deposit")}
STRANGER = b"\x00\x14" + b"s" * 20
FINAL_DEPTH = 3


@dataclass
class Custody:
    """Blocks that are made by hand, and the look that is under test."""

    database: Database
    connection: Connection
    height: int = 0

    async def block(self, *transactions: Transaction) -> None:
        """Applies a block of these to the coins and the watermark."""
        self.height += 1
        moves = [
            Movement(
                TransactionId(one.txid()), place, b"", out.script, out.amount_atoms, False, b""
            )
            for one in transactions
            for place, out in enumerate(one.outputs)
        ]
        spent = tuple(each.outpoint for one in transactions for each in one.inputs)
        ref = BlockRef(self.height, f"block-{self.height}")
        block = Block(ref, f"block-{self.height - 1}", 0, b"", tuple(moves), spent)
        async with self.database.transaction() as connection:
            await connection.execute(
                "insert into custody.block values ($1, $2, $3, '', 0, '')",
                NETWORK_ID,
                self.height,
                ref.block_hash,
            )
            await coins.apply_block(connection, NETWORK_ID, block)

    async def attempt(self, transaction: Transaction, state: str) -> None:
        """A transaction of ours, as the pipeline has it."""
        await self.connection.execute(
            "insert into custody.attempt (network_id, kind, state, txid, raw, fee_atoms_max) "
            "values ($1, 'payout', $2, $3, $4, 0)",
            NETWORK_ID,
            state,
            transaction.txid(),
            transaction.serialise(),
        )

    async def look(self, **rules: object) -> Look:
        made = Rules(FINAL_DEPTH, **rules)  # type: ignore[arg-type]
        return await Reconciliation(self.database, NETWORK_ID, count_coins, (), made).look()

    async def stopped(self) -> str:
        """Why payouts stop; empty = they do not."""
        row = await self.connection.fetchrow("select * from custody.chain")
        assert row is not None
        assert row["withdrawals_stopped"] == bool(row["stopped_reason"])
        return str(row["stopped_reason"])


def transaction(
    *outputs: tuple[bytes, int], spends: tuple[str, ...] = (), number: int = 0
) -> Transaction:
    """One that spends these outpoints, or somebody else's."""
    names = spends or (f"{number:064x}:0",)
    inputs = tuple(
        Input(TransactionId(name.partition(":")[0]), int(name.partition(":")[2]), b"", 0)
        for name in names
    )
    return Transaction(2, inputs, tuple(Output(atoms, key) for key, atoms in outputs), 0)


@pytest.fixture
async def venue(custody: Connection, postgres_settings: PostgresSettings) -> AsyncIterator[Custody]:
    await custody.execute(
        "insert into custody.asset values ($1, $2, '', 'BTC', 8, 8, 0, 0)", NETWORK_ID, ASSET_ID
    )
    for branch, key in KEYS.items():
        await custody.execute(
            "insert into custody.key_branch values ($1, $2, 1, 'p2wpkh', 'x', 0)",
            NETWORK_ID,
            branch,
        )
        await custody.execute(
            "insert into custody.address (network_id, key, text, branch, generation, path_index)"
            " values ($1, $2, '', $3, 1, 0)",
            NETWORK_ID,
            key,
            branch,
        )
    database = await connect(postgres_settings, application_name="reconciliation")
    yield Custody(database, custody)
    await database.close()
