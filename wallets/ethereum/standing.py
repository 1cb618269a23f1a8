"""Where a transaction stands: by its receipt, by that of another at its nonce, or not at all.

Called by the adapter. A missing receipt proves nothing. An attempt is dead only when the nonce was
used in a final block by a transaction that is not it and does not pay the same; then that
transaction, with its block, is the proof. When a sibling that pays the same was mined instead, the
answer is the sibling's.
"""

from typing import Any

from runtime.errors import Unavailable
from runtime.postgres import Database
from wallets.contract import (
    Attempt,
    BlockRef,
    Confirmation,
    ConfirmationState,
    TransactionId,
)
from wallets.errors import Condition, Quarantined, Stuck
from wallets.ethereum import lanes
from wallets.ethereum.blocks import transfers
from wallets.ethereum.node_set import NodeSet
from wallets.ethereum.projection import canonical, receipt_of, transaction_of
from wallets.ethereum.senders import sender_of
from wallets.ethereum.transactions import Signed, parse_signed, payment_of
from wallets.ethereum.wire import fields, hash_text, quantity

S = ConfirmationState


class Standing:
    """Look-ups for one network."""

    def __init__(
        self,
        network_id: int,
        nodes: NodeSet,
        database: Database,
        *,
        final_tag: str,
        final_depth: int,
    ) -> None:
        self._network_id = network_id
        self._nodes = nodes
        self._database = database
        self._final_tag = final_tag
        self._final_depth = final_depth

    async def of(self, attempt: Attempt) -> Confirmation:
        """Where an attempt stands. Raises Unavailable, Stuck."""
        signed = parse_signed(attempt.raw)
        try:
            found = await self._by_receipt(signed)
            if found is None:
                found = await self._by_nonce(signed)
            return found if found is not None else await self._unmined(signed)
        except Quarantined as error:
            raise Stuck(Condition.NODES_DISAGREE, str(error)) from error

    async def _final_height(self, tip: BlockRef) -> int:
        if self._final_tag:
            return await self._nodes.final_height(self._final_tag)
        return tip.height - self._final_depth + 1

    async def _by_receipt(self, signed: Signed) -> Confirmation | None:
        """What its receipt says; None when it has none."""
        method = "eth_getTransactionReceipt"
        receipt = await self._nodes.agreed_answer(method, "0x" + signed.txid)
        if receipt is None:
            return None
        told = fields(receipt)
        ref = BlockRef(quantity(told.get("blockNumber")), hash_text(told.get("blockHash")))
        tip = await self._nodes.tip()
        if tip.height < ref.height or await self._nodes.agreed_ref(ref.height) != ref:
            raise Unavailable(f"nodes do not agree yet that {ref.block_hash} holds it")
        if hash_text(told.get("transactionHash")) != signed.txid:
            raise Quarantined("a receipt of another transaction")
        is_final = ref.height <= await self._final_height(tip)
        if is_final:
            # What is said for good decides about money: it must hash up to the agreed block.
            told = await self._proven_receipt(signed, ref, told)
        state = S.FINAL if is_final else S.MINED
        if quantity(told.get("status")) != 1:
            state = S.FAILED if is_final else S.MINED
        elif is_final:
            check_paid(signed, told)
        return Confirmation(
            state,
            signed.txid,
            ref,
            tip.height - ref.height + 1,
            quantity(told.get("gasUsed")) * quantity(told.get("effectiveGasPrice")),
            canonical(told),
        )

    async def _proven_receipt(
        self, signed: Signed, ref: BlockRef, told: dict[str, Any]
    ) -> dict[str, Any]:
        """Its receipt out of the proven block. Raises Unavailable, Quarantined."""
        raw = await self._nodes.proven(ref)
        if raw is None:
            return told
        listed = raw.block["transactions"]
        for one, receipt in zip(listed, raw.receipts, strict=True):
            if hash_text(one["hash"]) == signed.txid:
                # The price of gas is in no root: it stays what the nodes agree on.
                price = told.get("effectiveGasPrice")
                return {**receipt_of(fields(receipt)), "effectiveGasPrice": price}
        raise Unavailable(f"block {ref.block_hash} does not hold {signed.txid}")

    async def _by_nonce(self, signed: Signed) -> Confirmation | None:
        """What another transaction at its nonce means; None while there is none in a block."""
        tip = await self._nodes.tip()
        if await self._count(signed, tip.height) <= signed.nonce:
            return None
        sibling = await self._paid_by_sibling(signed)
        if sibling is not None:
            return sibling
        final_height = await self._final_height(tip)
        if final_height < 0 or await self._count(signed, final_height) <= signed.nonce:
            # Not for good yet.
            return Confirmation(S.NOT_SEEN, signed.txid, None, 0, 0, b"")
        return await self._dead(signed, tip, final_height)

    async def _paid_by_sibling(self, signed: Signed) -> Confirmation | None:
        """What an attempt at the same nonce that pays the same came to, if it is in a block."""
        anchor = signed.anchor
        for raw in await lanes.read_attempts(self._database, self._network_id, anchor):
            sibling = parse_signed(raw)
            if sibling.txid != signed.txid and payment_of(sibling) == payment_of(signed):
                found = await self._by_receipt(sibling)
                if found is not None:
                    return found
        return None

    async def _count(self, signed: Signed, height: int) -> int:
        """Nonces of the lane that are used up to a block."""
        lane = signed.anchor.partition(":")[0]
        method = "eth_getTransactionCount"
        return quantity(await self._nodes.agreed_answer(method, lane, hex(height)))

    async def _dead(self, signed: Signed, tip: BlockRef, final_height: int) -> Confirmation:
        """The final transaction that has the nonce, as the proof. Raises Unavailable."""
        height = await self._first_used(signed, final_height)
        ref = await self._nodes.agreed_ref(height)
        method = "eth_getBlockByHash"
        raw = await self._nodes.proven(ref)
        if raw is None:
            block = fields(await self._nodes.agreed_answer(method, "0x" + ref.block_hash, True))
        else:
            block = raw.block
        other = other_at_nonce(block, signed)
        if other is None:
            raise Unavailable(f"block {height} does not show what has the nonce")
        if raw is not None and sender_of(other) != signed.lane:
            raise Quarantined("a transaction under the name of a lane that did not sign it")
        other = transaction_of(other)
        proof = canonical({"block": ref.block_hash, "height": height, "transaction": other})
        return Confirmation(S.DEAD, signed.txid, ref, tip.height - height + 1, 0, proof)

    async def _first_used(self, signed: Signed, height: int) -> int:
        """The first block after which the nonce is used; it is at `height` for sure."""
        unused, used = -1, height
        while used - unused > 1:
            middle = (unused + used) // 2
            if await self._count(signed, middle) > signed.nonce:
                used = middle
            else:
                unused = middle
        return used

    async def _unmined(self, signed: Signed) -> Confirmation:
        """In some node's pool, or nowhere to be seen; both prove nothing."""
        told = await self._nodes.any_answer("eth_getTransactionByHash", "0x" + signed.txid)
        state = S.NOT_SEEN if told is None else S.IN_POOL
        return Confirmation(state, signed.txid, None, 0, 0, b"")


def check_paid(signed: Signed, receipt: dict[str, Any]) -> None:
    """Whether a token that says it paid has logged so. Raises Stuck(ASSET_SUSPENDED).

    Any amount counts as paid: a token that keeps a fee has paid. None at all is for people to look
    at, since the money may have moved without a word.
    """
    payment = payment_of(signed)
    if payment is None or not payment[0]:
        return
    contract, recipient, _ = payment
    moved = transfers(receipt, (contract,))
    if not any(one.recipient == recipient for one in moved):
        raise Stuck(Condition.ASSET_SUSPENDED, f"{signed.txid} succeeded and logged no transfer")


def other_at_nonce(block: dict[str, Any], signed: Signed) -> dict[str, Any] | None:
    """The transaction of a block that has the nonce of the lane and is not this one."""
    lane = "0x" + signed.lane.hex()
    for one in block.get("transactions", ()):
        told = fields(one)
        if str(told.get("from")).lower() != lane or quantity(told.get("nonce")) != signed.nonce:
            continue
        return None if TransactionId(hash_text(told.get("hash"))) == signed.txid else told
    return None
