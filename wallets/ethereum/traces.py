"""Ether that contracts pass on within a call: an option, for nodes that have `trace_block`. Pure.

Called where a block is read. A call within counts when neither it nor any call that it stands in
failed: a caller that reverts takes back what was paid below it, though the payment itself carries
no error. Its index is below -1: -2 for the first call of a transaction, in the order of the trace.
"""

from typing import Any, Final

from wallets.contract import BlockRef, Movement, TransactionId
from wallets.errors import Quarantined
from wallets.ethereum.projection import canonical, kept
from wallets.ethereum.wire import ADDRESS_BYTES, data, fields, hash_text, quantity

FIRST_INDEX: Final = -2
# What moves ether to another account: a call, and the end of a contract.
MOVING: Final = {"call": ("to", "value"), "suicide": ("refundAddress", "balance")}
KEPT: Final = ("action", "error", "traceAddress", "transactionHash", "type", "blockHash")

Place = tuple[int, ...]


def internal_movements(traces: Any, ref: BlockRef) -> list[Movement]:
    """Ether moved by calls within transactions. Raises Quarantined: the node is wrong."""
    if not isinstance(traces, list):
        raise Quarantined("a block without traces")
    by_txid: dict[TransactionId, list[tuple[Place, dict[str, Any]]]] = {}
    for trace in traces:
        told = fields(trace)
        if hash_text(told.get("blockHash")) != ref.block_hash:
            raise Quarantined("a trace of another block")
        # Rewards of a block have no transaction.
        if told.get("transactionHash") is not None:
            txid = TransactionId(hash_text(told["transactionHash"]))
            by_txid.setdefault(txid, []).append((place_of(told), told))
    return [move for txid, calls in by_txid.items() for move in within(txid, calls)]


def within(txid: TransactionId, calls: list[tuple[Place, dict[str, Any]]]) -> list[Movement]:
    """The movements of one transaction, without the one that it makes itself."""
    failed = {place for place, told in calls if told.get("error") is not None}
    found = []
    for number, (place, told) in enumerate(one for one in calls if one[0]):
        names = MOVING.get(str(told.get("type")))
        if names is None or is_undone(place, failed):
            continue
        action = fields(told.get("action"))
        # Borrowed code moves nothing: its value is that of the call around it.
        if action.get("callType", "call") != "call":
            continue
        recipient, amount_atoms = data(action.get(names[0]), ADDRESS_BYTES), action.get(names[1])
        value = quantity(amount_atoms)
        if value:
            proof = canonical(kept(told, KEPT))
            index = FIRST_INDEX - number
            found.append(
                Movement(txid, index, b"", recipient, value, is_coinbase=False, proof=proof)
            )
    return found


def is_undone(place: Place, failed: set[Place]) -> bool:
    """Whether a call or any around it failed."""
    return any(place[:depth] in failed for depth in range(len(place) + 1))


def place_of(trace: dict[str, Any]) -> Place:
    """Where a call stands: the number of each call around it; empty for the transaction's own."""
    found = trace.get("traceAddress")
    if not isinstance(found, list) or not all(isinstance(one, int) for one in found):
        raise Quarantined("a trace without its place")
    return tuple(found)
