"""Counts coins at accounts of Ethereum and TRON: hot ones and deposit addresses, by the nodes.

Called by `job`, twice per look. `prepare` asks the nodes for balances at the block that the scan
has reached and stores them; `count` adds them up in the moment of the look, or says that the chain
went on meanwhile. Hot accounts are read each time, deposit addresses when a deposit or a transfer
of ours touched them, and all others in turn, a page per look. It moves and books nothing.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Final, TypeVar

import asyncpg

from runtime.errors import Unavailable
from runtime.postgres import Connection, Database
from wallets.books import receipts
from wallets.books.accounts import Account
from wallets.books.holdings import (
    AsksBalances,
    ChainMoved,
    Found,
    Holdings,
    Pile,
    TellsDepartures,
)
from wallets.contract import Attempt, AttemptId, BlockRef, ConfirmationState
from wallets.core.transactions import changing
from wallets.errors import Broken, Quarantined, Stuck
from wallets.reconciliation import limits

ACTOR: Final = "reconciliation"
TIP: Final = """
select height, block_hash from custody.block where network_id = $1 order by height desc limit 1
"""
CONTRACT: Final = "select contract from custody.asset where network_id = $1 and asset_id = $2"
CONTRACTS: Final = "select contract from custody.asset where network_id = $1"
# Of deposit addresses, those that something happened to since they were read: a deposit in a later
# block, or a transfer of ours that was open or ended after it.
TOUCHED: Final = """
select key from (
    select d.key from custody.deposit d where d.network_id = $1 and d.block_height is not null
        and not exists (select from custody.account_holding h where h.network_id = $1
            and h.key = d.key and h.height >= d.block_height)
    union select s.key from custody.gathering_step s join custody.attempt a using (attempt_id)
    where s.network_id = $1 and not exists (
        select from custody.account_holding h where h.network_id = $1 and h.key = s.key
            and (h.height >= $2 or (a.state in ('final', 'failed', 'dead')
                and h.read_at > a.changed_at)))
) touched order by key limit $3
"""
OLDEST: Final = """
select key from custody.account_holding where network_id = $1 and contract = '' and height < $2
order by read_at limit $3
"""
STORE: Final = """
insert into custody.account_holding as h values ($1, $2, $3, $4, $5, $6)
on conflict (network_id, key, contract) do update
set amount_atoms = excluded.amount_atoms, height = excluded.height, read_at = excluded.read_at
where h.height <= excluded.height
"""
SUMS: Final = """
select contract, sum(amount_atoms) as atoms from custody.account_holding
where network_id = $1 group by contract
"""
STALE_HOT: Final = """
select exists (select from unnest($2::bytea[]) hot(key) where not exists (
    select from custody.account_holding h
    where h.network_id = $1 and h.key = hot.key and h.contract = '' and h.height = $3))
"""
OPEN: Final = """
select attempt_id, txid, raw, fee_atoms_max from custody.attempt
where network_id = $1 and state in ('signed', 'broadcast', 'mined') and raw is not null
order by attempt_id limit $2
"""
# What payouts take, and transfers of ours between places of the book: stake for example.
PAID: Final = """
select attempt_id, contract, sum(atoms) as atoms from (
    select o.attempt_id, s.contract, o.amount_atoms as atoms
    from custody.attempt_output o join custody.payout p using (withdrawal_id)
        join custody.asset s on s.network_id = p.network_id and s.asset_id = p.asset_id
    union all select t.attempt_id, s.contract,
        case when t.source = $2 then t.amount_atoms else -t.amount_atoms end
    from custody.treasury_transfer t join custody.asset s using (network_id, asset_id)
    where (t.source = $2) <> (t.target = $2)
) taken where attempt_id = any($1::bigint[]) group by 1, 2
"""
FOUND: Final = """
select r.txid, r.index, r.contract, r.amount_atoms, r.height from custody.hot_receipt r
where r.network_id = $1
    and not exists (select from custody.attempt a where a.network_id = $1 and a.txid = r.txid)
    and not exists (select from custody.posting p where p.network_id = $1 and p.cause = 'found'
        and p.cause_id = convert_to(r.txid || ':' || r.index, 'UTF8'))
order by r.height, r.txid, r.index limit $2
"""
# The newest look at the chain at which nothing of an asset was missing there, or only what is known
# to be its issuer's doing.
WHOLE_AT: Final = """
select height from custody.reconciliation_run where network_id = $1 and height >= 0
    and not exists (select from jsonb_to_recordset(findings)
        as found(side text, asset_id integer, atoms numeric, destroyed boolean)
        where side = 'chain' and asset_id = $2 and atoms < 0 and destroyed is not true)
order by run_id desc limit 1
"""
# Of senders, those that are ours, in transactions that are none of ours.
TAKEN: Final = """
select exists (select from unnest($2::text[], $3::bytea[]) gone(txid, key)
    where (exists (select from custody.address a where a.network_id = $1 and a.key = gone.key)
            or gone.key = any($4::bytea[]))
        and not exists (select from custody.attempt a
            where a.network_id = $1 and a.txid = gone.txid))
"""
PAYS: Final = (ConfirmationState.MINED, ConfirmationState.FINAL)
T = TypeVar("T")


async def asked(answer: Awaitable[T]) -> T:
    """What nodes answer; one that cannot be believed is as none. Raises Unavailable, ChainMoved."""
    try:
        return await answer
    except (Quarantined, Stuck) as error:
        raise Unavailable(str(error)) from error


@dataclass(frozen=True, slots=True)
class Accounts:
    """Of one network."""

    database: Database
    network_id: int
    chain: AsksBalances

    async def prepare(self) -> None:
        """Reads and stores balances at the scan's block. Raises Unavailable, ChainMoved, Broken."""
        async with self.database.connection() as connection:
            ref = await self._tip(connection)
            assets = await connection.fetch(CONTRACTS, self.network_id)
            keys = await self._keys(connection, ref)
            now = await connection.fetchval("select clock_timestamp()")
        if not await asked(self.chain.is_at(ref)):
            raise ChainMoved
        places = [
            (key, contract) for key in keys for contract in (row["contract"] for row in assets)
        ]
        seats = asyncio.Semaphore(limits.READS_AT_ONCE)

        async def read(place: tuple[bytes, bytes]) -> int:
            async with seats:
                return await self.chain.read(ref, *place)

        atoms = await asked(asyncio.gather(*(read(place) for place in places)))
        if not await asked(self.chain.is_at(ref)):
            raise ChainMoved
        async with changing(self.database, ACTOR, "read") as connection:
            await connection.executemany(
                STORE,
                [
                    (self.network_id, *place, found, ref.height, now)
                    for place, found in zip(places, atoms, strict=True)
                ],
            )

    async def count(self, connection: Connection, network_id: int) -> Holdings:
        """All of it at the scan's block. Raises Unavailable, ChainMoved, Broken."""
        ref = await self._tip(connection)
        hot = list(await receipts.read_hot(connection, network_id))
        if await connection.fetchval(STALE_HOT, network_id, hot, ref.height):
            raise ChainMoved
        if await connection.fetch(TOUCHED, network_id, ref.height, 1):
            raise ChainMoved
        # Whatever settled before this moment is in this block, or the sums would not fit.
        if not await asked(self.chain.is_at(ref)):
            raise ChainMoved
        sums = {
            row["contract"]: int(row["atoms"]) for row in await connection.fetch(SUMS, network_id)
        }
        leaving = await self._leaving(connection, ref)
        rows = await connection.fetch(FOUND, network_id, limits.RECEIPTS_MAX + 1)
        if len(rows) > limits.RECEIPTS_MAX:
            raise Broken(f"network {network_id}: too many payments that nobody knows")
        return Holdings(
            ref,
            tuple(
                Pile(row["contract"], Account.HOT, sums.get(row["contract"], 0), left)
                for row in await connection.fetch(CONTRACTS, network_id)
                for left in (leaving.get(row["contract"], 0),)
            ),
            tuple(
                Found(
                    f"{row['txid']}:{row['index']}",
                    row["contract"],
                    Account.HOT,
                    int(row["amount_atoms"]),
                    row["height"],
                )
                for row in rows
            ),
            opens_with_surplus=True,
        )

    async def was_taken(self, asset_id: int, ref: BlockRef) -> bool:
        """Whether tokens that are missing went by a transfer of ours that custody does not know.

        False is said only where the chain's logs tell it: then nobody but their issuer can have
        destroyed them, which no key of ours could stop. Raises Unavailable.
        """
        async with self.database.connection() as connection:
            whole_at = await connection.fetchval(WHOLE_AT, self.network_id, asset_id)
            contract = await connection.fetchval(CONTRACT, self.network_id, asset_id)
            hot = list(await receipts.read_hot(connection, self.network_id))
        if not isinstance(self.chain, TellsDepartures) or not contract or whole_at is None:
            return True
        if not 0 <= ref.height - whole_at <= limits.DEPARTURE_BLOCKS_MAX:
            return True
        above = max(0, whole_at - limits.DEPARTURE_OVERLAP_BLOCKS)
        found = await asked(self.chain.departures(contract, above, ref))
        if not await asked(self.chain.is_at(ref)):
            raise Unavailable("the chain went on while logs were read")
        async with self.database.connection() as connection:
            return bool(
                await connection.fetchval(
                    TAKEN,
                    self.network_id,
                    [one.txid for one in found],
                    [one.sender for one in found],
                    hot,
                )
            )

    async def _tip(self, connection: Connection) -> BlockRef:
        row = await connection.fetchrow(TIP, self.network_id)
        if row is None:
            raise Unavailable("no block was scanned yet")
        return BlockRef(row["height"], row["block_hash"])

    async def _keys(self, connection: Connection, ref: BlockRef) -> list[bytes]:
        """Which accounts are read now."""
        hot = await receipts.read_hot(connection, self.network_id)
        found = set(hot)
        for query, most in ((TOUCHED, limits.TOUCHED_PAGE), (OLDEST, limits.OLDEST_PAGE)):
            rows = await connection.fetch(query, self.network_id, ref.height, most)
            found |= {row["key"] for row in rows}
        return sorted(found)

    async def _leaving(self, connection: Connection, ref: BlockRef) -> dict[bytes, int]:
        """What transactions of ours took that blocks have and the book has not, by contract."""
        rows = await connection.fetch(OPEN, self.network_id, limits.OPEN_MAX + 1)
        if len(rows) > limits.OPEN_MAX:
            raise Unavailable(f"more than {limits.OPEN_MAX} transactions are open")
        paid = await connection.fetch(PAID, [row["attempt_id"] for row in rows], Account.HOT)
        total: dict[bytes, int] = {}
        for row in rows:
            taken, fee_atoms = await self._taken(row, ref)
            total[b""] = total.get(b"", 0) + fee_atoms
            for one in paid if taken else ():
                if one["attempt_id"] == row["attempt_id"]:
                    total[one["contract"]] = total.get(one["contract"], 0) + int(one["atoms"])
        return total

    async def _taken(self, row: asyncpg.Record, ref: BlockRef) -> tuple[bool, int]:
        """Whether a block has paid what it pays, and the fee."""
        attempt = Attempt(
            AttemptId(row["attempt_id"]), row["txid"], row["raw"], (), int(row["fee_atoms_max"])
        )
        found = await asked(self.chain.confirm(attempt))
        if found.txid != row["txid"] or found.block is None or found.block.height > ref.height:
            # Not there yet, or another one is, which is counted for itself.
            return False, 0
        return found.state in PAYS, found.fee_atoms
