"""Who works on which payout: a claim has a lease and a token, and each write names the token.

Called by the pipeline. A claim that was overtaken writes nothing any more: `Fenced`.
"""

from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime.postgres import Connection, Database
from wallets import limits
from wallets.contract import WithdrawalId
from wallets.errors import Condition, Fenced
from wallets.states import PayoutState

# States in which a worker has something to do; HELD waits for people.
OPEN: Final = (
    PayoutState.REQUESTED,
    PayoutState.APPROVED,
    PayoutState.STARTED,
    PayoutState.BUILT,
    PayoutState.SIGNED,
    PayoutState.BROADCASTING,
    PayoutState.CONFIRMING,
)
# Where the stop switch of a network still holds a payout back.
STOPPABLE: Final = (
    PayoutState.REQUESTED,
    PayoutState.APPROVED,
    PayoutState.STARTED,
    PayoutState.BUILT,
)

# Who waits for an answer of the engine is not claimable: that is the inbox's to move. A look after
# what is settled never keeps anybody from being paid.
CLAIM_SQL: Final = """
update custody.payout set claimed_by = $2, fencing_token = fencing_token + 1,
    claim_expires_at = clock_timestamp() + make_interval(secs => $3)
where withdrawal_id = (
    select p.withdrawal_id from custody.payout p join custody.chain c using (network_id)
    where p.network_id = $1 and p.claim_expires_at <= clock_timestamp()
      and p.not_before <= clock_timestamp()
      and (p.state = any($4) or (p.state = 'settled'
           and p.changed_at > clock_timestamp() - make_interval(secs => $6)))
      and not (c.withdrawals_stopped and p.state = any($5))
      and not exists (select from custody.outbox o
                      where o.subject_id = p.withdrawal_id and o.answer_reason is null)
    order by p.state = 'settled', p.priority desc, p.not_before, p.created_at
    limit 1 for update of p skip locked)
returning *
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A payout as it was when it was claimed; amounts without "engine" are atoms of the chain."""

    withdrawal_id: WithdrawalId
    worker: str
    fencing_token: int
    shard: int
    network_id: int
    asset_id: int
    destination_text: str
    amount_atoms: int
    engine_amount_atoms: int
    engine_fee_atoms: int
    state: PayoutState


async def claim(database: Database, network_id: int, worker: str) -> Claim | None:
    """The next payout that something can be done about, or None."""
    rows = await database.write(
        CLAIM_SQL,
        network_id,
        worker,
        limits.CLAIM_SECONDS,
        [state.value for state in OPEN],
        [state.value for state in STOPPABLE],
        limits.SETTLED_WATCH_SECONDS,
    )
    return _of_row(rows[0]) if rows else None


def _of_row(row: asyncpg.Record) -> Claim:
    return Claim(
        withdrawal_id=WithdrawalId(row["withdrawal_id"]),
        worker=row["claimed_by"],
        fencing_token=row["fencing_token"],
        shard=row["shard"],
        network_id=row["network_id"],
        asset_id=row["asset_id"],
        destination_text=row["destination_text"],
        amount_atoms=int(row["amount_atoms"]),
        engine_amount_atoms=int(row["engine_amount_atoms"]),
        engine_fee_atoms=int(row["engine_fee_atoms"]),
        state=PayoutState(row["state"]),
    )


async def hold(connection: Connection, mine: Claim) -> None:
    """Locks the payout for the caller's transaction. Raises Fenced when it is another's now."""
    row = await connection.fetchrow(
        "select fencing_token, state from custody.payout where withdrawal_id = $1 for update",
        mine.withdrawal_id,
    )
    if row is None or tuple(row) != (mine.fencing_token, mine.state.value):
        raise Fenced(f"payout {mine.withdrawal_id.hex()} is another worker's")


async def move(connection: Connection, mine: Claim, *states: PayoutState, reason: str = "") -> None:
    """Through these states in order; `hold` came first. The trigger refuses other ways."""
    for state in states:
        await connection.execute(
            "update custody.payout set state = $2, reason = $3, condition = '' "
            "where withdrawal_id = $1",
            mine.withdrawal_id,
            state.value,
            reason,
        )


async def give_back(
    connection: Connection,
    mine: Claim,
    *,
    pause_seconds: float = 0.0,
    condition: Condition | None = None,
) -> None:
    """Ends the claim; with a condition the payout says why it waits."""
    await connection.execute(
        "update custody.payout set claimed_by = '', claim_expires_at = '-infinity', "
        "condition = $3, not_before = clock_timestamp() + make_interval(secs => $2) "
        "where withdrawal_id = $1",
        mine.withdrawal_id,
        pause_seconds,
        condition.value if condition else "",
    )
