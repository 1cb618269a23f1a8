"""Reconciliation of a chain with accounts, as a test has it: real tables, a node that listens."""

import time
from dataclasses import dataclass

from runtime.postgres import Database
from tests.chains.real_signer import NETWORK_ID
from wallets.books import postings
from wallets.books.accounts import Account
from wallets.books.holdings import AsksBalances
from wallets.contract import Attempt, Held, ReadsChain
from wallets.core.transactions import changing
from wallets.deposits.scanner import Hooks, Moved, Scanner
from wallets.reconciliation.accounts import Accounts
from wallets.reconciliation.job import Look, Reconciliation, Rules

FINAL_DEPTH = 3
LEASE = Held("scan", 1)

PAYOUT = """
insert into custody.payout (withdrawal_id, kind, shard, journal_seq, account_id, network_id,
    asset_id, destination_text, amount_atoms, engine_amount_atoms, engine_fee_atoms, state)
values ($1, 'customer', 1, 1, 5, $2, $3, $4, $5, 1, 0, 'requested')
"""


@dataclass(frozen=True)
class Books:
    """Looks at one network, at the blocks that were scanned."""

    database: Database
    chain: ReadsChain
    balances: AsksBalances
    hooks: Hooks

    async def follow(self, now_ns: int | None = None) -> None:
        """Scans all blocks that are there."""
        await self.database.write(
            "insert into custody.lease (name, owner, fencing_token, expires_at) "
            "values ('scan', 'test', 1, 'infinity') on conflict do nothing"
        )
        scanner = Scanner(self.database, self.chain, self.hooks, NETWORK_ID, 0, 3_600)
        while await scanner.step(LEASE, now_ns=now_ns or time.time_ns()) is not Moved.NOT:
            pass

    async def look(self) -> Look:
        accounts = Accounts(self.database, NETWORK_ID, self.balances)
        rules = Rules(FINAL_DEPTH)
        job = Reconciliation(
            self.database,
            NETWORK_ID,
            accounts.count,
            (),
            rules,
            accounts.prepare,
            accounts.was_taken,
        )
        return await job.look()

    async def hot(self) -> dict[int, int]:
        """What the book says is hot, by asset."""
        async with self.database.connection() as connection:
            found = await postings.read_balances(connection, NETWORK_ID)
        return {asset_id: atoms for (asset_id, name), atoms in found.items() if name == Account.HOT}

    async def stopped(self) -> str:
        row = await self.database.read_row("select stopped_reason from custody.chain")
        assert row is not None
        return str(row["stopped_reason"])

    async def stored(self, attempt: Attempt) -> None:
        """What its payouts take, as the pipeline stores it."""
        async with changing(self.database, "test") as connection:
            for payout in attempt.payouts:
                await connection.execute(
                    PAYOUT,
                    payout.withdrawal_id,
                    NETWORK_ID,
                    payout.token.asset_id,
                    payout.destination.text,
                    payout.amount_atoms,
                )
                await connection.execute(
                    "insert into custody.attempt_output values ($1, $2, $3)",
                    attempt.attempt_id,
                    payout.withdrawal_id,
                    payout.amount_atoms,
                )

    async def settle(self, txid: str, asset_id: int, amount_atoms: int, fee_atoms: int) -> None:
        """As the pipeline does when a payout is final; asset 1 is the chain's own coin."""
        async with changing(self.database, "test") as connection:
            entries = postings.of_payout(asset_id, amount_atoms, 0)
            await postings.post(connection, NETWORK_ID, "settle", txid.encode(), entries)
            entries = postings.of_network_fee(1, fee_atoms)
            await postings.post(connection, NETWORK_ID, "settle", txid.encode(), entries)
            for state in ("broadcast", "mined", "final"):
                await connection.execute(
                    "update custody.attempt set state = $2 where txid = $1", txid, state
                )
