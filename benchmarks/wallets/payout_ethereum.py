"""A world for payouts of ether: a real node that makes a block each second, and sixteen lanes.

Used by `benchmarks.wallets.payouts` where anvil or geth is found.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydantic import SecretStr

from benchmarks.ceiling_servers import wait_port
from benchmarks.wallets.payout_world import Parts, World, network_of, open_custody
from venue.custody.ethereum_node import EthereumPurse, arguments_of, find_program
from venue.custody.ethereum_plan import (
    FEE_PER_GAS_ATOMS,
    FINAL_DEPTH,
    GWEI,
    HOT,
    EthereumNode,
    ethereum,
)
from venue.custody.listing import ETHER, ETHEREUM
from venue.ports import choose_ports
from wallets.ethereum.adapter import Ethereum, EthereumSettings
from wallets.ethereum.fees import FeePolicy
from wallets.ethereum.lane_leases import LaneLeases
from wallets.ethereum.node import Node, NodeSettings
from wallets.ethereum.node_set import NodeSet
from wallets.http_posts import Answer

# Nonces of a lane are used up with a block; so many lanes hold all payouts of a round.
LANES: Final = 16
FUNDED_ATOMS: Final = 100 * 10**18
UNIT: Final = 10**12


class CountedNode(Node):
    """A client that counts what it asks."""

    def __init__(self, settings: NodeSettings) -> None:
        super().__init__(settings)
        self.posts = 0

    async def post(self, method: str, params: Sequence[object]) -> Answer:
        """As the client's, counted."""
        self.posts += 1
        return await super().post(method, params)


def is_there() -> bool:
    """Whether there is a node to measure with."""
    return find_program() is not None


async def open_ethereum(parts: Parts) -> World:
    """Node, custody, ether for every lane, and leases of them all."""
    program = find_program()
    assert program is not None, "asked for only where there is one"
    kind, path = program
    port, engine_port = choose_ports(2)
    arguments = arguments_of(kind, port, engine_port, parts.directory / kind)
    parts.processes.start(kind, arguments, program=path)
    await wait_port(parts.processes, port)
    url = f"http://127.0.0.1:{port}"
    purse = await EthereumPurse.open(url, parts.stack)
    found = EthereumNode(url, purse.chain_id, purse.genesis_hash, bytes(20))
    branch, first = HOT
    hot = tuple((branch, first + number) for number in range(LANES))
    plan = replace(ethereum(found), assets=(ETHEREUM,), hot_accounts=hot)
    custody = await open_custody(parts, plan)
    for address in custody.hot:
        await purse.pay(ETHEREUM, address, FUNDED_ATOMS)
    node = await parts.stack.enter_async_context(CountedNode(NodeSettings("bench", SecretStr(url))))
    nodes = NodeSet(purse.chain_id, purse.genesis_hash, [node], 1, time.monotonic)
    leases = LaneLeases(custody.database, plan.network_id)
    await leases.renew("bench")
    keeping = asyncio.create_task(leases.run("bench", lambda: False))
    parts.stack.push_async_callback(end, keeping)
    settings = EthereumSettings(
        chain_id=purse.chain_id,
        fees=FeePolicy(FEE_PER_GAS_ATOMS, GWEI, 3 * GWEI),
        contracts=frozenset(),
        final_tag="",
        final_depth=FINAL_DEPTH,
    )
    chain = Ethereum(network_of(plan), nodes, custody.database, settings, leases)
    parts.stack.push_async_callback(chain.close)
    return custody.world(chain, node, ETHER, UNIT, await purse.new_address())


async def end(task: asyncio.Task[None]) -> None:
    """Waits for its end."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
