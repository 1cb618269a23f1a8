"""What a node's answer to a broadcast means. Pure.

Called by the adapter's `broadcast`. A node says "true" before any block has the transaction, says
errors with HTTP 200, and spells `BANDWITH_ERROR` so. Nothing here is a proof that a transaction is
dead: a refusal by one node says nothing of others, and a duplicate is to be looked up, for an id
that was refused can answer so as well.
"""

from collections.abc import Mapping
from typing import Final

from wallets.contract import Broadcast, BroadcastOutcome, TransactionId
from wallets.tron.limits import REASON_LENGTH_MAX

OUTCOMES: Final[Mapping[str, BroadcastOutcome]] = {
    "DUP_TRANSACTION_ERROR": BroadcastOutcome.KNOWN,
    # These bytes can never be taken by this node's chain as they are.
    "SIGERROR": BroadcastOutcome.REFUSED,
    "TAPOS_ERROR": BroadcastOutcome.REFUSED,
    "TRANSACTION_EXPIRATION_ERROR": BroadcastOutcome.REFUSED,
    "TOO_BIG_TRANSACTION_ERROR": BroadcastOutcome.REFUSED,
    "CONTRACT_VALIDATE_ERROR": BroadcastOutcome.REFUSED,
    "CONTRACT_EXE_ERROR": BroadcastOutcome.REFUSED,
    "BANDWITH_ERROR": BroadcastOutcome.REFUSED,
    # The node is busy, alone, or behind: perhaps it passed the bytes on.
    "SERVER_BUSY": BroadcastOutcome.UNKNOWN,
    "NO_CONNECTION": BroadcastOutcome.UNKNOWN,
    "NOT_ENOUGH_EFFECTIVE_CONNECTION": BroadcastOutcome.UNKNOWN,
    "BLOCK_UNSOLIDIFIED": BroadcastOutcome.UNKNOWN,
    "OTHER_ERROR": BroadcastOutcome.UNKNOWN,
}


def classify(status: int, answer: object, txid: TransactionId, node: str) -> Broadcast:
    """The outcome of one broadcast of ours, by HTTP status and JSON. Never raises."""
    if status != 200 or not isinstance(answer, Mapping):
        return Broadcast(BroadcastOutcome.UNKNOWN, f"HTTP_{status}", node)
    if "Error" in answer:
        # It could not read what we sent: our mistake, or a proxy's.
        return Broadcast(BroadcastOutcome.UNKNOWN, "NODE_ERROR", node)
    if "txid" in answer and answer["txid"] != txid:
        return Broadcast(BroadcastOutcome.UNKNOWN, "NODE_LIES_ABOUT_ID", node)
    code = answer.get("code", "SUCCESS")
    if answer.get("result") is True and code == "SUCCESS":
        return Broadcast(BroadcastOutcome.ACCEPTED, "", node)
    if not isinstance(code, str) or code not in OUTCOMES:
        return Broadcast(BroadcastOutcome.UNKNOWN, "UNKNOWN_CODE", node)
    return Broadcast(OUTCOMES[code], code, node)


def words_of(answer: Mapping[str, object]) -> str:
    """The node's own words, cut to a limit: hexadecimal text, except from `broadcasthex`."""
    text = str(answer.get("message", ""))
    try:
        text = bytes.fromhex(text).decode()
    except ValueError:
        return text[:REASON_LENGTH_MAX]
    return text[:REASON_LENGTH_MAX]
