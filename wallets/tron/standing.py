"""Where a transaction stands: by its receipt, by our own scan of blocks, or not at all.

Called by the adapter. Final is what the solid state of enough nodes shows. A missing receipt proves
nothing: an attempt is dead only when our own scan holds every solid block from its reference to the
first past its expiration, and it is in none of them.
"""

from typing import Any

from google.protobuf.message import DecodeError
from tronpy.proto import tron_pb2

from runtime.errors import Unavailable
from runtime.postgres import Database
from wallets.contract import (
    Attempt,
    BlockRef,
    Confirmation,
    ConfirmationState,
    TransactionId,
)
from wallets.errors import Condition, Quarantined, Rejected, Stuck
from wallets.tron import transactions
from wallets.tron.blocks import has_failed, transfers
from wallets.tron.contracts import Trigger
from wallets.tron.death import prove_dead
from wallets.tron.node_set import NodeSet
from wallets.tron.scan import read_scan
from wallets.tron.wire import canonical, number

S = ConfirmationState


def raw_of(whole: bytes) -> bytes:
    """The bytes that were signed, out of a signed transaction. Raises Rejected."""
    try:
        parsed = tron_pb2.Transaction.FromString(whole)
    except DecodeError as error:
        raise Rejected("MALFORMED", "not a transaction") from error
    if not parsed.signature:
        raise Rejected("MALFORMED", "not signed")
    return bytes(parsed.raw_data.SerializeToString(deterministic=True))


class Standing:
    """Look-ups for one network."""

    def __init__(self, network_id: int, nodes: NodeSet, database: Database) -> None:
        self._network_id = network_id
        self._nodes = nodes
        self._database = database

    async def of(self, attempt: Attempt) -> Confirmation:
        """Where an attempt stands. Raises Unavailable, Stuck."""
        raw = raw_of(attempt.raw)
        plan, txid = transactions.read(raw), transactions.transaction_id(raw)
        try:
            for is_solid in (True, False):
                receipt = await self._nodes.agreed_info(txid, is_solid=is_solid)
                if receipt is not None:
                    return await self._mined(plan, txid, receipt, is_solid=is_solid)
        except Quarantined as error:
            raise Stuck(Condition.NODES_DISAGREE, str(error)) from error
        dead = await self._dead(plan, txid, raw)
        if dead is not None:
            return dead
        state = S.IN_POOL if await self._nodes.is_pending(txid) else S.NOT_SEEN
        return Confirmation(state, txid, None, 0, 0, b"")

    async def _mined(
        self,
        plan: transactions.Plan,
        txid: TransactionId,
        receipt: dict[str, Any],
        *,
        is_solid: bool,
    ) -> Confirmation:
        """What its receipt says; it is final when it is solid."""
        height = number(receipt.get("blockNumber"))
        try:
            if is_solid:
                ref = await self._nodes.solid_ref(height)
            else:
                ref = await self._nodes.agreed_ref(height, is_solid=False)
        except Stuck as error:
            if is_solid:
                raise
            # Heads of two branches: the solid block will tell.
            raise Unavailable(str(error)) from error
        head_height, _ = await self._nodes.head()
        state = S.MINED
        if is_solid:
            state = S.FAILED if has_failed(receipt) else S.FINAL
        if state is S.FINAL:
            check_paid(plan, txid, receipt)
        proof = canonical({"block": ref.block_hash, "receipt": receipt})
        depth = max(1, head_height - height + 1)
        return Confirmation(state, txid, ref, depth, number(receipt.get("fee")), proof)

    async def _dead(
        self, plan: transactions.Plan, txid: TransactionId, raw: bytes
    ) -> Confirmation | None:
        """The death that our scan proves; None when it proves none."""
        scan = await read_scan(self._database, self._network_id, plan)
        if not scan:
            return None
        try:
            first, last = prove_dead(raw, scan)
        except Rejected as error:
            if error.reason == "MINED":
                raise Unavailable(f"{txid} is in a block that nodes do not show yet") from error
            return None
        proof = canonical(proof_of(plan, first, last))
        return Confirmation(S.DEAD, txid, last, 0, 0, proof)


def proof_of(plan: transactions.Plan, first: BlockRef, last: BlockRef) -> dict[str, object]:
    """Between which blocks anybody can see that it is not there."""
    return {
        "expiration_ms": plan.expiration_ms,
        "from": {"height": first.height, "block": first.block_hash},
        "to": {"height": last.height, "block": last.block_hash},
    }


def check_paid(plan: transactions.Plan, txid: TransactionId, receipt: dict[str, Any]) -> None:
    """Whether a token that says it paid has logged so. Raises Stuck(ASSET_SUSPENDED).

    Any amount counts as paid: a token that keeps a fee has paid. None at all is for people to look
    at, since the money may have moved without a word.
    """
    if not isinstance(plan.contract, Trigger):
        return
    recipient = plan.contract.owner[:1] + plan.contract.data[16:36]
    moved = transfers(txid, receipt, (plan.contract.contract,))
    if not any(move.key == recipient for move in moved):
        raise Stuck(Condition.ASSET_SUSPENDED, f"{txid} succeeded and logged no transfer")
