"""JSON-RPC to one Ethereum node. web3's provider retries sends and bounds no answer: this does not.

Called by the node set. Only the methods of `READS` may be repeated when a connection breaks. A send
goes out once and ends in one of four outcomes: what a lost answer means is found out by hash.
"""

import json
from asyncio import Semaphore
from dataclasses import dataclass, field
from decimal import Decimal
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets.contract import Broadcast, BroadcastOutcome
from wallets.depth import is_deeper
from wallets.errors import Rejected
from wallets.ethereum import limits
from wallets.ethereum.refusals import classify
from wallets.ethereum.wire import hash_of

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
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
        "eth_syncing",
        "trace_block",
    }
)
# "limit exceeded" (EIP-1474), and what providers say when they are busy.
BUSY_CODES: Final = (-32005, 429, -32097)
# Headers of a request; the URL may hold a key and is never repeated in a message.
HEADERS: Final = {"Content-Type": "application/json"}


class NodeRefused(Rejected):
    """The node answered with an error; `code` is its own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__("NODE_REFUSED", f"{code}: {message[: limits.REASON_LENGTH_MAX]}")
        self.code = code


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Where a node is. `name` is what status and logs say."""

    name: str
    url: SecretStr = field(repr=False)


class Node:
    """One node. Use it as an asynchronous context."""

    def __init__(self, settings: NodeSettings, call_seconds: float = limits.CALL_SECONDS) -> None:
        self.name = settings.name
        self._url = settings.url
        self._seats = Semaphore(limits.CALLS_MAX)
        self._timeout = aiohttp.ClientTimeout(
            total=call_seconds, sock_connect=limits.CONNECT_SECONDS
        )
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=HEADERS, timeout=self._timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def read(self, method: str, *params: object) -> Any:
        """The result of a read. Raises NodeRefused, Unavailable."""
        if method not in READS:
            raise ValueError(f"{method} may not be repeated")
        last = Unavailable(f"{self.name} {method}")
        for _ in range(limits.READ_TRIES_MAX):
            try:
                status, content = await self._post(method, params)
            except Unavailable as error:
                last = error
            else:
                return self._result(method, status, content)
        raise last

    async def broadcast(self, raw: bytes) -> Broadcast:
        """Hands over a transaction, once."""
        method = "eth_sendRawTransaction"
        try:
            told = self._result(method, *await self._post(method, ("0x" + raw.hex(),)))
        except NodeRefused as error:
            return Broadcast(*classify(error.message), self.name)
        except Unavailable:
            return Broadcast(BroadcastOutcome.UNKNOWN, "NO_ANSWER", self.name)
        if told != "0x" + hash_of(raw):
            return Broadcast(BroadcastOutcome.UNKNOWN, "OTHER_TXID", self.name)
        return Broadcast(BroadcastOutcome.ACCEPTED, "", self.name)

    async def _post(self, method: str, params: tuple[object, ...]) -> tuple[int, bytes]:
        """HTTP status and a bounded answer. Raises Unavailable."""
        assert self._session is not None, "the node is used within its context"
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        url = self._url.get_secret_value()
        try:
            async with (
                self._seats,
                self._session.post(url, data=body, allow_redirects=False) as response,
            ):
                content = bytearray()
                async for part in response.content.iter_any():
                    content += part
                    if len(content) > limits.ANSWER_BYTES_MAX:
                        raise Unavailable(f"{self.name} {method}: the answer is too long")
                return response.status, bytes(content)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"{self.name} {method}: {type(error).__name__}") from error

    def _result(self, method: str, status: int, content: bytes) -> Any:
        """What the answer says. Raises NodeRefused, Unavailable."""
        place = f"{self.name} {method}: HTTP {status}"
        if is_deeper(content, limits.ANSWER_DEPTH_MAX):
            raise Unavailable(f"{place}, not JSON of any answer")
        try:
            answer = json.loads(content, parse_float=Decimal)
        except ValueError as error:
            raise Unavailable(f"{place}, not JSON") from error
        if not isinstance(answer, dict) or answer.get("id") != 1:
            raise Unavailable(f"{place}, not an answer to this call")
        fault = answer.get("error")
        if fault is None:
            return answer.get("result")
        code = fault.get("code") if isinstance(fault, dict) else None
        if not isinstance(code, int) or code in BUSY_CODES:
            raise Unavailable(f"{place}, {str(fault)[: limits.REASON_LENGTH_MAX]}")
        raise NodeRefused(code, str(fault.get("message", "")))
