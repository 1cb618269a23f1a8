"""Which outputs of the chain are ours and unspent: one row each, kept by the scan of blocks.

`apply_block` and `undo_block` are called in the transaction that moves the scanner's watermark, so
that coins and watermark never differ; the same block again changes nothing. `spendable` is called
by the planner. Keys are compared as bytes. Only confirmed coins are ever spent: no transaction of
ours waits for another one, and the limits on chains in memory pools cannot be met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runtime.postgres import Connection, Database
from wallets.contract import Block

# Depth at which mined coins may move, by consensus.
COINBASE_DEPTH: Final = 100

APPLY_NEW: Final = """
insert into custody.bitcoin_coin
    (network_id, outpoint, key, amount_atoms, is_coinbase, height, block_hash)
select $1, found.outpoint, found.key, found.amount_atoms, found.is_coinbase, $2, $3
from unnest($4::text[], $5::bytea[], $6::bigint[], $7::boolean[])
    as found (outpoint, key, amount_atoms, is_coinbase)
join custody.address on address.network_id = $1 and address.key = found.key
on conflict (network_id, outpoint) do nothing
"""
APPLY_SPENT: Final = """
update custody.bitcoin_coin set spent_height = $2, spent_block_hash = $3
where network_id = $1 and outpoint = any($4::text[]) and spent_height is null
"""
UNDO_SPENT: Final = """
update custody.bitcoin_coin set spent_height = null, spent_block_hash = null
where network_id = $1 and spent_block_hash = $2
"""
UNDO_NEW: Final = "delete from custody.bitcoin_coin where network_id = $1 and block_hash = $2"
# Coins that a screening holds, or has not seen, pay nobody.
SPENDABLE: Final = """
select coin.outpoint, coin.amount_atoms, address.branch, address.path_index
from custody.bitcoin_coin coin
join custody.address using (network_id, key)
where coin.network_id = $1 and coin.spent_height is null and address.branch <> 'cold'
    and coin.height <= case when coin.is_coinbase then $2::bigint - $5::bigint + 1
                            when address.account_id = 0 then $2 else $3::bigint end
    and not coin.outpoint = any($6::text[])
    and coin.outpoint not in (
        select d.txid || ':' || d.index
        from custody.deposit d join custody.chain c using (network_id)
        where d.network_id = $1
            and (d.state = 'held' or d.state = 'confirming' and c.screens_deposits))
order by coin.amount_atoms desc, coin.outpoint
limit $4::bigint
"""
NAMED: Final = """
select coin.outpoint, coin.amount_atoms, address.branch, address.path_index
from custody.bitcoin_coin coin join custody.address using (network_id, key)
where coin.network_id = $1 and coin.outpoint = any($2::text[]) and coin.spent_height is null
"""
SPENT: Final = """
select outpoint, spent_height, spent_block_hash from custody.bitcoin_coin
where network_id = $1 and outpoint = any($2::text[]) and spent_height <= $3
order by spent_height limit 1
"""


@dataclass(frozen=True, slots=True)
class OwnCoin:
    """A coin with the place of its key."""

    outpoint: str
    amount_atoms: int
    branch: str
    path_index: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Where an outpoint of ours was spent."""

    outpoint: str
    height: int
    block_hash: str


async def apply_block(connection: Connection, network_id: int, block: Block) -> None:
    """Books what a block gives us and takes from us: two statements, however many addresses."""
    moves = block.movements
    await connection.execute(
        APPLY_NEW,
        network_id,
        block.ref.height,
        block.ref.block_hash,
        [f"{move.txid}:{move.index}" for move in moves],
        [move.key for move in moves],
        # Consensus keeps amounts below 2^63; other bytes cannot be in a block.
        [move.amount_atoms for move in moves],
        [move.is_coinbase for move in moves],
    )
    await connection.execute(
        APPLY_SPENT, network_id, block.ref.height, block.ref.block_hash, list(block.spent)
    )


async def undo_block(connection: Connection, network_id: int, block_hash: str) -> None:
    """Takes a block back that left the best chain; the later ones must be gone before."""
    await connection.execute(UNDO_SPENT, network_id, block_hash)
    await connection.execute(UNDO_NEW, network_id, block_hash)


async def spendable(
    database: Database,
    network_id: int,
    *,
    tip_height: int,
    deposit_depth: int,
    owned: Sequence[str],
    coins_max: int,
) -> list[OwnCoin]:
    """The largest free coins: our change once mined, deposits at their depth, mature ones."""
    rows = await database.read(
        SPENDABLE,
        network_id,
        tip_height,
        tip_height - deposit_depth + 1,
        coins_max,
        COINBASE_DEPTH,
        owned,
    )
    return [OwnCoin(*row) for row in rows]


async def named(database: Database, network_id: int, outpoints: Sequence[str]) -> list[OwnCoin]:
    """Coins that must be used, those not spent in a block."""
    return [OwnCoin(*row) for row in await database.read(NAMED, network_id, outpoints)]


async def first_spent(
    database: Database, network_id: int, outpoints: Sequence[str], up_to_height: int
) -> Spent | None:
    """The earliest spend of any of these in blocks up to a height."""
    rows = await database.read(SPENT, network_id, outpoints, up_to_height)
    return Spent(*rows[0]) if rows else None
