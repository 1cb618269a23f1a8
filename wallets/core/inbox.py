"""What the engine's journal tells custody, taken exactly once and in order.

Called by the link with the rows of StreamEvents. The cursor moves in the transaction of what a row
caused, so that a row that comes again after a crash changes nothing. It never decides a payout.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
        for event in row.events:
            if isinstance(event, Requested):
                await _take_request(connection, row, event, assets)
            else:
                await _take_answer(connection, event, row.last_seq)
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


async def _take_request(
    connection: Connection,
    row: JournalRow,
    event: Requested,
    assets: Mapping[tuple[int, int], asyncpg.Record],
) -> None:
    """Makes a payout, or gives back at once what no network here could ever pay."""
    asset = assets.get((event.network_id, event.asset_id))
    amount_atoms = (
        None
        if asset is None
        else to_chain(
            event.amount_atoms,
            decimals=asset["decimals"],
            engine_decimals=asset["engine_decimals"],
        )
    )
    if amount_atoms is None:
        await outbox.put(
            connection,
            "release",
            event.withdrawal_id,
            network_id=event.network_id,
            shard=row.shard,
        )
        return
    await connection.execute(
        "insert into custody.payout (withdrawal_id, kind, shard, journal_seq, account_id, "
        "network_id, asset_id, destination_text, amount_atoms, engine_amount_atoms, "
        "engine_fee_atoms, state) "
        "values ($1, 'customer', $2, $3, $4, $5, $6, $7, $8, $9, $10, 'requested')",
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


async def _take_answer(connection: Connection, event: Answered, seq: int) -> None:
    """Stores the first answer; that of a Start moves the payout."""
    row = await connection.fetchrow(
        "update custody.outbox set answer_reason = $3, answer_seq = $4 "
        "where source_id = $1 and source_seq = $2 and answer_reason is null "
        "returning kind, subject_id",
        event.source_id,
        event.source_seq,
        event.reason,
        seq,
    )
    if row is None:
        await engine_ahead.notice(connection, event.source_id, event.source_seq)
        return
    if row["kind"] != "start":
        if event.reason != 0:
            await _take_refusal(connection, event, row)
        return
    after = PayoutState.REJECTED if event.reason else PayoutState.STARTED
    payout = await connection.fetchrow(
        "update custody.payout set state = $2, reason = $3, not_before = clock_timestamp() "
        "where withdrawal_id = $1 returning network_id, shard",
        row["subject_id"],
        after.value,
        f"START_REFUSED_{event.reason}" if event.reason else "",
    )
    if payout is None:
        raise Broken("a start without a payout")
    if event.reason:
        await outbox.put(
            connection,
            "release",
            WithdrawalId(row["subject_id"]),
            network_id=payout["network_id"],
            shard=payout["shard"],
        )


async def _take_refusal(connection: Connection, event: Answered, row: asyncpg.Record) -> None:
    if row["kind"] == outbox.CREDIT:
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
