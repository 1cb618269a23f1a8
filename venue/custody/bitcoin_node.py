"""A Bitcoin node beside a venue, on a chain of its own where blocks come when they are asked for.

Users bring the program: it is found in PATH or named by BITCOIND. It ends with the venue's other
processes, and its folder goes with theirs.
"""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from runtime.errors import Unavailable
from venue.ports import choose_ports
from venue.stack import READY_SECONDS, Stack
from wallets.bitcoin.node import Node, NodeSettings
from wallets.json_rpc import NodeRefused

HOW_TO_GET: Final = "no bitcoind: install Bitcoin Core 25 or later in PATH, or name it in BITCOIND"
NAME: Final = "bitcoind"
USER: Final = "venue"
# One coinbase is mature after so many.
FIRST_BLOCKS: Final = 101
POLL_SECONDS: Final = 0.2


def find_program() -> str | None:
    """The program, if there is one."""
    return os.environ.get("BITCOIND") or shutil.which("bitcoind")


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """How a node is asked."""

    url: str
    user: str
    password: str


class RegtestNode:
    """Calls to a started node, with a wallet that mines and pays."""

    def __init__(self, node: Node, access: NodeAccess) -> None:
        self._node = node
        self.access = access
        self._miner = ""

    async def call(self, method: str, *params: object) -> Any:
        """What it answers. Raises NodeRefused, Unavailable."""
        return await self._node.call(method, *params)

    async def mine(self, count: int = 1) -> None:
        """So many blocks, with all that waits."""
        self._miner = self._miner or str(await self.call("getnewaddress", "", "bech32"))
        await self.call("generatetoaddress", count, self._miner)


@asynccontextmanager
async def started(stack: Stack, program: str) -> AsyncIterator[RegtestNode]:
    """A fresh chain with coins to spend. Raises ProcessFailed."""
    (port,) = choose_ports(1)
    password = secrets.token_hex(16)
    folder = stack.plan.directory / NAME
    folder.mkdir(parents=True)
    access = NodeAccess(f"http://127.0.0.1:{port}", USER, password)
    # In a file: whoever lists processes sees their arguments.
    settings = {"rpcuser": USER, "rpcpassword": password, "rpcport": port, "fallbackfee": "0.0002"}
    lines = [f"{name}={value}\n" for name, value in settings.items()]
    file = folder / "bitcoin.conf"
    file.touch(mode=0o600)
    file.write_text(f"regtest=1\n[regtest]\n{''.join(lines)}", encoding="ascii")
    options = ["-server=1", "-listen=0", "-dnsseed=0", "-fixedseeds=0", "-txindex=1"]
    stack.processes.start(NAME, [f"-datadir={folder}", *options], program=program)
    async with Node(NodeSettings("regtest", access.url, USER, SecretStr(password))) as node:
        found = RegtestNode(node, access)
        await wait_ready(stack, found)
        await found.call("createwallet", "miner")
        await found.mine(FIRST_BLOCKS)
        yield found


async def wait_ready(stack: Stack, node: RegtestNode) -> None:
    """Waits until it answers. Raises ProcessFailed."""
    process = stack.processes.running[NAME]
    for _ in range(int(READY_SECONDS / POLL_SECONDS)):
        if not process.is_running:
            break
        try:
            await node.call("getblockcount")
        except (Unavailable, NodeRefused):
            await asyncio.sleep(POLL_SECONDS)
        else:
            return
    raise process.fail("does not answer")
