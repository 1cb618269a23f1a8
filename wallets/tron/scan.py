"""Our own scan of solid blocks, kept so that a death can be proven from it.

`apply_block` and `undo_block` are hooks of the scanner, in its transaction with the watermark;
`read_scan` is for the adapter's `confirm`. Ids are kept two longest lives of a transaction, and
beyond that while an attempt has no end yet.
"""

from runtime.postgres import Connection, Database
from wallets.books import receipts
from wallets.contract import Block, BlockRef, TransactionId
from wallets.tron import limits
from wallets.tron.blocks import TronBlock
from wallets.tron.death import ScannedBlock
from wallets.tron.transactions import Plan
from wallets.tron.wire import HASH_BYTES

NANOSECONDS_PER_MILLISECOND = 1_000_000
UNDO_SQL = """
delete from custody.tron_scan s using custody.block b
where b.network_id = $1 and b.block_hash = $2
    and s.network_id = b.network_id and s.height = b.height
"""
PRUNE_SQL = """
delete from custody.tron_scan s using custody.block b
where s.network_id = $1 and b.network_id = s.network_id and b.height = s.height
    and b.time_ns < $2::bigint and s.height <= $3 and not exists (
        select from custody.attempt a where a.network_id = $1
            and a.state in ('planned', 'signed', 'broadcast')
            and a.created_at < to_timestamp($2::bigint / 1000000000))
"""
# The newest block that a transaction's reference can mean.
REFERENCE_SQL = """
select max(height) from custody.block
where network_id = $1 and height % 65536 = $2 and substr(block_hash, 17, 16) = $3
"""
SCAN_SQL = """
select height, block_hash, parent_hash, time_ns, txids
from custody.tron_scan join custody.block using (network_id, height)
where network_id = $1 and height >= $2 order by height limit $3
"""
# Blocks between two looks at what need not be kept any longer.
PRUNE_EVERY_BLOCKS = 100


async def apply_block(connection: Connection, network_id: int, block: Block) -> None:
    """Keeps the ids of a block, and what it brings to hot accounts."""
    assert isinstance(block, TronBlock), "a block of the TRON adapter"
    txids = b"".join(sorted(bytes.fromhex(txid) for txid in block.txids))
    height = block.ref.height
    await connection.execute(
        "insert into custody.tron_scan values ($1, $2, $3)", network_id, height, txids
    )
    if height % PRUNE_EVERY_BLOCKS == 0:
        oldest_ns = block.time_ns - limits.SCAN_KEPT_MILLISECONDS * NANOSECONDS_PER_MILLISECOND
        await connection.execute(PRUNE_SQL, network_id, oldest_ns, height)
    await receipts.apply_block(connection, network_id, block)


async def undo_block(connection: Connection, network_id: int, block_hash: str) -> None:
    """Forgets a block that left the chain."""
    await connection.execute(UNDO_SQL, network_id, block_hash)
    await receipts.undo_block(connection, network_id, block_hash)


async def read_scan(database: Database, network_id: int, plan: Plan) -> list[ScannedBlock]:
    """From the transaction's reference block to the first past its expiration, or less.

    Empty while the scan has not come past the expiration, or never saw the reference block.
    """
    newest = await database.read_row(
        "select max(time_ns) as time_ns from custody.block where network_id = $1", network_id
    )
    expiration_ns = plan.expiration_ms * NANOSECONDS_PER_MILLISECOND
    if newest is None or newest["time_ns"] is None or newest["time_ns"] < expiration_ns:
        return []
    reference = plan.reference
    low, part = int.from_bytes(reference.height_bytes), reference.hash_bytes.hex()
    first = await database.read_row(REFERENCE_SQL, network_id, low, part)
    if first is None or first["max"] is None:
        return []
    rows = await database.read(SCAN_SQL, network_id, first["max"], limits.PROOF_BLOCKS_MAX)
    found = []
    for row in rows:
        block = ScannedBlock(
            BlockRef(row["height"], row["block_hash"]),
            row["parent_hash"],
            row["time_ns"] // NANOSECONDS_PER_MILLISECOND,
            ids_of(row["txids"]),
        )
        found.append(block)
        if block.time_ms >= plan.expiration_ms:
            break
    return found


def ids_of(joined: bytes) -> frozenset[TransactionId]:
    """Ids out of the bytes that hold all of a block."""
    places = range(0, len(joined), HASH_BYTES)
    return frozenset(TransactionId(joined[at : at + HASH_BYTES].hex()) for at in places)
