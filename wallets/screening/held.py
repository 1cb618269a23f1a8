"""Withdrawals that a screening holds: the list of them, and what two persons may decide.

Called by `python -m wallets withdrawals …`. Each decision is one transaction with its event and
both names. It approves and pays nothing: what is released goes on to the approver like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime.postgres import Connection, Database
from wallets.contract import WithdrawalId
from wallets.core import engine_ahead, outbox
from wallets.core.transactions import changing
from wallets.errors import Rejected
from wallets.people import check_people
from wallets.screening import limits
from wallets.states import PayoutState

ACTOR: Final = "people"
HELD: Final = """
select p.withdrawal_id, p.account_id, p.asset_id, p.amount_atoms::text as amount_atoms,
    p.destination_text, p.reason, g.reference
from custody.payout p join custody.payout_screening g using (withdrawal_id)
where p.network_id = $1 and p.state = 'held' order by p.changed_at, p.withdrawal_id limit $2
"""
FIND: Final = """
select p.state, p.shard, p.reason, g.verdict
from custody.payout p left join custody.payout_screening g using (withdrawal_id)
where p.network_id = $1 and p.withdrawal_id = $2 for update of p
"""
DECIDE: Final = """
update custody.payout_screening set verdict = $2, people = $3 where withdrawal_id = $1
"""
MOVE: Final = "update custody.payout set state = $2, reason = $3 where withdrawal_id = $1"


@dataclass(frozen=True, slots=True)
class Held:
    """One that waits for people; the amount is in the chain's unit."""

    withdrawal_id: bytes
    account_id: int
    asset_id: int
    amount_atoms: int
    destination: str
    reason: str
    reference: str


async def read_held(database: Database, network_id: int) -> list[Held]:
    """Those that wait longest first, at most `limits.HELD_SHOWN_MAX`."""
    return [
        Held(
            row["withdrawal_id"],
            row["account_id"],
            row["asset_id"],
            int(row["amount_atoms"]),
            row["destination_text"],
            row["reason"],
            row["reference"],
        )
        for row in await database.read(HELD, network_id, limits.HELD_SHOWN_MAX)
    ]


async def release(
    database: Database, network_id: int, withdrawal_id: bytes, people: Sequence[str]
) -> None:
    """On its way to its approval. Raises Rejected, Unavailable, Unknown."""
    names = check_people(people)
    async with changing(database, ACTOR, f"released by {' and '.join(names)}") as connection:
        await _find(connection, network_id, withdrawal_id)
        await connection.execute(DECIDE, withdrawal_id, "release", names)
        await connection.execute(MOVE, withdrawal_id, PayoutState.REQUESTED.value, "")


async def refuse(
    database: Database, network_id: int, withdrawal_id: bytes, people: Sequence[str]
) -> None:
    """Never paid; the money goes back to the account. Raises Rejected, Unavailable, Unknown."""
    names = check_people(people)
    async with changing(database, ACTOR, f"refused by {' and '.join(names)}") as connection:
        row = await _find(connection, network_id, withdrawal_id)
        await connection.execute(DECIDE, withdrawal_id, "refuse", names)
        await connection.execute(MOVE, withdrawal_id, PayoutState.REJECTED.value, row["reason"])
        await outbox.put(
            connection,
            "release",
            WithdrawalId(withdrawal_id),
            network_id=network_id,
            shard=row["shard"],
        )


async def _find(connection: Connection, network_id: int, withdrawal_id: bytes) -> asyncpg.Record:
    """Locks it; raises Rejected when the screening does not hold it."""
    row = await connection.fetchrow(FIND, network_id, withdrawal_id)
    if row is None:
        raise Rejected("UNKNOWN_WITHDRAWAL", "this network has none of this id")
    if row["state"] != PayoutState.HELD or row["verdict"] != "hold":
        raise Rejected("WITHDRAWAL_STATE", f"it is {row['state']}")
    if row["reason"] == engine_ahead.PARKED:
        raise Rejected("WITHDRAWAL_STATE", "the engine has started it in a time that was lost")
    return row
