"""The TRON simulator beside a venue, and a customer's coins there.

It needs no program but our own, makes a block each second, and forgets its chain when it ends.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, Self

from coincurve import PrivateKey
from pydantic import SecretStr

from runtime.errors import Unavailable
from venue.custody.chain_plan import HeldAsset
from venue.custody.listing import TRON_TOKEN
from venue.custody.purse import Beside, account_of, new_key, wait_answers
from venue.custody.tron_plan import tron
from venue.ports import choose_ports
from venue.stack import Stack
from wallets.contract import BroadcastOutcome
from wallets.errors import Rejected
from wallets.tron import resources, transactions
from wallets.tron.addresses import PREFIX, address_of, parse_address
from wallets.tron.contracts import Contract, Transfer, token_transfer
from wallets.tron.node import FULL, Node, NodeSettings
from wallets.tron.node_set import NodeSet
from wallets.tron.wire import fields

NAME: Final = "tron-simulator"
BLOCK_SECONDS: Final = 1
SOLID_LAG_BLOCKS: Final = 2
BEGINS_WITH_ATOMS: Final = 10**15
FEE_LIMIT_SUN: Final = 100_000_000
LIFETIME_MILLISECONDS: Final = 60_000


class TronPurse:
    """One account with TRX and tokens."""

    def __init__(self, node: Node, nodes: NodeSet, key: PrivateKey) -> None:
        self._node, self.nodes, self._key = node, nodes, key
        self.account = tron_account(key)
        self._last_ms = 0
        # No two transactions of an account have the same time.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, url: str, key: PrivateKey, opened: AsyncExitStack) -> Self:
        """Asks a node that answers. Raises Unavailable."""
        node = await opened.enter_async_context(Node(NodeSettings(NAME, SecretStr(url))))
        genesis = fields(await node.read(FULL + "getblockbynum", {"num": 0}))["blockID"]
        nodes = NodeSet(str(genesis), [node], 1, time.monotonic)
        await nodes.check()
        return cls(node, nodes, key)

    @property
    def genesis_hash(self) -> str:
        """Of the chain that the node is on."""
        return self.nodes.genesis_hash

    async def pay(self, held: HeldAsset, address: str, amount_atoms: int) -> str:
        """As in `Purse`."""
        to = parse_address(address).key
        if held.contract:
            token = bytes.fromhex(held.contract)
            return await self._send(token_transfer(self.account, token, to, amount_atoms))
        return await self._send(Transfer(self.account, to, amount_atoms))

    async def new_address(self) -> str:
        """As in `Purse`."""
        return address_of(tron_account(new_key()))

    async def received_atoms(self, held: HeldAsset, address: str) -> int:
        """As in `Purse`; solid ones."""
        account = parse_address(address).key
        if held.contract:
            token = bytes.fromhex(held.contract)
            return await resources.read_token(self.nodes, token, account)
        return await resources.read_balance(self.nodes, account)

    async def make_block(self) -> None:
        """As in `Purse`: they come by themselves."""

    async def _send(self, contract: Contract) -> str:
        async with self._turn:
            solid = await self.nodes.tip()
            height, now_ms = await self.nodes.head()
            self._last_ms = transactions.next_timestamp_ms(now_ms, self._last_ms)
            plan = transactions.Plan(
                contract,
                transactions.reference_of(solid, height),
                self._last_ms,
                now_ms + LIFETIME_MILLISECONDS,
                0 if isinstance(contract, Transfer) else FEE_LIMIT_SUN,
            )
            raw = transactions.build(plan, now_ms)
            signature = self._key.sign_recoverable(hashlib.sha256(raw).digest(), hasher=None)
            txid = transactions.transaction_id(raw)
            told = await self._node.broadcast(transactions.sign(raw, [signature]), txid)
        if told.outcome is BroadcastOutcome.REFUSED:
            raise Rejected(told.reason, "the simulator refuses the customer's payment")
        if told.outcome is BroadcastOutcome.UNKNOWN:
            raise Unavailable(f"{NAME}: {told.reason}")
        return txid


def tron_account(key: PrivateKey) -> bytes:
    """The 21 bytes."""
    return bytes((PREFIX,)) + account_of(key)


async def open_purse(access: Mapping[str, Any], opened: AsyncExitStack) -> TronPurse:
    """The same purse in another process. Raises Unavailable."""
    return await TronPurse.open(access["url"], PrivateKey.from_hex(access["key"]), opened)


@asynccontextmanager
async def started(stack: Stack) -> AsyncIterator[Beside]:
    """A fresh chain with coins to spend. Raises ProcessFailed."""
    (port,) = choose_ports(1)
    key = new_key()
    mine = address_of(tron_account(key))
    arguments = [f"--port={port}", f"--block-seconds={BLOCK_SECONDS}"]
    arguments += [f"--solid-lag-blocks={SOLID_LAG_BLOCKS}", f"--fund={mine}={BEGINS_WITH_ATOMS}"]
    arguments += [f"--token={TRON_TOKEN.contract_text}:{mine}={BEGINS_WITH_ATOMS}"]
    process = stack.processes.start(NAME, ["-m", "wallets.tron.simulator", *arguments])
    url = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as opened:
        node = await opened.enter_async_context(Node(NodeSettings(NAME, SecretStr(url))))
        await wait_answers(process, lambda: node.read(FULL + "getnowblock", {}))
        purse = await TronPurse.open(url, key, opened)
        access = {"url": url, "key": key.to_hex()}
        yield Beside(tron(url, purse.genesis_hash), purse, access)
