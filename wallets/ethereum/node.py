"""JSON-RPC to one Ethereum node. web3's provider retries sends and bounds no answer: this does not.

Called by the node set. Only the methods of `READS` may be repeated when a connection breaks. A send
goes out once and ends in one of four outcomes: what a lost answer means is found out by hash.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets.contract import Broadcast, BroadcastOutcome
from wallets.ethereum import limits
from wallets.ethereum.refusals import classify
from wallets.ethereum.wire import hash_of
from wallets.http_posts import Answer
from wallets.json_rpc import Dialect, JsonRpc, NodeRefused

READS: Final = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_estimateGas",
        "eth_getBalance",
        "eth_getBlockByHash",
        "eth_getBlockByNumber",
        "eth_getBlockReceipts",
        "eth_getCode",
        "eth_getLogs",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
        "eth_syncing",
        "trace_block",
    }
)
# "limit exceeded" (EIP-1474), and what providers say when they are busy.
BUSY_CODES: Final = frozenset({-32005, 429, -32097})
HEADERS: Final = {"Content-Type": "application/json"}
DIALECT: Final = Dialect(
    version="2.0",
    call_id=1,
    busy_codes=BUSY_CODES,
    answer_bytes_max=limits.ANSWER_BYTES_MAX,
    answer_depth_max=limits.ANSWER_DEPTH_MAX,
    calls_max=limits.CALLS_MAX,
)


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Where a node is. `name` is what status and logs say."""

    name: str
    url: SecretStr = field(repr=False)


class Node(JsonRpc):
    """One node. Use it as an asynchronous context."""

    def __init__(self, settings: NodeSettings, call_seconds: float = limits.CALL_SECONDS) -> None:
        super().__init__(settings.name, settings.url, HEADERS, DIALECT, call_seconds)

    async def read(self, method: str, *params: object) -> Any:
        """The result of a read. Raises NodeRefused, Unavailable."""
        return self.result_of(method, await self.ask(method, *params))

    async def ask(self, method: str, *params: object) -> Answer:
        """The whole answer to a read, whatever it says. Raises Unavailable."""
        if method not in READS:
            raise ValueError(f"{method} may not be repeated")
        last = Unavailable(f"{self.name} {method}")
        for _ in range(limits.READ_TRIES_MAX):
            try:
                return await self.post(method, params)
            except Unavailable as error:
                last = error
        raise last

    async def broadcast(self, raw: bytes) -> Broadcast:
        """Hands over a transaction, once."""
        method = "eth_sendRawTransaction"
        try:
            told = self.result_of(method, await self.post(method, ("0x" + raw.hex(),)))
        except NodeRefused as error:
            return Broadcast(*classify(error.message), self.name)
        except Unavailable:
            return Broadcast(BroadcastOutcome.UNKNOWN, "NO_ANSWER", self.name)
        if told != "0x" + hash_of(raw):
            return Broadcast(BroadcastOutcome.UNKNOWN, "OTHER_TXID", self.name)
        return Broadcast(BroadcastOutcome.ACCEPTED, "", self.name)
