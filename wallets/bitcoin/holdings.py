"""Counts the coins that the scan of blocks has seen at our addresses, for reconciliation.

Called with a connection whose transaction sees one moment. A payout of ours that a block holds
before the pipeline settled it counts as leaving, by its own inputs and change: a stranger's
transaction that spends them has no such change, and shows as a deficit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runtime.postgres import Connection
from wallets.bitcoin.wire import Transaction, parse_transaction
from wallets.books.accounts import Account
from wallets.books.holdings import Found, Holdings, Pile
from wallets.contract import BlockRef
from wallets.errors import Broken

# Attempts that are signed and not final, and coins found at once; above it nobody can tell.
OPEN_MAX: Final = 20_000
FOUND_MAX: Final = 10_000
COLD_BRANCH: Final = "cold"
TIP: Final = """
select height, block_hash from custody.block where network_id = $1 order by height desc limit 1
"""
PILES: Final = """
select address.branch = $2 as is_cold, sum(coin.amount_atoms)::bigint as atoms
from custody.bitcoin_coin coin join custody.address using (network_id, key)
where coin.network_id = $1 and coin.spent_height is null
group by 1
"""
OPEN: Final = """
select raw from custody.attempt
where network_id = $1 and state in ('signed', 'broadcast', 'mined') and raw is not null limit $2
"""
SPENT: Final = """
select outpoint, amount_atoms, spent_block_hash, address.branch = $3 as is_cold
from custody.bitcoin_coin join custody.address using (network_id, key)
where network_id = $1 and outpoint = any($2::text[]) and spent_height is not null
"""
OURS: Final = """
select key, branch = $3 as is_cold from custody.address
where network_id = $1 and key = any($2::bytea[])
"""
MINED: Final = """
select outpoint, block_hash from custody.bitcoin_coin
where network_id = $1 and outpoint = any($2::text[])
"""
FOUND: Final = """
select coin.outpoint, coin.amount_atoms, coin.height, address.branch = $2 as is_cold
from custody.bitcoin_coin coin join custody.address using (network_id, key)
where coin.network_id = $1 and address.branch <> 'deposit'
    and not exists (select from custody.deposit d where d.network_id = $1
        and d.txid = split_part(coin.outpoint, ':', 1)
        and d.index = split_part(coin.outpoint, ':', 2)::bigint)
    and not exists (select from custody.attempt a where a.network_id = $1
        and a.txid = split_part(coin.outpoint, ':', 1))
    and not exists (select from custody.posting p where p.network_id = $1 and p.cause = 'found'
        and p.cause_id = convert_to(coin.outpoint, 'UTF8'))
order by coin.height, coin.outpoint limit $3
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """An input of ours that a block spends."""

    amount_atoms: int
    block_hash: str
    is_cold: bool


async def count_coins(connection: Connection, network_id: int) -> Holdings:
    """Everything at the scan's height. Raises Broken when there is more than can be looked at."""
    tip = await connection.fetchrow(TIP, network_id)
    rows = await connection.fetch(PILES, network_id, COLD_BRANCH)
    atoms = {row["is_cold"]: int(row["atoms"]) for row in rows}
    leaving = await _leaving(connection, network_id)
    found = await connection.fetch(FOUND, network_id, COLD_BRANCH, FOUND_MAX + 1)
    if len(found) > FOUND_MAX:
        raise Broken(f"network {network_id}: more than {FOUND_MAX} coins that nobody knows")
    return Holdings(
        BlockRef(-1, "") if tip is None else BlockRef(tip["height"], tip["block_hash"]),
        tuple(
            Pile(b"", place, atoms.get(is_cold, 0), leaving.get(is_cold, 0))
            for place, is_cold in ((Account.HOT, False), (Account.COLD, True))
        ),
        tuple(
            Found(
                row["outpoint"],
                b"",
                Account.COLD if row["is_cold"] else Account.HOT,
                row["amount_atoms"],
                row["height"],
            )
            for row in found
        ),
    )


async def _leaving(connection: Connection, network_id: int) -> dict[bool, int]:
    """What unsettled transactions of ours in blocks took, hot and cold; below zero: brought."""
    rows = await connection.fetch(OPEN, network_id, OPEN_MAX + 1)
    if len(rows) > OPEN_MAX:
        raise Broken(f"network {network_id}: more than {OPEN_MAX} attempts are open")
    attempts = [parse_transaction(row["raw"]) for row in rows]
    outpoints = [one.outpoint for attempt in attempts for one in attempt.inputs]
    spent = {
        row["outpoint"]: Spent(row["amount_atoms"], row["spent_block_hash"], row["is_cold"])
        for row in await connection.fetch(SPENT, network_id, outpoints, COLD_BRANCH)
    }
    scripts = {output.script for attempt in attempts for output in attempt.outputs}
    rows = await connection.fetch(OURS, network_id, list(scripts), COLD_BRANCH)
    ours = {row["key"]: row["is_cold"] for row in rows}
    returned = [name for attempt in attempts for name, _, _ in returns(attempt, ours)]
    mined = {
        row["outpoint"]: row["block_hash"]
        for row in await connection.fetch(MINED, network_id, returned)
    }
    total = {False: 0, True: 0}
    seen: set[str] = set()
    for attempt in attempts:
        names = [one.outpoint for one in attempt.inputs]
        if seen.isdisjoint(names) and is_mined(attempt, spent, ours, mined):
            # Attempts of one payout without change say the same; one of them is enough.
            seen.update(names)
            for name in names:
                total[spent[name].is_cold] += spent[name].amount_atoms
            for _, atoms, is_cold in returns(attempt, ours):
                total[is_cold] -= atoms
    return total


def returns(attempt: Transaction, ours: dict[bytes, bool]) -> Sequence[tuple[str, int, bool]]:
    """Outputs to addresses of ours, and whether to cold ones."""
    txid = attempt.txid()
    return [
        (f"{txid}:{place}", output.amount_atoms, ours[output.script])
        for place, output in enumerate(attempt.outputs)
        if output.script in ours
    ]


def is_mined(
    attempt: Transaction, spent: dict[str, Spent], ours: dict[bytes, bool], mined: dict[str, str]
) -> bool:
    """Whether one block spends all of its inputs and holds all that it returns."""
    inputs = [spent.get(one.outpoint) for one in attempt.inputs]
    blocks = {None if one is None else one.block_hash for one in inputs}
    blocks |= {mined.get(name) for name, _, _ in returns(attempt, ours)}
    return len(blocks) == 1 and None not in blocks
