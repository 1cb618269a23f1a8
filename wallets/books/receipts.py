"""Movements to hot accounts of Ethereum and TRON, block by block, for reconciliation.

`apply_block` and `undo_block` run in the scanner's transaction that moves its watermark. They book
nothing: what nobody asked for is booked by reconciliation once its block is deep.
"""

from runtime.postgres import Connection
from wallets.contract import Block

HOT = """
select account from custody.tron_account where network_id = $1
union all select account from custody.ethereum_lane where network_id = $1
"""
# What we send ourselves is known by its id, which is stored before it is sent.
ADD = """
insert into custody.hot_receipt
select $1::integer, $2::text, $3::bigint, $4::bytea, $5::numeric, $6::bigint, $7::text
where not exists (select from custody.attempt where network_id = $1 and txid = $2)
on conflict do nothing
"""
UNDO = "delete from custody.hot_receipt where network_id = $1 and block_hash = $2"
# What was read on a branch that left the chain is to be read again.
FORGET = """
delete from custody.account_holding h using custody.block b
where b.network_id = $1 and b.block_hash = $2 and h.network_id = $1 and h.height >= b.height
"""


async def read_hot(connection: Connection, network_id: int) -> frozenset[bytes]:
    """All accounts that pay, draining ones too."""
    return frozenset(row["account"] for row in await connection.fetch(HOT, network_id))


async def apply_block(connection: Connection, network_id: int, block: Block) -> None:
    """Keeps what a block brings to hot accounts."""
    hot = await read_hot(connection, network_id)
    moves = [move for move in block.movements if move.key in hot and move.amount_atoms > 0]
    ref = block.ref
    await connection.executemany(
        ADD,
        [
            (
                network_id,
                move.txid,
                move.index,
                move.contract,
                move.amount_atoms,
                ref.height,
                ref.block_hash,
            )
            for move in moves
        ],
    )


async def undo_block(connection: Connection, network_id: int, block_hash: str) -> None:
    """Forgets what a block brought that left the chain; its row is still there."""
    await connection.execute(UNDO, network_id, block_hash)
    await connection.execute(FORGET, network_id, block_hash)
