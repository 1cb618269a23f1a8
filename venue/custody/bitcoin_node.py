"""A Bitcoin node beside a venue, on a chain of its own where blocks come when they are asked for.

Users bring the program: it is found in PATH or named by BITCOIND. It ends with the venue's other
processes, and its folder goes with theirs.
"""

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final

from pydantic import SecretStr

from venue.custody.bitcoin_plan import NodeAccess, bitcoin
from venue.custody.chain_plan import HeldAsset
from venue.custody.purse import Beside, wait_answers
from venue.ports import choose_ports
from venue.stack import Stack
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.node import Node, NodeSettings

HOW_TO_GET: Final = "no bitcoind: install Bitcoin Core 25 or later in PATH, or name it in BITCOIND"
NAME: Final = "bitcoind"
USER: Final = "venue"
# One coinbase is mature after so many.
FIRST_BLOCKS: Final = 101


def find_program() -> str | None:
    """The program, if there is one."""
    return os.environ.get("BITCOIND") or shutil.which("bitcoind")


class RegtestNode:
    """Calls to a started node, with a wallet that mines and pays: a customer's coins."""

    def __init__(self, node: Node, access: NodeAccess) -> None:
        self._node = node
        self.access = access
        self._miner = ""

    async def call(self, method: str, *params: object) -> Any:
        """What it answers. Raises NodeRefused, Unavailable."""
        return await self._node.call(method, *params)

    async def mine(self, count: int = 1) -> None:
        """So many blocks, with all that waits."""
        self._miner = self._miner or await self.new_address()
        await self.call("generatetoaddress", count, self._miner)

    async def pay(self, held: HeldAsset, address: str, amount_atoms: int) -> str:
        """As in `Purse`."""
        return str(await self.call("sendtoaddress", address, held.whole(amount_atoms)))

    async def new_address(self) -> str:
        """As in `Purse`."""
        return str(await self.call("getnewaddress", "", "bech32"))

    async def received_atoms(self, held: HeldAsset, address: str) -> int:
        """As in `Purse`; in blocks."""
        amount = Decimal(str(await self.call("getreceivedbyaddress", address)))
        return int(amount.scaleb(held.asset.decimals))

    async def make_block(self) -> None:
        """As in `Purse`."""
        await self.mine()


async def open_purse(access: Mapping[str, Any], opened: AsyncExitStack) -> RegtestNode:
    """The same purse in another process."""
    found = NodeAccess(**access)
    settings = NodeSettings(REGTEST.chain, found.url, found.user, SecretStr(found.password))
    return RegtestNode(await opened.enter_async_context(Node(settings)), found)


@asynccontextmanager
async def started(stack: Stack, program: str) -> AsyncIterator[Beside]:
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
    process = stack.processes.start(NAME, [f"-datadir={folder}", *options], program=program)
    async with AsyncExitStack() as opened:
        found = await open_purse(asdict(access), opened)
        await wait_answers(process, lambda: found.call("getblockcount"))
        await found.call("createwallet", "miner")
        await found.mine(FIRST_BLOCKS)
        yield Beside(bitcoin(access), found, asdict(access))
