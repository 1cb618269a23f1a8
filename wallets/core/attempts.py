"""Rows of attempts: planned with the inputs they own, signed, broadcast, and how they ended.

Called by `wallets.core.store` inside its transactions, after the payout's claim was held.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runtime.postgres import Connection
from wallets import limits
from wallets.contract import AttemptId, Death, Payout, Plan, TransactionId
from wallets.core.claims import Claim
from wallets.errors import Condition, Stuck
from wallets.states import AttemptState

A: Final = AttemptState


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """An attempt; `txid` and `raw` are empty while it is only planned."""

    attempt_id: AttemptId
    state: AttemptState
    txid: TransactionId
    raw: bytes
    plan: Plan
    death_proof: bytes
    # Since its state changed last, by the database's clock.
    waited_seconds: int


# What an attempt passes on its way to a state; a state that is not here is reached at once.
WAYS: Final[Mapping[tuple[AttemptState, AttemptState], tuple[AttemptState, ...]]] = {
    (A.BROADCAST, A.FINAL): (A.MINED,),
    (A.BROADCAST, A.FAILED): (A.MINED,),
    (A.SIGNED, A.DEAD): (A.BROADCAST,),
    (A.MINED, A.DEAD): (A.BROADCAST,),
    # Called dead once, and the block that proved it is gone.
    (A.DEAD, A.MINED): (A.BROADCAST,),
    (A.DEAD, A.FINAL): (A.BROADCAST, A.MINED),
    (A.FAILED, A.MINED): (A.BROADCAST,),
    (A.FAILED, A.FINAL): (A.BROADCAST, A.MINED),
    (A.FINAL, A.DEAD): (A.BROADCAST,),
}

# In the order of `of_columns`.
COLUMNS: Final = """
select a.attempt_id, a.state, coalesce(a.txid, '') as txid, coalesce(a.raw, '') as raw,
    a.fee_atoms_max, coalesce(a.death_proof, '') as death_proof, p.intent_id, p.intent,
    extract(epoch from clock_timestamp() - a.changed_at)::bigint as waited_seconds
from custody.attempt a join custody.attempt_plan p using (attempt_id)
"""
# Of the payout of the statement around it.
TRIED: Final = f"""{COLUMNS} where a.attempt_id in (
    select attempt_id from custody.attempt_output where withdrawal_id = payout.withdrawal_id)
"""  # noqa: S608 - made of constants
READ_SQL: Final = f"""{COLUMNS} where a.attempt_id in (
    select attempt_id from custody.attempt_output where withdrawal_id = any($1::bytea[]))
order by a.attempt_id
"""  # noqa: S608 - made of constants
# A planned attempt with all that belongs to it.
INSERT_SQL: Final = """
with made as (
    insert into custody.attempt (network_id, kind, conflict_group_id, state, fee_atoms_max)
    values ($1, 'payout', $2, 'planned', $3) returning attempt_id
), planned as (
    insert into custody.attempt_plan select attempt_id, $4::bytea, $5::bytea from made
), paid as (
    insert into custody.attempt_output select attempt_id, withdrawal_id, amount_atoms
    from made, unnest($6::bytea[], $7::numeric[]) as output (withdrawal_id, amount_atoms)
), owned as (
    insert into custody.owned_input select $1::integer, input, attempt_id
    from made, unnest($8::text[]) as input
)
select attempt_id from made
"""


NOTE_FEES_SQL: Final = """
update custody.attempt set fee_atoms = told.fee_atoms, death_proof = null
from unnest($1::bigint[], $2::numeric[]) as told (attempt_id, fee_atoms)
where attempt.attempt_id = told.attempt_id and attempt.fee_atoms is null
returning attempt.attempt_id
"""
WRITE_AHEAD_SQL: Final = """
update custody.attempt set state = 'signed', txid = signed.txid, raw = signed.raw
from unnest($1::bigint[], $2::text[], $3::bytea[]) as signed (attempt_id, txid, raw)
where attempt.attempt_id = signed.attempt_id
"""
MOVE_ALL_SQL: Final = """
update custody.attempt set state = $3 where attempt_id = any($1::bigint[]) and state = $2
returning attempt_id
"""
# As a rule it is where it was read.
MOVE_SQL: Final = """
update custody.attempt set state = $3 where attempt_id = $1 and state = $2 returning true
"""


async def read(connection: Connection, *withdrawal_ids: bytes) -> list[StoredAttempt]:
    """All attempts of these payouts, oldest first; the inputs of a plan are not read back."""
    return [of_columns(row) for row in await connection.fetch(READ_SQL, withdrawal_ids)]


async def read_live(connection: Connection, members: Sequence[Claim]) -> dict[bytes, set[int]]:
    """By payout, the attempts that have no end."""
    rows = await connection.fetch(
        "select o.withdrawal_id, o.attempt_id from custody.attempt_output o "
        "join custody.attempt a using (attempt_id) "
        "where o.withdrawal_id = any($1::bytea[]) and a.state not in ('dead', 'failed')",
        [one.withdrawal_id for one in members],
    )
    found: dict[bytes, set[int]] = {one.withdrawal_id: set() for one in members}
    for row in rows:
        found[row["withdrawal_id"]].add(row["attempt_id"])
    return found


def of_columns(columns: Iterable[Any]) -> StoredAttempt:
    """A row of `COLUMNS`."""
    (
        attempt_id,
        state,
        txid,
        raw,
        fee_atoms_max,
        death_proof,
        intent_id,
        intent,
        waited_seconds,
    ) = columns
    return StoredAttempt(
        attempt_id=AttemptId(attempt_id),
        state=AttemptState(state),
        txid=TransactionId(txid),
        raw=raw,
        plan=Plan(intent_id, intent, (), int(fee_atoms_max)),
        death_proof=death_proof,
        waited_seconds=waited_seconds,
    )


async def read_owned(connection: Connection, network_id: int) -> frozenset[str]:
    """Inputs that open attempts own. Raises Stuck when there are too many to build on."""
    rows = await connection.fetch(
        "select input from custody.owned_input where network_id = $1 limit $2",
        network_id,
        limits.OWNED_INPUTS_MAX + 1,
    )
    return check_owned([row["input"] for row in rows])


def check_owned(inputs: Sequence[str]) -> frozenset[str]:
    """All inputs that open attempts own. Raises Stuck when there are too many to build on."""
    if len(inputs) > limits.OWNED_INPUTS_MAX:
        raise Stuck(Condition.HOT_WALLET_UNFUNDED, "too many inputs are owned by open attempts")
    return frozenset(inputs)


async def insert(
    connection: Connection,
    mine: Claim,
    plan: Plan,
    payouts: list[Payout],
    anchors: tuple[str, ...] = (),
) -> None:
    """A planned attempt with its inputs. An input that is owned breaks the key: nothing is done.

    `anchors` are inputs that an earlier attempt of the same payout owns, in whose group it is.
    """
    group = None
    if anchors:
        group = await connection.fetchval(
            "select a.conflict_group_id from custody.owned_input i "
            "join custody.attempt a using (attempt_id) "
            "where i.network_id = $1 and i.input = any($2) order by a.attempt_id limit 1",
            mine.network_id,
            list(anchors),
        )
    elif plan.inputs:
        group = await connection.fetchval(
            "insert into custody.conflict_group (network_id, anchor) values ($1, $2) "
            "on conflict (network_id, anchor) do update set anchor = excluded.anchor "
            "returning conflict_group_id",
            mine.network_id,
            plan.inputs[0],
        )
    attempt_id = await connection.fetchval(
        INSERT_SQL,
        mine.network_id,
        group,
        plan.fee_atoms_max,
        plan.intent_id,
        plan.intent,
        [payout.withdrawal_id for payout in payouts],
        [payout.amount_atoms for payout in payouts],
        [name for name in plan.inputs if name not in anchors],
    )
    if anchors:
        # The dearest attempt of a payout owns what all of them use: its fee is what may be spent.
        await connection.execute(
            "update custody.owned_input set attempt_id = $3 "
            "where network_id = $1 and input = any($2)",
            mine.network_id,
            list(anchors),
            attempt_id,
        )


async def write_ahead(
    connection: Connection, attempt_id: AttemptId, txid: TransactionId, raw: bytes
) -> None:
    """Bytes and id, before any node hears of them."""
    await write_ahead_all(connection, [(attempt_id, txid, raw)])


async def write_ahead_all(
    connection: Connection, signed: Sequence[tuple[AttemptId, TransactionId, bytes]]
) -> None:
    """As `write_ahead`, for several."""
    await connection.execute(
        WRITE_AHEAD_SQL, *(list(column) for column in zip(*signed, strict=True))
    )


async def move_all(
    connection: Connection, stored: Sequence[StoredAttempt], state: AttemptState
) -> None:
    """As `move`, for several, of which most are where they were read."""
    for before in {one.state for one in stored} - {state}:
        ids = [one.attempt_id for one in stored if one.state is before]
        first, *others = (*WAYS.get((before, state), ()), state)
        rows = await connection.fetch(MOVE_ALL_SQL, ids, before.value, first.value)
        moved = [row["attempt_id"] for row in rows]
        for passed in others:
            await set_state_all(connection, moved, passed)
        for one in stored:
            if one.state is before and one.attempt_id not in moved:
                await move(connection, one, state)


async def move(connection: Connection, attempt: StoredAttempt, state: AttemptState) -> None:
    """To a state by way of those between, from where it is now: a mate may have moved it before."""
    first, *others = (*WAYS.get((attempt.state, state), ()), state)
    is_there = attempt.state is not state and await connection.fetchval(
        MOVE_SQL, attempt.attempt_id, attempt.state.value, first.value
    )
    if is_there:
        for passed in others:
            await set_state(connection, attempt.attempt_id, passed)
        return
    now = AttemptState(
        await connection.fetchval(
            "select state from custody.attempt where attempt_id = $1 for update", attempt.attempt_id
        )
    )
    if now is state:
        return
    for passed in (*WAYS.get((now, state), ()), state):
        await set_state(connection, attempt.attempt_id, passed)


async def set_state(connection: Connection, attempt_id: AttemptId, state: AttemptState) -> None:
    """One step; the trigger refuses any that is no way."""
    await set_state_all(connection, [attempt_id], state)


async def set_state_all(
    connection: Connection, attempt_ids: Sequence[AttemptId], state: AttemptState
) -> None:
    """As `set_state`, for several."""
    await connection.execute(
        "update custody.attempt set state = $2 where attempt_id = any($1::bigint[])",
        attempt_ids,
        state.value,
    )


async def note_fees(connection: Connection, fees: Mapping[AttemptId, int]) -> set[AttemptId]:
    """What the network took for each, by whoever is first to know; those that were not noted."""
    rows = await connection.fetch(NOTE_FEES_SQL, list(fees), list(fees.values()))
    return {AttemptId(row["attempt_id"]) for row in rows}


async def free_inputs(connection: Connection, withdrawal_ids: Sequence[bytes]) -> None:
    """All attempts of payouts ended: nobody owns what they used, the chain says who has it."""
    await connection.execute(
        "delete from custody.owned_input where attempt_id in "
        "(select attempt_id from custody.attempt_output where withdrawal_id = any($1::bytea[]))",
        withdrawal_ids,
    )


async def end(
    connection: Connection, attempt: StoredAttempt, state: AttemptState, proof: bytes
) -> None:
    """Dead, or failed on the chain; the proof is stored with it."""
    await connection.execute(
        "update custody.attempt set death_proof = $2 where attempt_id = $1",
        attempt.attempt_id,
        proof,
    )
    await move(connection, attempt, state)


def deaths(stored: list[StoredAttempt]) -> list[Death]:
    """Of those that were signed; one that never was needs no proof towards the signer."""
    return [Death(attempt.txid, attempt.death_proof) for attempt in stored if attempt.txid]
