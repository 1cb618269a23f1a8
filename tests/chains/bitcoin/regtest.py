"""A real Bitcoin node of this test's own, on loopback, with a wallet that mines and pays."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from typing import Any

from pydantic import SecretStr

from wallets.bitcoin.node import Node, NodeSettings

HOW_TO_GET = "no bitcoind: install Bitcoin Core 25 or later in PATH, or name it in BITCOIND"
START_SECONDS = 60


def find_bitcoind() -> str | None:
    return os.environ.get("BITCOIND") or shutil.which("bitcoind")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RpcError(Exception):
    """What the node said."""


class Regtest:
    """A started node; `close` stops it by its process id and removes its folder."""

    def __init__(self, program: str, *options: str) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="cambist-bitcoind-")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [
                program,
                "-regtest",
                f"-datadir={self.folder.name}",
                "-printtoconsole=0",
                "-server=1",
                "-rpcbind=127.0.0.1",
                "-rpcallowip=127.0.0.1",
                f"-rpcport={self.port}",
                "-rpcuser=test",
                "-rpcpassword=test",
                "-listen=0",
                "-dnsseed=0",
                "-fixedseeds=0",
                "-natpmp=0",
                "-txindex=1",
                "-fallbackfee=0.0002",
                *(("-corepolicy=1", "-addresstype=bech32") if is_knots(program) else ()),
                *options,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()
        self.call("createwallet", "miner")
        self.miner = str(self.call("getnewaddress"))

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.call("getblockcount")
            except (OSError, RpcError):
                time.sleep(0.1)
            else:
                return
        self.close()
        raise AssertionError("bitcoind did not start")

    def call(self, method: str, *params: Any) -> Any:
        body = json.dumps({"id": 1, "method": method, "params": params}).encode()
        manager = urllib.request.HTTPPasswordMgrWithPriorAuth()
        manager.add_password(None, self.url, "test", "test", is_authenticated=True)
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        try:
            with opener.open(request, timeout=30) as response:
                return json.load(response)["result"]
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode()
            raise RpcError(text) from None

    def mine(self, count: int, address: str | None = None) -> list[str]:
        return list(self.call("generatetoaddress", count, address or self.miner))

    def mine_with(self, *transactions: str) -> str:
        """A block of exactly these, raw or by id."""
        return str(self.call("generateblock", self.miner, list(transactions))["hash"])

    def node(self, name: str = "regtest") -> Node:
        return Node(NodeSettings(name, self.url, "test", SecretStr("test")))

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


def is_knots(program: str) -> bool:
    found = subprocess.run([program, "-version"], capture_output=True, text=True, check=True)
    return "Knots" in found.stdout
