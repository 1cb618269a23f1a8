"""JSON-RPC over HTTP to a node that is not trusted: bounded answers, named ends, nothing repeated.

Used by the node of each chain, which knows its methods and what may be asked again. A call ends in
a result, `NodeRefused` or `Unavailable`. Numbers with a fraction are read as decimals, never as
floats. The URL may hold a key: it is never repeated in a message.
"""

import json
from asyncio import Semaphore
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import aiohttp
from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets import limits
from wallets.depth import is_deeper
from wallets.errors import Rejected


class NodeRefused(Rejected):
    """The node answered with an error; `code` is its own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__("NODE_REFUSED", f"{code}: {message[: limits.NODE_WORDS_MAX]}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the nodes of a chain speak, and what may come of them at most."""

    version: str
    # Of every call; None = the method's name.
    call_id: int | None
    # Errors with these codes say that the node cannot answer now.
    busy_codes: frozenset[int]
    answer_bytes_max: int
    answer_depth_max: int
    calls_max: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP."""

    status: int
    content: bytes


class JsonRpc:
    """One node. Use it as an asynchronous context."""

    def __init__(
        self,
        name: str,
        url: SecretStr,
        headers: Mapping[str, str],
        dialect: Dialect,
        call_seconds: float,
    ) -> None:
        self.name = name
        self._url = url
        self._headers = headers
        self._dialect = dialect
        self._seats = Semaphore(dialect.calls_max)
        self._timeout = aiohttp.ClientTimeout(
            total=call_seconds, sock_connect=limits.NODE_CONNECT_SECONDS
        )
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=self._timeout)
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

    async def post(self, method: str, params: Sequence[object]) -> Answer:
        """A bounded answer, asked for once. Raises Unavailable."""
        assert self._session is not None, "the node is used within its context"
        dialect = self._dialect
        call = {
            "jsonrpc": dialect.version,
            "id": self._id_of(method),
            "method": method,
            "params": params,
        }
        url = self._url.get_secret_value()
        try:
            async with (
                self._seats,
                self._session.post(url, data=json.dumps(call), allow_redirects=False) as response,
            ):
                content = bytearray()
                async for part in response.content.iter_any():
                    content += part
                    if len(content) > dialect.answer_bytes_max:
                        raise Unavailable(f"{self.name} {method}: the answer is too long")
                return Answer(response.status, bytes(content))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"{self.name} {method}: {type(error).__name__}") from error

    def result_of(self, method: str, answer: Answer) -> Any:
        """What an answer says. Raises NodeRefused, Unavailable."""
        place = f"{self.name} {method}: HTTP {answer.status}"
        if is_deeper(answer.content, self._dialect.answer_depth_max):
            raise Unavailable(f"{place}, not JSON of any answer")
        try:
            said = json.loads(answer.content, parse_float=Decimal)
        except ValueError as error:
            raise Unavailable(f"{place}, not JSON") from error
        if not isinstance(said, dict) or said.get("id") != self._id_of(method):
            raise Unavailable(f"{place}, not an answer to this call")
        fault = said.get("error")
        if fault is None:
            return said.get("result")
        code = fault.get("code") if isinstance(fault, dict) else None
        if not isinstance(code, int) or code in self._dialect.busy_codes:
            raise Unavailable(f"{place}, {str(fault)[: limits.NODE_WORDS_MAX]}")
        raise NodeRefused(code, str(fault.get("message", "")))

    def _id_of(self, method: str) -> int | str:
        return method if self._dialect.call_id is None else self._dialect.call_id
