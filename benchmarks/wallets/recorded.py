"""Nodes of each chain that answer from memory, in the bytes that a real one would send.

Used by `benchmarks.wallets.scanning`. All of our own client but the socket is at work: bounds, JSON
and what an answer must look like.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from wallets.bitcoin import node as bitcoin
from wallets.ethereum import node as ethereum
from wallets.http_posts import OK, Answer
from wallets.tron import node as tron

NOWHERE = "http://127.0.0.1:1"


@dataclass
class Recording:
    """Answers by question, of blocks up to a height that is raised as they come."""

    tip_height: int = 0
    answers: dict[tuple[str, str], bytes] = field(default_factory=dict)
    # The same answers by block, lowest first, for who only reads them.
    blocks: list[list[bytes]] = field(default_factory=list)

    def begin_block(self) -> None:
        """What is added from here on is of the next height."""
        self.blocks.append([])

    def add(self, method: str, params: object, result: object) -> None:
        """The answer to one question, as bytes."""
        content = json.dumps(result).encode()
        self.answers[method, json.dumps(params)] = content
        self.blocks[-1].append(content)

    def find(self, method: str, params: object) -> bytes:
        """What was added; raises KeyError."""
        return self.answers[method, json.dumps(params)]


def wrapped(method: str, result: bytes) -> Answer:
    """A result of JSON-RPC, of a call with this id."""
    call_id = b"1" if method.startswith("eth_") else json.dumps(method).encode()
    return Answer(OK, b'{"jsonrpc":"2.0","id":' + call_id + b',"result":' + result + b"}")


class BitcoinNode(bitcoin.Node):
    """Heights, hashes and raw blocks."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(bitcoin.NodeSettings("recorded", NOWHERE, "", SecretStr("")))
        self._recording = recording

    async def post(self, method: str, params: Sequence[object]) -> Answer:
        """From memory."""
        if method == "getblockcount":
            return wrapped(method, str(self._recording.tip_height).encode())
        return wrapped(method, self._recording.find(method, list(params)))


class EthereumNode(ethereum.Node):
    """Heads, blocks and receipts."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(ethereum.NodeSettings("recorded", SecretStr(NOWHERE)))
        self._recording = recording

    async def post(self, method: str, params: Sequence[object]) -> Answer:
        """From memory."""
        asked = list(params)
        if asked[0] == "latest":
            asked[0] = hex(self._recording.tip_height)
        return wrapped(method, self._recording.find(method, asked))


class TronNode(tron.Node):
    """Solid blocks and receipts."""

    def __init__(self, recording: Recording) -> None:
        super().__init__(tron.NodeSettings("recorded", SecretStr(NOWHERE)))
        self._recording = recording

    async def _post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """From memory."""
        name = path.rpartition("/")[2]
        if name == "getnowblock":
            name, body = "getblockbynum", {"num": self._recording.tip_height}
        return Answer(OK, self._recording.find(name, dict(body)))
