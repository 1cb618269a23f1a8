"""JSON-RPC over HTTP to a node that is not trusted: bounded answers, named ends, nothing repeated.

Used by the node of each chain, which knows its methods and what may be asked again. A call ends in
a result, `NodeRefused` or `Unavailable`. The URL may hold a key: it is never repeated in a message.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets import limits
from wallets.errors import Rejected
from wallets.http_posts import Answer, Bounds, HttpPosts, read_json


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


class JsonRpc(HttpPosts):
    """One node. Use it as an asynchronous context."""

    def __init__(
        self,
        name: str,
        url: SecretStr,
        headers: Mapping[str, str],
        dialect: Dialect,
        call_seconds: float,
    ) -> None:
        bounds = Bounds(call_seconds, dialect.answer_bytes_max, dialect.calls_max)
        super().__init__(name, headers, bounds)
        self._url = url
        self._dialect = dialect

    async def post(self, method: str, params: Sequence[object]) -> Answer:
        """A bounded answer, asked for once. Raises Unavailable."""
        call = {
            "jsonrpc": self._dialect.version,
            "id": self._id_of(method),
            "method": method,
            "params": params,
        }
        return await self._send(self._url, json.dumps(call), method)

    def result_of(self, method: str, answer: Answer) -> Any:
        """What an answer says. Raises NodeRefused, Unavailable."""
        place = f"{self.name} {method}: HTTP {answer.status}"
        said = read_json(answer.content, self._dialect.answer_depth_max, place)
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
