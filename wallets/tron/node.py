"""HTTP to one TRON node that is not trusted: bounded answers, named ends, sends never repeated.

Called by the node set. Full node and solid state may have addresses of their own. Only paths of
`READS` are asked again when a connection breaks or the node is busy. A broadcast goes out once:
what a lost answer means is found out by id. URLs may hold keys: no message repeats them.
"""

import json
from asyncio import Semaphore
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets.contract import Broadcast, BroadcastOutcome, TransactionId
from wallets.depth import is_deeper
from wallets.limits import NODE_CONNECT_SECONDS
from wallets.tron import limits
from wallets.tron.answers import classify

SOLID: Final = "/walletsolidity/"
FULL: Final = "/wallet/"
SEND: Final = "/wallet/broadcasthex"
READS: Final = frozenset(
    {
        "getaccount",
        "getaccountresource",
        "getblockbynum",
        "getchainparameters",
        "getnowblock",
        "gettransactionbyid",
        "gettransactioninfobyblocknum",
        "gettransactioninfobyid",
        "triggerconstantcontract",
    }
)
KEY_HEADER: Final = "TRON-PRO-API-KEY"
OK: Final = 200


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Where a node is; without `solid_url` the solid state is at `url` too. `name`: for status."""

    name: str
    url: SecretStr = field(repr=False)
    solid_url: SecretStr | None = field(default=None, repr=False)
    api_key: SecretStr | None = field(default=None, repr=False)


class Node:
    """One node. Use it as an asynchronous context."""

    def __init__(self, settings: NodeSettings, call_seconds: float = limits.CALL_SECONDS) -> None:
        self.name = settings.name
        self._settings = settings
        self._seats = Semaphore(limits.CALLS_MAX)
        self._timeout = aiohttp.ClientTimeout(total=call_seconds, sock_connect=NODE_CONNECT_SECONDS)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = {"Content-Type": "application/json"}
        if self._settings.api_key is not None:
            headers[KEY_HEADER] = self._settings.api_key.get_secret_value()
        self._session = aiohttp.ClientSession(headers=headers, timeout=self._timeout)
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

    async def read(self, path: str, body: Mapping[str, object]) -> Any:
        """The answer of a read; empty ones too. Raises Unavailable."""
        if path.removeprefix(SOLID).removeprefix(FULL) not in READS:
            raise ValueError(f"{path} may not be repeated")
        last = Unavailable(f"{self.name} {path}")
        for _ in range(limits.READ_TRIES_MAX):
            try:
                status, content = await self._post(path, body)
                return self._answer_of(path, status, content)
            except Unavailable as error:
                last = error
        raise last

    async def broadcast(self, whole: bytes, txid: TransactionId) -> Broadcast:
        """Hands over a signed transaction, once."""
        try:
            status, content = await self._post(SEND, {"transaction": whole.hex()})
            answer = self._answer_of(SEND, status, content) if status == OK else None
        except Unavailable:
            return Broadcast(BroadcastOutcome.UNKNOWN, "NO_ANSWER", self.name)
        return classify(status, answer, txid, self.name)

    async def _post(self, path: str, body: Mapping[str, object]) -> tuple[int, bytes]:
        """Status and bounded content, asked for once. Raises Unavailable."""
        assert self._session is not None, "the node is used within its context"
        base = self._settings.url
        if path.startswith(SOLID) and self._settings.solid_url is not None:
            base = self._settings.solid_url
        url = base.get_secret_value().rstrip("/") + path
        try:
            async with (
                self._seats,
                self._session.post(url, data=json.dumps(body), allow_redirects=False) as response,
            ):
                content = bytearray()
                async for part in response.content.iter_any():
                    content += part
                    if len(content) > limits.ANSWER_BYTES_MAX:
                        raise Unavailable(f"{self.name} {path}: the answer is too long")
                return response.status, bytes(content)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"{self.name} {path}: {type(error).__name__}") from error

    def _answer_of(self, path: str, status: int, content: bytes) -> Any:
        place = f"{self.name} {path}: HTTP {status}"
        if status != OK:
            raise Unavailable(place)
        if is_deeper(content, limits.ANSWER_DEPTH_MAX):
            raise Unavailable(f"{place}, not JSON of any answer")
        try:
            said = json.loads(content, parse_float=Decimal)
        except ValueError as error:
            raise Unavailable(f"{place}, not JSON") from error
        if path != SEND and isinstance(said, dict) and "Error" in said:
            raise Unavailable(f"{place}, {str(said['Error'])[: limits.REASON_LENGTH_MAX]}")
        return said
