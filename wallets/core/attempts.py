"""Rows of attempts: planned with the inputs they own, signed, broadcast, and how they ended.

Called by `wallets.core.store` inside its transactions, after the payout's claim was held.
"""

from dataclasses import dataclass

import asyncpg

from runtime.postgres import Connection
from wallets import limits
from wallets.contract import AttemptId, Death, Payout, Plan, TransactionId
from wallets.core.claims import Claim
from wallets.errors import Condition, Stuck
from wallets.states import AttemptState


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """An attempt of one payout; `txid` and `raw` are empty while it is only planned."""

    attempt_id: AttemptId
    state: AttemptState
    txid: TransactionId
    raw: bytes
    plan: Plan
    death_proof: bytes


READ_SQL = """
select a.attempt_id, a.state, coalesce(a.txid, '') as txid, coalesce(a.raw, '') as raw,
    a.fee_atoms_max, coalesce(a.death_proof, '') as death_proof, p.intent_id, p.intent
from custody.attempt_output o join custody.attempt a using (attempt_id)
    join custody.attempt_plan p using (attempt_id)
where o.withdrawal_id = $1 order by a.attempt_id
"""


async def read(connection: Connection, withdrawal_id: bytes) -> list[StoredAttempt]:
    """All attempts of a payout, oldest first; the inputs of a plan are not read back."""
    return [_of_row(row) for row in await connection.fetch(READ_SQL, withdrawal_id)]


def _of_row(row: asyncpg.Record) -> StoredAttempt:
    return StoredAttempt(
        attempt_id=AttemptId(row["attempt_id"]),
        state=AttemptState(row["state"]),
        txid=TransactionId(row["txid"]),
        raw=row["raw"],
        plan=Plan(row["intent_id"], row["intent"], (), int(row["fee_atoms_max"])),
        death_proof=row["death_proof"],
    )


async def read_owned(connection: Connection, network_id: int) -> frozenset[str]:
    """Inputs that open attempts own. Raises Stuck when there are too many to build on."""
    rows = await connection.fetch(
        "select input from custody.owned_input where network_id = $1 limit $2",
        network_id,
        limits.OWNED_INPUTS_MAX + 1,
    )
    if len(rows) > limits.OWNED_INPUTS_MAX:
        raise Stuck(Condition.HOT_WALLET_UNFUNDED, "too many inputs are owned by open attempts")
    return frozenset(row["input"] for row in rows)


async def insert(connection: Connection, mine: Claim, plan: Plan, payouts: list[Payout]) -> None:
    """A planned attempt with its inputs. An input that is owned breaks the key: nothing is done."""
    group = None
    if plan.inputs:
        group = await connection.fetchval(
            "insert into custody.conflict_group (network_id, anchor) values ($1, $2) "
            "on conflict (network_id, anchor) do update set anchor = excluded.anchor "
            "returning conflict_group_id",
            mine.network_id,
            plan.inputs[0],
        )
    attempt_id = await connection.fetchval(
        "insert into custody.attempt (network_id, kind, conflict_group_id, state, fee_atoms_max) "
        "values ($1, 'payout', $2, 'planned', $3) returning attempt_id",
        mine.network_id,
        group,
        plan.fee_atoms_max,
    )
    await connection.execute(
        "insert into custody.attempt_plan values ($1, $2, $3)",
        attempt_id,
        plan.intent_id,
        plan.intent,
    )
    await connection.executemany(
        "insert into custody.owned_input values ($1, $2, $3)",
        [(mine.network_id, name, attempt_id) for name in plan.inputs],
    )
    await connection.executemany(
        "insert into custody.attempt_output values ($1, $2, $3)",
        [(attempt_id, payout.withdrawal_id, payout.amount_atoms) for payout in payouts],
    )


async def write_ahead(
    connection: Connection, attempt_id: AttemptId, txid: TransactionId, raw: bytes
) -> None:
    """Bytes and id, before any node hears of them."""
    await connection.execute(
        "update custody.attempt set state = 'signed', txid = $2, raw = $3 where attempt_id = $1",
        attempt_id,
        txid,
        raw,
    )


async def move(connection: Connection, attempt_id: AttemptId, *states: AttemptState) -> None:
    """Through these states in order; one it is in already is passed over."""
    for state in states:
        await connection.execute(
            "update custody.attempt set state = $2 where attempt_id = $1 and state <> $2",
            attempt_id,
            state.value,
        )


async def free_inputs(connection: Connection, attempt_id: AttemptId) -> None:
    """The attempt is final or dead: nobody owns what it used, the chain says who has it."""
    await connection.execute("delete from custody.owned_input where attempt_id = $1", attempt_id)


async def end(
    connection: Connection, attempt_id: AttemptId, state: AttemptState, proof: bytes
) -> None:
    """Dead, or failed on the chain; the proof is stored with it."""
    await connection.execute(
        "update custody.attempt set state = $2, death_proof = $3 where attempt_id = $1",
        attempt_id,
        state.value,
        proof,
    )
    await free_inputs(connection, attempt_id)


def deaths(stored: list[StoredAttempt]) -> list[Death]:
    """Of those that were signed; one that never was needs no proof towards the signer."""
    return [Death(attempt.txid, attempt.death_proof) for attempt in stored if attempt.txid]
