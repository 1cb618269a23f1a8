"""Simulated nodes that listen, and the node set that reads them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web
from pydantic import SecretStr

from wallets.tron.node import Node, NodeSettings
from wallets.tron.node_set import NodeSet
from wallets.tron.simulator.chain import Chain
from wallets.tron.simulator.server import Node as SimulatedNode


async def listen(node: SimulatedNode, stack: AsyncExitStack) -> str:
    """Serves until the stack ends; the address."""
    runner = web.AppRunner(node.application())
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def open_node(name: str, url: str, stack: AsyncExitStack) -> Node:
    """A client of a node."""
    return await stack.enter_async_context(Node(NodeSettings(name, SecretStr(url)), 5.0))


@asynccontextmanager
async def node_set_of(
    nodes: Sequence[SimulatedNode], agreeing: int, genesis: Chain
) -> AsyncIterator[NodeSet]:
    """All of these, on the chain of one of them; its clock stands."""
    async with AsyncExitStack() as stack:
        clients = [
            await open_node(str(number), await listen(node, stack), stack)
            for number, node in enumerate(nodes)
        ]
        yield NodeSet(genesis.blocks[0].block_hash, clients, agreeing, lambda: 0.0)
