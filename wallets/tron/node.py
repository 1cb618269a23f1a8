"""HTTP to one TRON node that is not trusted: bounded answers, named ends, sends never repeated.

Called by the node set. Full node and solid state may have addresses of their own. Only paths of
`READS` are asked again when a connection breaks or the node is busy. A broadcast goes out once:
what a lost answer means is found out by id. URLs may hold keys: no message repeats them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import SecretStr

from runtime.errors import Unavailable
from wallets.contract import Broadcast, BroadcastOutcome, TransactionId
from wallets.http_posts import OK, Answer, Bounds, HttpPosts, read_json
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
        "getcandelegatedmaxsize",
        "getchainparameters",
        "getdelegatedresourcev2",
        "getnowblock",
        "gettransactionbyid",
        "gettransactioninfobyblocknum",
        "gettransactioninfobyid",
        "triggerconstantcontract",
    }
)
KEY_HEADER: Final = "TRON-PRO-API-KEY"


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Where a node is; without `solid_url` the solid state is at `url` too. `name`: for status."""

    name: str
    url: SecretStr = field(repr=False)
    solid_url: SecretStr | None = field(default=None, repr=False)
    api_key: SecretStr | None = field(default=None, repr=False)


class Node(HttpPosts):
    """One node. Use it as an asynchronous context."""

    def __init__(self, settings: NodeSettings, call_seconds: float = limits.CALL_SECONDS) -> None:
        headers = {"Content-Type": "application/json"}
        if settings.api_key is not None:
            headers[KEY_HEADER] = settings.api_key.get_secret_value()
        bounds = Bounds(call_seconds, limits.ANSWER_BYTES_MAX, limits.CALLS_MAX)
        super().__init__(settings.name, headers, bounds)
        self._settings = settings

    async def read(self, path: str, body: Mapping[str, object]) -> Any:
        """The answer of a read; empty ones too. Raises Unavailable."""
        if path.removeprefix(SOLID).removeprefix(FULL) not in READS:
            raise ValueError(f"{path} may not be repeated")
        last = Unavailable(f"{self.name} {path}")
        for _ in range(limits.READ_TRIES_MAX):
            try:
                return self._said(path, await self._post(path, body))
            except Unavailable as error:
                last = error
        raise last

    async def broadcast(self, whole: bytes, txid: TransactionId) -> Broadcast:
        """Hands over a signed transaction, once."""
        try:
            answer = await self._post(SEND, {"transaction": whole.hex()})
            said = self._said(SEND, answer) if answer.status == OK else None
        except Unavailable:
            return Broadcast(BroadcastOutcome.UNKNOWN, "NO_ANSWER", self.name)
        return classify(answer.status, said, txid, self.name)

    async def _post(self, path: str, body: Mapping[str, object]) -> Answer:
        """A bounded answer, asked for once. Raises Unavailable."""
        base = self._settings.url
        if path.startswith(SOLID) and self._settings.solid_url is not None:
            base = self._settings.solid_url
        url = SecretStr(base.get_secret_value().rstrip("/") + path)
        return await self._send(url, json.dumps(body), path)

    def _said(self, path: str, answer: Answer) -> Any:
        place = f"{self.name} {path}: HTTP {answer.status}"
        if answer.status != OK:
            raise Unavailable(place)
        said = read_json(answer.content, limits.ANSWER_DEPTH_MAX, place)
        if path != SEND and isinstance(said, dict) and "Error" in said:
            raise Unavailable(f"{place}, {str(said['Error'])[: limits.REASON_LENGTH_MAX]}")
        return said
