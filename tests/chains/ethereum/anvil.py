"""A real Ethereum node of this test's own, on loopback: anvil, which mines when it is told to."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from typing import Any

from pydantic import SecretStr

from wallets.ethereum.node import Node, NodeSettings

HOW_TO_GET = "no anvil: npm i @foundry-rs/anvil-linux-amd64@1.7.1 and put it in PATH, or ANVIL"
START_SECONDS = 30
CHAIN_ID = 31337


def find_anvil() -> str | None:
    return os.environ.get("ANVIL") or shutil.which("anvil")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RpcError(Exception):
    """What the node said."""


class Anvil:
    """A started node; `close` stops it by its process id."""

    def __init__(self, program: str, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [
                program,
                "--host=127.0.0.1",
                f"--port={self.port}",
                "--no-mining",
                "--silent",
                "--slots-in-an-epoch=1",
                "--order=fifo",
                *options,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()
        self.rich = str(self.call("eth_accounts")[0])

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.call("eth_blockNumber")
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.close()
        raise AssertionError("anvil did not start")

    def call(self, method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        if "error" in answer:
            raise RpcError(str(answer["error"]))
        return answer["result"]

    def mine(self, count: int = 1) -> None:
        self.call("anvil_mine", hex(count))

    def height(self) -> int:
        return int(self.call("eth_blockNumber"), 16)

    def send(self, **fields: str) -> str:
        """A transaction of an account that anvil has the key of; not mined yet."""
        return str(self.call("eth_sendTransaction", {"from": self.rich, **fields}))

    def give(self, account: str, amount_atoms: int) -> None:
        self.call("anvil_setBalance", account, hex(amount_atoms))

    def balance(self, account: str) -> int:
        return int(self.call("eth_getBalance", account, "latest"), 16)

    def deploy(self, code: str) -> str:
        """The address of a new contract, mined."""
        txid = self.send(data="0x" + code, gas=hex(3_000_000))
        self.mine()
        return str(self.call("eth_getTransactionReceipt", txid)["contractAddress"])

    def node(self, name: str = "anvil", url: str = "") -> Node:
        return Node(NodeSettings(name, SecretStr(url or self.url)))

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
