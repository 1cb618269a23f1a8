"""What a node's memory pool pays, for the view of deposits that no block has yet.

Called by the adapter. Bytes must hash to the id they were asked for; one that left the pool in the
meantime, or cannot be read, is left out: nothing is credited by what is seen here.
"""

from wallets.bitcoin.blocks import movements_of
from wallets.bitcoin.node import NOT_FOUND, Node
from wallets.bitcoin.wire import Malformed, parse_transaction
from wallets.contract import Movement
from wallets.deposits import limits
from wallets.deposits.pool import PoolView
from wallets.errors import Condition, Stuck
from wallets.json_rpc import NodeRefused


async def read_pool(node: Node, known: frozenset[str]) -> PoolView:
    """One look. Raises Unavailable, NodeRefused, Stuck."""
    before = await node.call("getbestblockhash")
    txids = frozenset(str(txid) for txid in await node.call("getrawmempool"))
    after = await node.call("getbestblockhash")
    if len(txids) > limits.POOL_TXIDS_MAX:
        raise Stuck(Condition.NODES_DISAGREE, f"a pool of {len(txids)} transactions")
    asked = sorted(txids - known)[: limits.POOL_READ_MAX]
    movements = [move for txid in asked for move in await _paid_by(node, txid)]
    block_hash = str(after) if before == after else ""
    return PoolView(txids, tuple(movements), frozenset(asked), block_hash)


async def _paid_by(node: Node, txid: str) -> list[Movement]:
    try:
        raw = bytes.fromhex(str(await node.call("getrawtransaction", txid)))
        transaction = parse_transaction(raw)
    except NodeRefused as error:
        if error.code == NOT_FOUND:
            return []
        raise
    except (Malformed, ValueError):
        return []
    if transaction.txid() != txid:
        return []
    proof = transaction.serialise(with_witness=False)
    return list(movements_of(transaction, proof, transaction.txid()))
