"""Deposits that are held: the list of them, and what two persons may decide.

Called by `python -m wallets deposits …`. Each decision is one transaction with its event and both
names. It never pays anybody: a return is a credit to an account of the venue's, which withdraws to
the payer like every customer, with the same approvals, signatures and limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime.postgres import Connection, Database
from wallets.core.transactions import changing
from wallets.deposits import limits
from wallets.deposits.rules import Reason
from wallets.errors import Rejected
from wallets.people import check_people
from wallets.states import DepositState

ACTOR: Final = "people"
HELD: Final = """
select d.deposit_id, d.txid, d.index, d.account_id, d.asset_id, d.amount_atoms::text, d.reason,
    coalesce(g.reference, '') as reference, d.changed_at
from custody.deposit d left join custody.deposit_screening g using (deposit_id)
where d.network_id = $1 and d.state = 'held' order by d.changed_at, d.deposit_id limit $2
"""
DECIDE: Final = """
insert into custody.deposit_screening as g
    (deposit_id, network_id, verdict, people, return_account_id, answered_at)
values ($1, $2, $3, $4, $5, clock_timestamp())
on conflict (deposit_id) do update set verdict = excluded.verdict, people = excluded.people,
    return_account_id = excluded.return_account_id
"""
LET_GO: Final = """
update custody.deposit set state = 'confirming', reason = '',
    account_id = case when $2 = 0 then account_id else $2 end,
    shard = case when $3 = 0 then shard else $3 end
where deposit_id = $1
"""


@dataclass(frozen=True, slots=True)
class Held:
    """One that waits for people."""

    deposit_id: bytes
    txid: str
    index: int
    account_id: int
    asset_id: int
    amount_atoms: int
    reason: str
    reference: str


@dataclass(frozen=True, slots=True)
class ReturnAccount:
    """An account of the venue's that pays back, on its shard."""

    account_id: int
    shard: int


async def read_held(database: Database, network_id: int) -> list[Held]:
    """Those that wait longest first, at most `limits.HELD_SHOWN_MAX`."""
    return [
        Held(
            row["deposit_id"],
            row["txid"],
            row["index"],
            row["account_id"],
            row["asset_id"],
            int(row["amount_atoms"]),
            row["reason"],
            row["reference"],
        )
        for row in await database.read(HELD, network_id, limits.HELD_SHOWN_MAX)
    ]


async def release(
    database: Database, network_id: int, deposit_id: bytes, people: Sequence[str]
) -> None:
    """On its way to the credit of its own account. Raises Rejected, Unavailable, Unknown."""
    names = check_people(people)
    async with changing(database, ACTOR, f"released by {' and '.join(names)}") as connection:
        await _find(connection, network_id, deposit_id)
        await _decide(connection, network_id, deposit_id, ("release", names), ReturnAccount(0, 0))


async def give_back(
    database: Database,
    network_id: int,
    deposit_id: bytes,
    account: ReturnAccount,
    people: Sequence[str],
) -> None:
    """To the account that pays it back. Raises Rejected, Unavailable, Unknown."""
    names = check_people(people)
    reason = f"returned by {' and '.join(names)} through account {account.account_id}"
    async with changing(database, ACTOR, reason) as connection:
        row = await _find(connection, network_id, deposit_id)
        if row["account_id"] == account.account_id:
            raise Rejected("RETURN_ACCOUNT", "it is the account that was paid")
        if not await connection.fetchval(
            "select exists (select from custody.source where network_id = $1 and shard = $2)",
            network_id,
            account.shard,
        ):
            raise Rejected("RETURN_ACCOUNT", f"the network has no source on shard {account.shard}")
        await _decide(connection, network_id, deposit_id, ("return", names), account)


async def _find(connection: Connection, network_id: int, deposit_id: bytes) -> asyncpg.Record:
    """Locks it; raises Rejected when people cannot move it here."""
    row = await connection.fetchrow(
        "select state, reason, account_id, credit_count from custody.deposit "
        "where network_id = $1 and deposit_id = $2 for update",
        network_id,
        deposit_id,
    )
    if row is None:
        raise Rejected("UNKNOWN_DEPOSIT", "this network has none of this id")
    if row["state"] != DepositState.HELD:
        raise Rejected("DEPOSIT_STATE", f"it is {row['state']}")
    if row["credit_count"] % 2 == 1:
        raise Rejected("IN_SUSPENSE", "the engine has it: an adjustment there moves it")
    if row["reason"] == Reason.ASSET_SUSPENDED:
        raise Rejected("ASSET_SUSPENDED", "it goes on when the asset does")
    return row


async def _decide(
    connection: Connection,
    network_id: int,
    deposit_id: bytes,
    decision: tuple[str, list[str]],
    account: ReturnAccount,
) -> None:
    await connection.execute(
        DECIDE, deposit_id, network_id, decision[0], decision[1], account.account_id
    )
    await connection.execute(LET_GO, deposit_id, account.account_id, account.shard)
