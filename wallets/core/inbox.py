"""What the engine's journal tells custody, taken exactly once and in order.

Called by the link with the rows of StreamEvents. The cursor moves in the transaction of what a row
caused, so that a row that comes again after a crash changes nothing. It never decides a payout.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import asyncpg

from runtime.postgres import Connection, Database
from wallets.contract import WithdrawalId
from wallets.core import engine_ahead, outbox, stops
from wallets.core.transactions import changing
from wallets.core.units import to_chain
from wallets.deposits import refusals
from wallets.errors import Broken
from wallets.states import PayoutState

ACTOR = "inbox"
MAKE_PAYOUT = """
insert into custody.payout (withdrawal_id, kind, shard, journal_seq, account_id, network_id,
    asset_id, destination_text, amount_atoms, engine_amount_atoms, engine_fee_atoms, state)
values ($1, 'customer', $2, $3, $4, $5, $6, $7, $8, $9, $10, 'requested')
"""
ANSWER = """
update custody.outbox set answer_reason = told.reason, answer_seq = $4
from unnest($1::integer[], $2::bigint[], $3::integer[]) as told (source_id, source_seq, reason)
where outbox.source_id = told.source_id and outbox.source_seq = told.source_seq
    and outbox.answer_reason is null
returning outbox.source_id, outbox.source_seq, outbox.kind, outbox.subject_id
"""
MOVE = """
update custody.payout set state = $2, reason = $3, not_before = clock_timestamp()
where withdrawal_id = any($1::bytea[]) returning network_id, shard
"""


@dataclass(frozen=True, slots=True)
class Requested:
    """The engine holds amount and fee of a withdrawal; atoms are the engine's."""

    withdrawal_id: WithdrawalId
    account_id: int
    asset_id: int
    network_id: int
    amount_atoms: int
    fee_atoms: int
    destination: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The engine's answer to a numbered command; 0 = it was done."""

    source_id: int
    source_seq: int
    reason: int


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One row of the event journal, only what custody reads."""

    shard: int
    first_seq: int
    last_seq: int
    events: tuple[Requested | Answered, ...]


async def read_cursor(database: Database, shard: int) -> int:
    """The last sequence that was taken; 0 before the first."""
    row = await database.read_row(
        "select last_seq from custody.inbox_cursor where shard = $1", shard
    )
    return 0 if row is None else int(row["last_seq"])


async def take(database: Database, row: JournalRow) -> bool:
    """Takes a row; False when it was taken before. Raises Broken at a gap."""
    async with changing(database, ACTOR) as connection:
        await connection.execute(
            "insert into custody.inbox_cursor values ($1, 0) on conflict do nothing", row.shard
        )
        last_seq = await connection.fetchval(
            "select last_seq from custody.inbox_cursor where shard = $1 for update", row.shard
        )
        if row.last_seq <= last_seq:
            return False
        if row.first_seq != last_seq + 1:
            raise Broken(f"shard {row.shard}: row {row.first_seq} follows {last_seq}")
        assets = await _read_assets(connection, row.events)
        # In the order of the journal; neighbours of a kind are taken at once.
        for _, neighbours in groupby(row.events, type):
            events = list(neighbours)
            requests = [event for event in events if isinstance(event, Requested)]
            answers = [event for event in events if isinstance(event, Answered)]
            await _take_requests(connection, row, requests, assets)
            await _take_answers(connection, answers, row.last_seq)
        await connection.execute(
            "update custody.inbox_cursor set last_seq = $2 where shard = $1",
            row.shard,
            row.last_seq,
        )
        return True


async def _read_assets(
    connection: Connection, events: Sequence[Requested | Answered]
) -> dict[tuple[int, int], asyncpg.Record]:
    """Those that a row asks for, by network and number."""
    asked = [event for event in events if isinstance(event, Requested)]
    if not asked:
        return {}
    rows = await connection.fetch(
        "select network_id, asset_id, decimals, engine_decimals from custody.asset "
        "where network_id = any($1::integer[]) and asset_id = any($2::integer[])",
        [event.network_id for event in asked],
        [event.asset_id for event in asked],
    )
    return {(row["network_id"], row["asset_id"]): row for row in rows}


async def _take_requests(
    connection: Connection,
    row: JournalRow,
    events: Sequence[Requested],
    assets: Mapping[tuple[int, int], asyncpg.Record],
) -> None:
    """Makes payouts, and gives back at once what no network here could ever pay."""
    if not events:
        return
    amounts = [_amount_atoms(event, assets) for event in events]
    await connection.executemany(
        MAKE_PAYOUT,
        [
            (
                event.withdrawal_id,
                row.shard,
                row.last_seq,
                event.account_id,
                event.network_id,
                event.asset_id,
                event.destination,
                amount_atoms,
                event.amount_atoms,
                event.fee_atoms,
            )
            for event, amount_atoms in zip(events, amounts, strict=True)
            if amount_atoms is not None
        ],
    )
    for event, amount_atoms in zip(events, amounts, strict=True):
        if amount_atoms is None:
            where = {"network_id": event.network_id, "shard": row.shard}
            await outbox.put(connection, "release", event.withdrawal_id, **where)


def _amount_atoms(event: Requested, assets: Mapping[tuple[int, int], asyncpg.Record]) -> int | None:
    """In the chain's unit; None = it cannot be paid here."""
    asset = assets.get((event.network_id, event.asset_id))
    if asset is None:
        return None
    return to_chain(
        event.amount_atoms, decimals=asset["decimals"], engine_decimals=asset["engine_decimals"]
    )


async def _take_answers(connection: Connection, events: Sequence[Answered], seq: int) -> None:
    """Stores the first answer to each; those of a Start move the payouts."""
    if not events:
        return
    first: dict[tuple[int, int], Answered] = {}
    for event in events:
        first.setdefault((event.source_id, event.source_seq), event)
    rows = await connection.fetch(
        ANSWER,
        [source_id for source_id, _ in first],
        [source_seq for _, source_seq in first],
        [event.reason for event in first.values()],
        seq,
    )
    answered = {(row["source_id"], row["source_seq"]): row for row in rows}
    started = [
        row["subject_id"]
        for place, row in answered.items()
        if row["kind"] == "start" and not first[place].reason
    ]
    moved = await connection.fetch(MOVE, started, PayoutState.STARTED.value, "")
    if len(moved) != len(started):
        raise Broken("a start without a payout")
    for place, event in first.items():
        if place not in answered:
            await engine_ahead.notice(connection, event.source_id, event.source_seq)
        elif event.reason:
            await _take_refusal(connection, event, answered[place])


async def _reject(connection: Connection, event: Answered, withdrawal_id: WithdrawalId) -> None:
    """The engine refused its start: the money goes back."""
    reason = f"START_REFUSED_{event.reason}"
    moved = await connection.fetch(MOVE, [withdrawal_id], PayoutState.REJECTED.value, reason)
    if not moved:
        raise Broken("a start without a payout")
    where = {"network_id": moved[0]["network_id"], "shard": moved[0]["shard"]}
    await outbox.put(connection, "release", withdrawal_id, **where)


async def _take_refusal(connection: Connection, event: Answered, row: asyncpg.Record) -> None:
    if row["kind"] == "start":
        await _reject(connection, event, WithdrawalId(row["subject_id"]))
    elif row["kind"] == outbox.CREDIT:
        await refusals.hold(connection, row["subject_id"], event.reason)
    else:
        await _stop(connection, event, row["kind"])


async def _stop(connection: Connection, event: Answered, kind: str) -> None:
    """The engine and custody disagree about money: nothing more is paid until a person looked."""
    network_id = await connection.fetchval(
        "select network_id from custody.source where source_id = $1", event.source_id
    )
    reason = f"the engine refused {kind} {event.source_id}/{event.source_seq}: {event.reason}"
    await stops.stop(connection, network_id, reason)
