"""A development node of Ethereum beside a venue, and a customer's coins there.

Users bring the program: `anvil`, else `geth`, in PATH or named by ANVIL or GETH. Either makes a
block each second. The token is made anew on each chain, from code that is committed beside.
"""

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self

from pydantic import SecretStr

from runtime.errors import Unavailable
from venue.custody.chain_plan import HeldAsset
from venue.custody.ethereum_plan import EthereumNode, ethereum
from venue.custody.purse import POLL_SECONDS, Beside, account_of, new_key, wait_answers
from venue.ports import choose_ports
from venue.stack import READY_SECONDS, Stack
from wallets.ethereum.addresses import text_of
from wallets.ethereum.node import Node, NodeSettings
from wallets.ethereum.node_set import NodeSet
from wallets.ethereum.tokens import read_balance
from wallets.ethereum.transactions import transfer_call
from wallets.ethereum.wire import data, fields, hash_text, quantity

HOW_TO_GET: Final = (
    "no anvil and no geth: npm i @foundry-rs/anvil-linux-amd64@1.7.1, or "
    "go install github.com/ethereum/go-ethereum/cmd/geth@v1.17.8; "
    "put one in PATH, or name it in ANVIL or GETH"
)
PROGRAMS: Final = ("anvil", "geth")
TOKEN_FILE: Final = Path(__file__).parent / "contracts" / "DollarToken.json"
DEPLOY_GAS: Final = 5_000_000
# Some development nodes have rules of later networks, by which storage costs several times as much.
TOKEN_GAS: Final = 1_000_000


def find_program() -> tuple[str, str] | None:
    """Kind and path of the first that is there."""
    for kind in PROGRAMS:
        path = os.environ.get(kind.upper()) or shutil.which(kind)
        if path:
            return kind, path
    return None


def arguments_of(kind: str, port: int, engine_port: int, folder: Path) -> Sequence[str]:
    """What starts it: loopback only, a block each second."""
    if kind == "anvil":
        return ["--host=127.0.0.1", f"--port={port}", "--silent", "--block-time=1"]
    return [
        "--dev",
        "--dev.period=1",
        f"--datadir={folder}",
        "--http",
        "--http.addr=127.0.0.1",
        f"--http.port={port}",
        "--http.api=eth,net,web3",
        "--authrpc.addr=127.0.0.1",
        f"--authrpc.port={engine_port}",
        "--ipcdisable",
        "--nodiscover",
        "--maxpeers=0",
        "--port=0",
    ]


class EthereumPurse:
    """The account that a development node holds the key of."""

    def __init__(self, node: Node, nodes: NodeSet, account: str) -> None:
        self._node, self._nodes, self._account = node, nodes, account

    @classmethod
    async def open(cls, url: str, opened: AsyncExitStack) -> Self:
        """Asks a node that answers. Raises NodeRefused, Unavailable."""
        node = await opened.enter_async_context(Node(NodeSettings("customer", SecretStr(url))))
        genesis = fields(await node.read("eth_getBlockByNumber", "0x0", False))
        chain_id = quantity(await node.read("eth_chainId"))
        nodes = NodeSet(chain_id, hash_text(genesis.get("hash")), [node], 1, time.monotonic)
        await nodes.check()
        accounts = node.result_of("eth_accounts", await node.post("eth_accounts", ()))
        return cls(node, nodes, str(accounts[0]))

    @property
    def genesis_hash(self) -> str:
        """Of the chain that the node is on."""
        return self._nodes.genesis_hash

    @property
    def chain_id(self) -> int:
        """Of the chain that the node is on."""
        return self._nodes.chain_id

    async def pay(self, held: HeldAsset, address: str, amount_atoms: int) -> str:
        """As in `Purse`."""
        if not held.contract:
            return await self._send(to=address, value=hex(amount_atoms))
        call = transfer_call(data(address), amount_atoms)
        return await self._send(to=held.contract_text, data="0x" + call.hex(), gas=hex(TOKEN_GAS))

    async def new_address(self) -> str:
        """As in `Purse`."""
        return text_of(account_of(new_key()))

    async def received_atoms(self, held: HeldAsset, address: str) -> int:
        """As in `Purse`."""
        if not held.contract:
            return quantity(await self._node.read("eth_getBalance", address, "latest"))
        tip = await self._nodes.tip()
        return await read_balance(self._nodes, bytes.fromhex(held.contract), data(address), tip)

    async def make_block(self) -> None:
        """As in `Purse`: they come by themselves."""

    async def make_token(self) -> bytes:
        """A new contract, mined; all of its tokens are ours. Raises Unavailable."""
        code = json.loads(TOKEN_FILE.read_text(encoding="utf-8"))["bytecode"]
        txid = await self._send(data="0x" + code, gas=hex(DEPLOY_GAS))
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            receipt = await self._node.read("eth_getTransactionReceipt", txid)
            if receipt is not None:
                return data(fields(receipt).get("contractAddress"), 20)
            await asyncio.sleep(POLL_SECONDS)
        raise Unavailable(f"no block has the token after {READY_SECONDS:.0f} s")

    async def _send(self, **wanted: str) -> str:
        """Signed and numbered by the node, which has the key."""
        method = "eth_sendTransaction"
        answer = await self._node.post(method, ({"from": self._account, **wanted},))
        return str(self._node.result_of(method, answer))


async def open_purse(access: Mapping[str, Any], opened: AsyncExitStack) -> EthereumPurse:
    """The same purse in another process. Raises NodeRefused, Unavailable."""
    return await EthereumPurse.open(access["url"], opened)


@asynccontextmanager
async def started(stack: Stack, program: tuple[str, str]) -> AsyncIterator[Beside]:
    """A fresh chain with coins to spend. Raises ProcessFailed."""
    port, engine_port = choose_ports(2)
    kind, path = program
    arguments = arguments_of(kind, port, engine_port, stack.plan.directory / kind)
    process = stack.processes.start(kind, arguments, program=path)
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as opened:
        node = await opened.enter_async_context(Node(NodeSettings(kind, SecretStr(url))))
        await wait_answers(process, lambda: node.read("eth_blockNumber"))
        purse = await EthereumPurse.open(url, opened)
        found = EthereumNode(url, purse.chain_id, purse.genesis_hash, await purse.make_token())
        yield Beside(ethereum(found), purse, {"url": url, "token": found.token.hex()})
