"""Rows of the treasury's transfers: one transaction per function, no decisions here.

Called by `step` and by the commands. A transfer's inputs have one owner, as a payout's have, until
its attempt is final or dead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from runtime.errors import Unavailable
from runtime.postgres import Connection, Database
from wallets.books import postings
from wallets.books.accounts import Account
from wallets.contract import AttemptId, Confirmation, Held, Plan, TransactionId
from wallets.core import attempts, fences
from wallets.core.transactions import changing
from wallets.errors import Fenced
from wallets.states import AttemptState
from wallets.treasury import costs
from wallets.treasury.bounds import Bounds

ACTOR: Final = "treasury"
SWEEP: Final = "sweep"
OWN: Final = "insert into custody.owned_input values ($1, $2, $3)"
OWN_SHARED: Final = f"{OWN} on conflict do nothing"
OPEN: Final = """
select t.*, a.state, a.kind, coalesce(a.txid, '') as txid, coalesce(a.raw, '') as raw,
    a.fee_atoms_max, p.intent_id, p.intent, a.conflict_group_id,
    extract(epoch from clock_timestamp() - a.changed_at)::bigint as waited_seconds
from custody.treasury_transfer t join custody.attempt a using (attempt_id)
    left join custody.attempt_plan p using (attempt_id)
where t.network_id = $1 and a.state in ('planned', 'signed', 'broadcast', 'mined')
order by t.attempt_id limit $2
"""
OPEN_MAX: Final = 100
NATIVE: Final = "select asset_id from custody.asset where network_id = $1 and contract = ''"
# What payouts will take that are not in a transaction yet.
WAITING: Final = """
select coalesce(sum(amount_atoms), 0) from custody.payout
where network_id = $1 and asset_id = $2 and state in ('requested', 'held', 'approved', 'started')
"""


@dataclass(frozen=True, slots=True)
class Transfer:
    """One that is neither final nor dead."""

    attempt_id: AttemptId
    network_id: int
    asset_id: int
    source: Account
    target: Account
    amount_atoms: int
    fee_atoms: int
    state: AttemptState
    txid: TransactionId
    raw: bytes
    # Of the signer's; None for people's.
    plan: Plan | None
    unsigned: bytes
    texts: tuple[str, ...]
    # What the attempt is called.
    kind: str
    # Attempts of which at most one is ever mined; None = it stands alone.
    conflict_group_id: int | None
    # Since its state changed last, by the database's clock.
    waited_seconds: int


@dataclass(frozen=True, slots=True)
class Serves:
    """What a step of gathering is for: an address, and the asset that is gathered from it."""

    key: bytes
    # Empty for the native asset.
    contract: bytes
    # What lay there at this height is what it is for; None = not said.
    up_to_height: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A transfer before it is stored."""

    asset_id: int
    source: Account
    target: Account
    amount_atoms: int
    fee_atoms: int
    inputs: tuple[str, ...]
    # Exactly one of them.
    plan: Plan | None = None
    unsigned: bytes = b""
    # What the attempt is called; "" = by its source and target.
    kind: str = ""
    serves: Serves | None = None
    # Its inputs may be another attempt's already, which it then conflicts with.
    replaces: bool = False


async def read_open(database: Database, network_id: int) -> list[Transfer]:
    """Oldest first."""
    return [_of_row(row) for row in await database.read(OPEN, network_id, OPEN_MAX)]


def _of_row(row: asyncpg.Record) -> Transfer:
    plan = None
    if row["intent_id"] is not None:
        plan = Plan(row["intent_id"], row["intent"], (), int(row["fee_atoms_max"]))
    return Transfer(
        attempt_id=AttemptId(row["attempt_id"]),
        network_id=row["network_id"],
        asset_id=row["asset_id"],
        source=Account(row["source"]),
        target=Account(row["target"]),
        amount_atoms=int(row["amount_atoms"]),
        fee_atoms=int(row["fee_atoms"]),
        state=AttemptState(row["state"]),
        txid=TransactionId(row["txid"]),
        raw=row["raw"],
        plan=plan,
        unsigned=row["unsigned"],
        texts=tuple(row["texts"]),
        kind=row["kind"],
        conflict_group_id=row["conflict_group_id"],
        waited_seconds=row["waited_seconds"],
    )


async def read_owned(database: Database, network_id: int) -> frozenset[str]:
    """Inputs of all open attempts. Raises Stuck, Unavailable."""
    async with database.connection() as connection:
        return await attempts.read_owned(connection, network_id)


async def read_bounds(database: Database, network_id: int, asset_id: int) -> Bounds | None:
    """None = nobody has set any: nothing is moved."""
    row = await database.read_row(
        "select floor_atoms, target_atoms, ceiling_atoms from custody.treasury_bounds "
        "where network_id = $1 and asset_id = $2",
        network_id,
        asset_id,
    )
    return None if row is None else Bounds(*(int(value) for value in row))


async def read_waiting(database: Database, network_id: int, asset_id: int) -> int:
    """Atoms of payouts that no transaction pays yet."""
    row = await database.read_row(WAITING, network_id, asset_id)
    return 0 if row is None else int(row[0])


async def native_asset(database: Database, network_id: int) -> int | None:
    """The network's own asset, if it is registered."""
    row = await database.read_row(NATIVE, network_id)
    return None if row is None else int(row["asset_id"])


async def add(
    database: Database, network_id: int, draft: Draft, held: Held | None = None
) -> AttemptId:
    """From here on it owns its inputs. Raises Unavailable when another attempt does, Fenced."""
    kind = "consolidation" if draft.source is draft.target else f"to_{draft.target}"
    kind = draft.kind or kind
    try:
        async with changing(database, ACTOR, kind) as connection:
            if held and not await fences.is_held(connection, held):
                raise Fenced(f"another worker holds {held.name}")
            return await _insert(connection, network_id, draft, kind)
    except asyncpg.UniqueViolationError as error:
        raise Unavailable("another plan was first to own an input") from error


async def add_again(
    database: Database, transfer: Transfer, plan: Plan, amount_atoms: int
) -> AttemptId:
    """A dearer attempt beside the newest of its group. Raises Fenced when that is another by now.

    What owns the inputs goes on to: they are free when one of the group is final.
    """
    async with changing(database, ACTOR, "its fee is raised") as connection:
        newest = await connection.fetchval(
            "select max(attempt_id) from custody.attempt where conflict_group_id = ("
            "select conflict_group_id from custody.conflict_group "
            "where conflict_group_id = $1 for update) and kind = $2",
            transfer.conflict_group_id,
            transfer.kind,
        )
        if newest != transfer.attempt_id:
            raise Fenced(f"transfer {transfer.attempt_id} was replaced already")
        step = await connection.fetchrow(
            "select key, contract, up_to_height from custody.gathering_step where attempt_id = $1",
            transfer.attempt_id,
        )
        draft = Draft(
            transfer.asset_id,
            transfer.source,
            transfer.target,
            amount_atoms,
            plan.fee_atoms_max,
            plan.inputs,
            plan,
            serves=None if step is None else Serves(**step),
            replaces=True,
        )
        return await _insert(connection, transfer.network_id, draft, transfer.kind)


async def _insert(connection: Connection, network_id: int, draft: Draft, kind: str) -> AttemptId:
    plan = draft.plan
    group = None
    if draft.inputs:
        group = await connection.fetchval(
            "insert into custody.conflict_group (network_id, anchor) values ($1, $2) "
            "on conflict (network_id, anchor) do update set anchor = excluded.anchor "
            "returning conflict_group_id",
            network_id,
            draft.inputs[0],
        )
    attempt_id = await connection.fetchval(
        "insert into custody.attempt (network_id, kind, conflict_group_id, state, fee_atoms_max) "
        "values ($1, $2, $3, 'planned', $4) returning attempt_id",
        network_id,
        kind,
        group,
        draft.fee_atoms if plan is None else plan.fee_atoms_max,
    )
    if plan is not None:
        await connection.execute(
            "insert into custody.attempt_plan values ($1, $2, $3)",
            attempt_id,
            plan.intent_id,
            plan.intent,
        )
    await connection.executemany(
        OWN_SHARED if draft.replaces else OWN,
        [(network_id, name, attempt_id) for name in draft.inputs],
    )
    if draft.serves is not None:
        await connection.execute(
            "insert into custody.gathering_step values ($1, $2, $3, $4, $5)",
            attempt_id,
            network_id,
            draft.serves.key,
            draft.serves.contract,
            draft.serves.up_to_height,
        )
    await connection.execute(
        "insert into custody.treasury_transfer (attempt_id, network_id, asset_id, "
        "source, target, amount_atoms, fee_atoms, unsigned) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8)",
        attempt_id,
        network_id,
        draft.asset_id,
        draft.source,
        draft.target,
        draft.amount_atoms,
        draft.fee_atoms,
        draft.unsigned,
    )
    return AttemptId(attempt_id)


async def write_ahead(
    database: Database, transfer: Transfer, txid: TransactionId, raw: bytes
) -> None:
    """The signed bytes, durable before any node hears of them; again changes nothing."""
    async with changing(database, ACTOR) as connection:
        if await _locked(connection, transfer) is AttemptState.PLANNED:
            await attempts.write_ahead(connection, transfer.attempt_id, txid, raw)


async def add_texts(database: Database, transfer: Transfer, texts: Sequence[str]) -> None:
    """What people gave back."""
    await database.write(
        "update custody.treasury_transfer set texts = $2 where attempt_id = $1",
        transfer.attempt_id,
        list(texts),
    )


async def say(database: Database, transfer: Transfer, condition: str) -> None:
    """Why it waits."""
    await database.write(
        "update custody.treasury_transfer set condition = $2 "
        "where attempt_id = $1 and condition <> $2",
        transfer.attempt_id,
        condition,
    )


async def move(database: Database, transfer: Transfer, state: AttemptState) -> None:
    """To where the chain has it; not final, not dead."""
    async with changing(database, ACTOR) as connection:
        now = await _locked(connection, transfer)
        if now in (AttemptState.SIGNED, AttemptState.BROADCAST, AttemptState.MINED):
            for passed in _way(now, state):
                await attempts.set_state(connection, transfer.attempt_id, passed)


async def settle(database: Database, transfer: Transfer, found: Confirmation) -> None:
    """Final: the book moves with it, once."""
    async with changing(database, ACTOR) as connection:
        now = await _locked(connection, transfer)
        if now is AttemptState.FINAL:
            return
        for passed in _way(now, AttemptState.FINAL):
            await attempts.set_state(connection, transfer.attempt_id, passed)
        await connection.execute(
            "update custody.attempt set fee_atoms = $2 where attempt_id = $1",
            transfer.attempt_id,
            found.fee_atoms,
        )
        await _free(connection, transfer)
        cause_id = transfer.attempt_id.to_bytes(8, "big")
        source, target = transfer.source, transfer.target
        if source is not target:
            entries = postings.of_move(transfer.asset_id, source, target, transfer.amount_atoms)
            await postings.post(connection, transfer.network_id, "treasury", cause_id, entries)
        await _book_fee(connection, transfer, found)
        if transfer.kind == SWEEP:
            await costs.mark_gathered(connection, transfer.attempt_id)


async def fail(database: Database, transfer: Transfer, found: Confirmation) -> None:
    """Failed on the chain for good: it moved nothing and cost its fee."""
    async with changing(database, ACTOR, "failed on the chain") as connection:
        now = await _locked(connection, transfer)
        if now is AttemptState.FAILED:
            return
        for passed in _way(now, AttemptState.MINED):
            await attempts.set_state(connection, transfer.attempt_id, passed)
        await attempts.set_state(connection, transfer.attempt_id, AttemptState.FAILED)
        await connection.execute(
            "update custody.attempt set fee_atoms = $2, death_proof = $3 where attempt_id = $1",
            transfer.attempt_id,
            found.fee_atoms,
            found.proof,
        )
        await _free(connection, transfer)
        await _book_fee(connection, transfer, found)


async def _book_fee(connection: Connection, transfer: Transfer, found: Confirmation) -> None:
    """Fees are taken in the network's own asset, whatever moved."""
    asset_id = await connection.fetchval(NATIVE, transfer.network_id)
    cause_id = transfer.attempt_id.to_bytes(8, "big")
    # Stake pays no fees: the account that staked it does.
    payer = Account.HOT if transfer.source is Account.STAKED else transfer.source
    entries = postings.of_move(asset_id, payer, Account.NETWORK_COST, found.fee_atoms)
    await postings.post(connection, transfer.network_id, "treasury", cause_id, entries)
    await costs.share(connection, transfer.attempt_id, found.fee_atoms)


async def bury(database: Database, transfer: Transfer, proof: bytes) -> None:
    """Dead, with its proof: the coins are where they were."""
    async with changing(database, ACTOR, "dead with proof") as connection:
        now = await _locked(connection, transfer)
        await connection.execute(
            "update custody.attempt set death_proof = $2 where attempt_id = $1",
            transfer.attempt_id,
            proof,
        )
        for passed in _way(now, AttemptState.DEAD):
            await attempts.set_state(connection, transfer.attempt_id, passed)
        await _free(connection, transfer)


async def _locked(connection: Connection, transfer: Transfer) -> AttemptState:
    return AttemptState(
        await connection.fetchval(
            "select state from custody.attempt where attempt_id = $1 for update",
            transfer.attempt_id,
        )
    )


async def _free(connection: Connection, transfer: Transfer) -> None:
    await connection.execute(
        "delete from custody.owned_input where attempt_id = $1", transfer.attempt_id
    )


def _way(now: AttemptState, state: AttemptState) -> tuple[AttemptState, ...]:
    """The states between; all of them are permitted."""
    order = (
        AttemptState.SIGNED,
        AttemptState.BROADCAST,
        AttemptState.MINED,
        AttemptState.FINAL,
    )
    if now is state:
        return ()
    if state is AttemptState.DEAD:
        back = () if now in (AttemptState.PLANNED, AttemptState.BROADCAST) else (order[1],)
        return (*back, state)
    if order.index(state) < order.index(now):
        return (state,)
    return order[order.index(now) + 1 : order.index(state) + 1]
