"""JSON-RPC to one Bitcoin node (Bitcoin Core 25 or later, with `txindex`).

Called by the node set and the adapter. Reads end in an answer, `NodeRefused` or `Unavailable`. A
broadcast ends in one of four outcomes and is never repeated here: what a lost answer means is found
out by looking up the id. Numbers with a fraction are read as decimals, never as floats.
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
from wallets.bitcoin import limits
from wallets.bitcoin.wire import parse_transaction
from wallets.contract import Broadcast, BroadcastOutcome
from wallets.depth import is_deeper
from wallets.errors import Rejected

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


class NodeRefused(Rejected):
    """The node answered with an error; `code` is its own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__("NODE_REFUSED", f"{code}: {message[: limits.REASON_LENGTH_MAX]}")
        self.code = code


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Where a node is, without its credentials in the URL. `name` is what status and logs say."""

    name: str
    url: str
    user: str
    password: SecretStr = field(repr=False)


class Node:
    """One node. Use it as an asynchronous context."""

    def __init__(self, settings: NodeSettings, call_seconds: float = limits.CALL_SECONDS) -> None:
        self.name = settings.name
        self._settings = settings
        self._seats = Semaphore(limits.CALLS_MAX)
        self._timeout = aiohttp.ClientTimeout(
            total=call_seconds, sock_connect=limits.CONNECT_SECONDS
        )
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        settings = self._settings
        password = settings.password.get_secret_value()
        authorization = aiohttp.encode_basic_auth(settings.user, password)
        self._session = aiohttp.ClientSession(
            headers={"Authorization": authorization}, timeout=self._timeout
        )
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

    async def call(self, method: str, *params: object) -> Any:
        """The result of a read. Raises NodeRefused, Unavailable."""
        assert self._session is not None, "the node is used within its context"
        body = json.dumps({"jsonrpc": "1.0", "id": method, "method": method, "params": params})
        try:
            async with (
                self._seats,
                self._session.post(
                    self._settings.url, data=body, allow_redirects=False
                ) as response,
            ):
                content = await response.content.read(limits.ANSWER_BYTES_MAX + 1)
                while not response.content.at_eof() and len(content) <= limits.ANSWER_BYTES_MAX:
                    content += await response.content.read(limits.ANSWER_BYTES_MAX)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"{self.name} {method}: {type(error).__name__}") from error
        return self._result(method, status, content)

    def _result(self, method: str, status: int, content: bytes) -> Any:
        """What the answer says. Raises NodeRefused, Unavailable."""
        if len(content) > limits.ANSWER_BYTES_MAX:
            raise Unavailable(f"{self.name} {method}: the answer is too long")
        if is_deeper(content, limits.ANSWER_DEPTH_MAX):
            raise Unavailable(f"{self.name} {method}: HTTP {status}, not JSON of any answer")
        try:
            answer = json.loads(content, parse_float=Decimal)
        except ValueError as error:
            raise Unavailable(f"{self.name} {method}: HTTP {status}, not JSON") from error
        if not isinstance(answer, dict) or answer.get("id") != method:
            raise Unavailable(f"{self.name} {method}: HTTP {status}, not an answer to this call")
        fault = answer.get("error")
        if fault is None:
            return answer.get("result")
        code = fault.get("code") if isinstance(fault, dict) else None
        if not isinstance(code, int) or code == WARMING_UP:
            raise Unavailable(f"{self.name} {method}: {str(fault)[: limits.REASON_LENGTH_MAX]}")
        raise NodeRefused(code, str(fault.get("message", "")))

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
