"""Looks at book, chain and journal of one network in one moment, and writes what it came to.

Called by `job`. All of custody's side is read in one snapshot of the database; the engine's side is
as of one journal sequence per shard, and the outbox says which commands lie between the two.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from cambist.orders.v1 import enums_pb2
from runtime import logs
from runtime.postgres import Connection, Database, outcome_of_read
from wallets.books import postings
from wallets.books.accounts import OWED, Account
from wallets.books.holdings import Counts, Found, Holdings
from wallets.contract import BlockRef
from wallets.core.transactions import changing
from wallets.errors import Broken, Condition
from wallets.reconciliation.checks import Finding, Held, Owed

ACTOR: Final = "reconciliation"
ASSETS: Final = """
select network_id, asset_id, contract, decimals, engine_decimals from custody.asset
order by network_id, asset_id
"""
# A credit stands on the book from its command on; blocks may have it before, or lose it after.
DEPOSITS: Final = """
select asset_id,
    sum(amount_atoms) filter (where block_hash is not null and credit_count % 2 = 0) as coming,
    sum(amount_atoms) filter (where block_hash is null and credit_count % 2 = 1) as missing
from custody.deposit where network_id = $1 group by asset_id
"""
# Commands that the engine had not taken at its sequence, and those that it refused.
PENDING: Final = """
select s.shard, o.kind, o.answer_seq, coalesce(o.answer_reason, 0) as reason,
    coalesce(p.asset_id, d.asset_id) as asset_id,
    coalesce(p.engine_amount_atoms, d.engine_atoms) as atoms
from custody.outbox o join custody.source s using (source_id)
    left join custody.payout p on p.withdrawal_id = o.subject_id and o.kind in ('settle', 'reopen')
    left join custody.deposit d
        on d.deposit_id = o.subject_id and o.kind in ('credit', 'reverse_credit')
where o.kind in ('settle', 'reopen', 'credit', 'reverse_credit')
    and (o.answer_seq is null or o.answer_seq > $1)
limit $2
"""
# What each kind adds to what the book owes.
SIGNS: Final[Mapping[str, int]] = {"credit": 1, "reverse_credit": -1, "settle": -1, "reopen": 1}
SUSPEND: Final = """
update custody.asset set withdrawals_suspended = true, suspended_reason = $3
where network_id = $1 and asset_id = $2 and not withdrawals_suspended returning true
"""
SUSPENDED: Final = """
insert into custody.event (kind, subject_id, state_before, state_after, actor, reason)
values ('asset', $1, 'paid', 'suspended', $2, $3)
"""
PENDING_MAX: Final = 100_000
IS_FIRST: Final = """
select not exists (
    select from custody.reconciliation_run where network_id = $1 and height >= 0)
"""
# Below every block: deep at once.
OPENING_HEIGHT: Final = -(2**31)
UNKNOWN_ACCOUNT: Final = int(enums_pb2.REJECT_REASON_UNKNOWN_ACCOUNT)

# What the engine did under numbers that nobody has settled yet is no opening: it comes to the book.
OPENING: Final = """
insert into custody.reconciliation_opening
select $1, $2 where not exists (select from custody.unknown_command where settlement = '')
on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """As it is registered."""

    network_id: int
    asset_id: int
    contract: bytes
    decimals: int
    engine_decimals: int


@dataclass(frozen=True, slots=True)
class Externals:
    """What the engine's accounts own by asset, at one sequence of one shard's journal."""

    shard: int
    seq: int
    atoms: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """One look."""

    block: BlockRef
    held: tuple[Held, ...]
    owed: tuple[Owed, ...]
    found: tuple[Found, ...]


@asynccontextmanager
async def one_moment(database: Database) -> AsyncIterator[Connection]:
    """A connection whose reads all see the same database. Raises Unavailable."""
    async with (
        database.connection() as connection,
        outcome_of_read(),
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


async def look(
    database: Database, network_id: int, counts: Counts | None, externals: Sequence[Externals]
) -> Cut:
    """One cut; without `counts` only the engine's side. Raises Unavailable, Broken."""
    async with one_moment(database) as connection:
        assets = [Asset(*row) for row in await connection.fetch(ASSETS)]
        here = [asset for asset in assets if asset.network_id == network_id]
        found = Holdings(BlockRef(-1, ""), (), ())
        if counts is not None:
            found = await counts(connection, network_id)
        held = await _held(connection, network_id, here, found)
        opening: list[Found] = []
        if found.opens_with_surplus and await connection.fetchval(IS_FIRST, network_id):
            opening, held = opened(here, held)
        owed = await _owed(connection, {asset.asset_id for asset in here}, assets, externals)
    return Cut(found.block, held, owed, (*found.found, *opening))


def opened(assets: Sequence[Asset], held: Sequence[Held]) -> tuple[list[Found], tuple[Held, ...]]:
    """What was at accounts before anybody looked: found, and nobody's."""
    contracts = {asset.asset_id: asset.contract for asset in assets}
    found, result = [], []
    for one in held:
        surplus = one.chain_atoms - one.expected_atoms
        if surplus > 0:
            contract = contracts[one.asset_id]
            name = f"opening:{contract.hex()}"
            found.append(Found(name, contract, one.place, surplus, OPENING_HEIGHT))
        result.append(replace(one, coming_atoms=one.coming_atoms + max(0, surplus)))
    return found, tuple(result)


async def _held(
    connection: Connection, network_id: int, assets: Sequence[Asset], holdings: Holdings
) -> tuple[Held, ...]:
    book = await postings.read_balances(connection, network_id)
    rows = {row["asset_id"]: row for row in await connection.fetch(DEPOSITS, network_id)}
    numbers = {asset.contract: asset.asset_id for asset in assets}
    result = []
    for pile in holdings.piles:
        asset_id = numbers.get(pile.contract)
        if asset_id is None:
            # An asset that is not served; its deposits are on the books as unsupported.
            continue
        row = rows.get(asset_id) if pile.place == Account.HOT else None
        strange = sum(
            one.amount_atoms
            for one in holdings.found
            if (one.contract, one.place) == (pile.contract, pile.place)
        )
        result.append(
            Held(
                asset_id,
                pile.place,
                book.get((asset_id, pile.place), 0),
                pile.amount_atoms,
                strange + int((row and row["coming"]) or 0),
                int((row and row["missing"]) or 0),
                pile.leaving_atoms,
            )
        )
    return tuple(result)


async def _owed(
    connection: Connection,
    wanted: set[int],
    assets: Sequence[Asset],
    externals: Sequence[Externals],
) -> tuple[Owed, ...]:
    rows = await connection.fetch("select distinct shard from custody.source")
    if not externals or not {row["shard"] for row in rows} <= {one.shard for one in externals}:
        # What an asset's customers own is known from all shards or not at all.
        return ()
    book: dict[int, int] = dict.fromkeys(wanted, 0)
    for network_id in {asset.network_id for asset in assets}:
        balances = await postings.read_balances(connection, network_id)
        for asset in assets:
            if asset.network_id == network_id and asset.asset_id in wanted:
                atoms = -sum(balances.get((asset.asset_id, account), 0) for account in OWED)
                book[asset.asset_id] += to_engine(atoms, asset)
    pending = await _pending(connection, {one.shard: one.seq for one in externals})
    openings = {
        row["asset_id"]: int(row["engine_atoms"])
        for row in await connection.fetch("select * from custody.reconciliation_opening")
    }
    return tuple(
        Owed(
            asset_id,
            book[asset_id],
            sum(one.atoms.get(asset_id, 0) for one in externals),
            pending.get(asset_id, 0),
            openings.get(asset_id),
        )
        for asset_id in sorted(wanted)
    )


async def _pending(connection: Connection, seqs: Mapping[int, int]) -> dict[int, int]:
    """By asset, what the book has and the engine at its sequence had not."""
    rows = await connection.fetch(PENDING, min(seqs.values()), PENDING_MAX + 1)
    if len(rows) > PENDING_MAX:
        raise Broken(f"more than {PENDING_MAX} commands have no answer")
    total: dict[int, int] = {}
    for row in rows:
        is_taken = row["answer_seq"] is not None and row["answer_seq"] <= seqs[row["shard"]]
        # A refused credit is off the book by now, but for one that the engine has in suspense.
        is_off = row["reason"] not in (0, UNKNOWN_ACCOUNT)
        if not (is_taken or is_off or row["atoms"] is None):
            change = SIGNS[row["kind"]] * int(row["atoms"])
            total[row["asset_id"]] = total.get(row["asset_id"], 0) + change
    return total


def to_engine(atoms: int, asset: Asset) -> int:
    """In the engine's unit; what that cannot say is owed to nobody and shows as a deficit."""
    if asset.engine_decimals >= asset.decimals:
        return atoms * int(10 ** (asset.engine_decimals - asset.decimals))
    return atoms // int(10 ** (asset.decimals - asset.engine_decimals))


async def book_found(database: Database, network_id: int, found: Sequence[Found]) -> None:
    """What is deep enough is on the book from now on, as nobody's."""
    for one in found:
        async with changing(database, ACTOR, "found") as connection:
            # One writer at a time, and the look for an earlier one within the lock.
            await connection.fetchval(
                "select 1 from custody.chain where network_id = $1 for update", network_id
            )
            is_booked = await connection.fetchval(
                "select exists (select from custody.posting "
                "where network_id = $1 and cause = 'found' and cause_id = $2)",
                network_id,
                one.name.encode(),
            )
            asset_id = await connection.fetchval(
                "select asset_id from custody.asset where network_id = $1 and contract = $2",
                network_id,
                one.contract,
            )
            if not is_booked and asset_id is not None:
                entries = postings.of_found(asset_id, one.amount_atoms)
                await postings.post(connection, network_id, "found", one.name.encode(), entries)


async def resume(database: Database, network_id: int, people: Sequence[str]) -> bool:
    """Ends a stop for books that differed, in the names of two people; False = there was none."""
    who = " and ".join(people)
    async with changing(database, ACTOR, f"resumed by {who}") as connection:
        is_ended = await connection.fetchval(
            "update custody.chain set withdrawals_stopped = false, stopped_reason = '' "
            "where network_id = $1 and withdrawals_stopped and stopped_reason like $2 "
            "returning true",
            network_id,
            f"{Condition.BOOKS_DEFICIT}:%",
        )
        if is_ended:
            await connection.execute(
                "insert into custody.reconciliation_run "
                "(network_id, height, block_hash, findings, reason) values ($1, -1, '', '[]', $2)",
                network_id,
                f"resumed by {who}",
            )
        return bool(is_ended)


async def record(
    database: Database,
    network_id: int,
    cut: Cut,
    findings: Sequence[Finding],
    stopping: Sequence[Finding],
    *,
    suspending: Sequence[Finding] = (),
) -> None:
    """One row per look, and the network's stop or an asset's, which only people end."""
    reason = "; ".join(map(str, [*stopping, *suspending]))
    async with changing(database, ACTOR, reason) as connection:
        await connection.executemany(
            OPENING, [(one.asset_id, one.opened().opening_atoms) for one in cut.owed]
        )
        await connection.execute(
            "insert into custody.reconciliation_run "
            "(network_id, height, block_hash, findings, reason) values ($1, $2, $3, $4, $5)",
            network_id,
            cut.block.height,
            cut.block.block_hash,
            json.dumps(
                [
                    {
                        "side": one.side,
                        "asset_id": one.asset_id,
                        "account": one.account,
                        "atoms": str(one.atoms),
                    }
                    | ({"destroyed": True} if one in suspending else {})
                    for one in findings
                ]
            ),
            reason,
        )
        if stopping:
            await connection.execute(
                "update custody.chain set withdrawals_stopped = true, stopped_reason = $2 "
                "where network_id = $1 and not withdrawals_stopped",
                network_id,
                f"{Condition.BOOKS_DEFICIT}: {'; '.join(map(str, stopping))}",
            )
        for one in suspending:
            await _suspend(connection, network_id, one)


async def _suspend(connection: Connection, network_id: int, finding: Finding) -> None:
    """Payouts of one asset wait by name, and no quote is given for it; others go on."""
    why = f"{Condition.BOOKS_DEFICIT}: {finding}"
    if await connection.fetchval(SUSPEND, network_id, finding.asset_id, why):
        await connection.execute(SUSPENDED, str(finding.asset_id), ACTOR, why)
        logs.get(__name__).error("payouts of an asset stop", asset=finding.asset_id, reason=why)


async def read_natives(database: Database, network_id: int) -> frozenset[int]:
    """Assets that a network takes its fees in."""
    rows = await database.read(
        "select asset_id from custody.asset where network_id = $1 and contract = ''", network_id
    )
    return frozenset(row["asset_id"] for row in rows)
