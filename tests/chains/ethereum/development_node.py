"""A real Ethereum node of a test's own, on loopback, which mines when it is told to.

What all of them do alike is here; `anvil`, `geth` and `hardhat` know how to start one and how it
is made to mine, to go back, and to grow dear.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr

from wallets.ethereum.node import Node, NodeSettings

START_SECONDS = 60
STOP_SECONDS = 10
CHAIN_ID = 31337


class RpcError(Exception):
    """What the node said."""


class DevelopmentNode(ABC):
    """A started node; `close` stops it by its process id."""

    # The program, and the variable that names it where it is not in PATH.
    name: ClassVar[str]
    how_to_get: ClassVar[str]

    def __init__(self, program: str, folder: Path, *options: str) -> None:
        """`folder` is this node's alone; `options` are the program's own and come last."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        command, environment = self.command(program)
        self.process = subprocess.Popen(
            [*command, *options],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._wait()
            self.rich = self.begin()
        except BaseException:
            self.close()
            raise

    @classmethod
    def find(cls) -> str | None:
        """Where the program is."""
        return os.environ.get(cls.name.upper()) or shutil.which(cls.name)

    @abstractmethod
    def command(self, program: str) -> tuple[list[str], dict[str, str]]:
        """What starts it, and what of the environment it needs."""

    def begin(self) -> str:
        """Makes it ready, once it answers; an account with more ether than a test needs."""
        return str(self.call("eth_accounts")[0])

    @abstractmethod
    def mine(self, count: int = 1) -> None:
        """Blocks, the first with all that can be mined."""

    @abstractmethod
    def mine_instead(self, raw: bytes, txid: str) -> None:
        """A block of a miner that has `raw` and never heard of `txid`, which is in the pool."""

    @abstractmethod
    def reorganise(self, depth: int, raws: Sequence[bytes] = ()) -> None:
        """At least as many blocks with nothing but `raws` take the place of the last ones.

        What was in those may be in the pool again, as on a network, or be gone.
        """

    @abstractmethod
    def raise_base_fee(self, per_gas_atoms: int) -> None:
        """The base fee of the last block is that much afterwards, or more."""

    @abstractmethod
    def give(self, account: str, amount_atoms: int) -> None:
        """An account that has nothing has so much; may take a block."""

    @abstractmethod
    def settle(self) -> None:
        """Waits until the pool is done with all that was sent and mined."""

    def send(self, **fields: Any) -> str:
        """A transaction of `rich`; not mined yet."""
        return str(self.call("eth_sendTransaction", {"from": self.rich, **fields}))

    def call(self, method: str, *params: Any) -> Any:
        """Raises RpcError, OSError."""
        return post(self.url, method, params)

    def height(self) -> int:
        return int(self.call("eth_blockNumber"), 16)

    def balance(self, account: str) -> int:
        return int(self.call("eth_getBalance", account, "latest"), 16)

    def base_fee(self) -> int:
        return int(self.call("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)

    def deploy(self, code: str) -> str:
        """The address of a new contract, mined."""
        txid = self.send(data="0x" + code, gas=hex(3_000_000))
        self.mine()
        return str(self.call("eth_getTransactionReceipt", txid)["contractAddress"])

    def node(self, name: str = "node", url: str = "") -> Node:
        return Node(NodeSettings(name, SecretStr(url or self.url)))

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.call("eth_blockNumber")
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"{self.name} did not start")


def post(url: str, method: str, params: Sequence[Any], token: str = "") -> Any:
    """What a node answers to a call. Raises RpcError, OSError."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = exchange(url, asked, token)
    if "error" in answer:
        raise RpcError(str(answer["error"]))
    return answer["result"]


def exchange(url: str, asked: dict[str, Any], token: str = "") -> dict[str, Any]:
    """The whole answer to a whole call. Raises OSError."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(asked).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return dict(json.load(response))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
