"""JSON-RPC to one Bitcoin node (Bitcoin Core 25 or later, with `txindex`).

Called by the node set and the adapter. Reads end in an answer, `NodeRefused` or `Unavailable`. A
broadcast ends in one of four outcomes and is never repeated here: what a lost answer means is found
out by looking up the id.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets.bitcoin import limits
from wallets.bitcoin.wire import parse_transaction
from wallets.contract import Broadcast, BroadcastOutcome
from wallets.json_rpc import Dialect, JsonRpc, NodeRefused

# Codes of Bitcoin Core (rpc/protocol.h).
NOT_FOUND: Final = -5
BAD_PARAMETER: Final = -8
WARMING_UP: Final = -28
ALREADY_IN_CHAIN: Final = -27
VERIFY_REJECTED: Final = -26
VERIFY_ERROR: Final = -25
CANNOT_DECODE: Final = -22
DEFINITE_REFUSALS: Final = (VERIFY_REJECTED, VERIFY_ERROR, CANNOT_DECODE)
# What a node says, and what we call it; the first that occurs counts.
REASONS: Final = (
    ("txn-already-known", "ALREADY_KNOWN"),
    ("txn-already-in-mempool", "ALREADY_KNOWN"),
    ("txn-same-nonwitness-data-in-mempool", "ALREADY_KNOWN"),
    ("too-long-mempool-chain", "CHAIN_LIMIT"),
    ("insufficient fee", "REPLACEMENT_FEE"),
    ("replacement-adds-unconfirmed", "REPLACEMENT_INPUTS"),
    ("too many potential replacements", "PINNED"),
    ("txn-mempool-conflict", "CONFLICT"),
    ("missingorspent", "INPUTS_GONE"),
    ("premature-spend-of-coinbase", "IMMATURE"),
    ("min relay fee", "FEE_TOO_LOW"),
    ("mempool min fee", "FEE_TOO_LOW"),
    ("max-fee-exceeded", "FEE_TOO_HIGH"),
    ("fee exceeds maximum", "FEE_TOO_HIGH"),
    ("dust", "DUST"),
    ("non-final", "NOT_FINAL"),
    ("tx decode failed", "MALFORMED"),
)


DIALECT: Final = Dialect(
    version="1.0",
    call_id=None,
    busy_codes=frozenset({WARMING_UP}),
    answer_bytes_max=limits.ANSWER_BYTES_MAX,
    answer_depth_max=limits.ANSWER_DEPTH_MAX,
    calls_max=limits.CALLS_MAX,
)


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Where a node is, without its credentials in the URL. `name` is what status and logs say."""

    name: str
    url: str
    user: str
    password: SecretStr = field(repr=False)


class Node(JsonRpc):
    """One node. Use it as an asynchronous context."""

    def __init__(self, settings: NodeSettings, call_seconds: float = limits.CALL_SECONDS) -> None:
        password = settings.password.get_secret_value()
        headers = {"Authorization": aiohttp.encode_basic_auth(settings.user, password)}
        super().__init__(settings.name, SecretStr(settings.url), headers, DIALECT, call_seconds)

    async def call(self, method: str, *params: object) -> Any:
        """The result of a read. Raises NodeRefused, Unavailable."""
        return self.result_of(method, await self.post(method, params))

    async def broadcast(self, raw: bytes) -> Broadcast:
        """Hands over a transaction once. Raises Malformed for bytes that are none."""
        txid = parse_transaction(raw).txid()
        try:
            told = await self.call("sendrawtransaction", raw.hex(), 0)
        except NodeRefused as error:
            return Broadcast(*classify(error), self.name)
        except Unavailable:
            return Broadcast(BroadcastOutcome.UNKNOWN, "NO_ANSWER", self.name)
        if told != txid:
            return Broadcast(BroadcastOutcome.UNKNOWN, "OTHER_TXID", self.name)
        return Broadcast(BroadcastOutcome.ACCEPTED, "", self.name)


def classify(error: NodeRefused) -> tuple[BroadcastOutcome, str]:
    """What a refusal of a broadcast means: only a verdict on the transaction is a refusal."""
    words = error.message.lower()
    reason = next((name for text, name in REASONS if text in words), "UNCLASSIFIED")
    if error.code == ALREADY_IN_CHAIN or reason == "ALREADY_KNOWN":
        return BroadcastOutcome.KNOWN, "ALREADY_KNOWN"
    if error.code in DEFINITE_REFUSALS:
        return BroadcastOutcome.REFUSED, reason
    return BroadcastOutcome.UNKNOWN, "NODE_ERROR"
