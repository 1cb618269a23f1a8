"""The proof that a transaction can never be mined: our own scan of solid blocks. Pure.

Called before a payout is built again or released. An empty answer of a node proves nothing; only
blocks that follow one another by hash, from the reference block to the first one at or past the
expiration, that one included: a node holds the expiration against the time of the block before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from wallets.contract import BlockRef, TransactionId
from wallets.errors import Rejected
from wallets.tron.transactions import read, reference_of, transaction_id


@dataclass(frozen=True, slots=True)
class ScannedBlock:
    """A solid block as we read it, with the ids that we computed of its transactions."""

    ref: BlockRef
    parent_hash: str
    time_ms: int
    txids: frozenset[TransactionId]


def prove_dead(raw: bytes, scan: Sequence[ScannedBlock]) -> tuple[BlockRef, BlockRef]:
    """First and last block of the proof. Raises Rejected when the scan proves no such thing."""
    plan, txid = read(raw), transaction_id(raw)
    if not scan or reference_of(scan[0].ref, scan[0].ref.height) != plan.reference:
        raise Rejected("NO_PROOF", "the scan does not begin at the reference block")
    if scan[0].time_ms >= plan.expiration_ms:
        raise Rejected("NO_PROOF", "the first block is later than the expiration")
    for before, block in pairwise(scan):
        linked = block.parent_hash == before.ref.block_hash
        if not linked or block.ref.height != before.ref.height + 1:
            raise Rejected("NO_PROOF", f"a gap before block {block.ref.height}")
        if txid in block.txids:
            raise Rejected("MINED", f"it is in block {block.ref.height}")
        if block.time_ms >= plan.expiration_ms:
            return scan[0].ref, block.ref
    raise Rejected("NO_PROOF", "no block at or past the expiration yet")
