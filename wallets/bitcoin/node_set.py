"""Several nodes of one network, asked so that a single one cannot lie to us.

Called by the adapter. A block counts when at least `agreeing` nodes name its hash for its height;
its bytes are then taken from any of them and proven by the hash. A node that is on another chain,
still loading, behind, or gave false bytes is not asked for a while. Time is passed in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from runtime.errors import Unavailable
from wallets.bitcoin import fees, limits
from wallets.bitcoin.blocks import parse_block
from wallets.bitcoin.networks import BitcoinNetwork
from wallets.bitcoin.node import BAD_PARAMETER, Node
from wallets.contract import Block, BlockRef
from wallets.errors import Condition, Quarantined, Stuck, WrongChain
from wallets.json_rpc import NodeRefused
from wallets.quorum import Quorum

T = TypeVar("T")


class NodeSet(Quorum[Node]):
    """Nodes of one Bitcoin network."""

    def __init__(
        self,
        network: BitcoinNetwork,
        nodes: Sequence[Node],
        agreeing: int,
        now_seconds: Callable[[], float],
    ) -> None:
        super().__init__(nodes, agreeing, now_seconds)
        self._network = network

    async def check(self) -> None:
        """Asks every node whether it is on our chain and synced; puts aside those not.

        Raises Unavailable when fewer than must agree are left, Stuck(CHAIN_MISMATCH).
        """
        for node in self.to_check():
            info = await one_answer(node, "getblockchaininfo")
            if info is None:
                continue
            try:
                check_chain(info, await node.call("getblockhash", 0), self._network)
            except (Quarantined, NodeRefused, Unavailable) as error:
                self.judge(node, error)
            else:
                self.judge(node, None)
        self.healthy()

    async def tip(self) -> BlockRef:
        """The highest block that enough nodes have in their best chain.

        Raises Unavailable when too few answer, Stuck(NODES_DISAGREE).
        """
        answers = [one for _, one in await self._ask("getblockcount") if isinstance(one, int)]
        top = self.common_height(answers)
        if top < 0:
            raise Unavailable(f"{len(answers)} nodes told their height")
        for height in range(top, max(-1, top - limits.TIP_SEARCH_BLOCKS), -1):
            block_hash, _ = await self._agreed(height)
            if block_hash is not None:
                return BlockRef(height, block_hash)
        raise Stuck(Condition.NODES_DISAGREE, f"no common block from {top} down")

    async def read_block(self, height: int) -> Block:
        """The proven block of a height.

        Raises Unavailable when too few nodes answer or have it, Stuck(NODES_DISAGREE).
        """
        block_hash, named = await self._agreed(height)
        if block_hash is None:
            raise Stuck(Condition.NODES_DISAGREE, f"no agreement on block {height}")
        for node in named:
            try:
                raw = await node.call("getblock", block_hash, 0)
                return await asyncio.to_thread(parse_hex_block, raw, BlockRef(height, block_hash))
            except Quarantined as error:
                self.put_aside(node, str(error))
            except (NodeRefused, Unavailable):
                # Pruned, restarting: another of those that agree has it.
                continue
        raise Unavailable(f"no node gave block {block_hash}")

    async def first_answer(self, ask: Callable[[Node], Awaitable[T]]) -> T:
        """Of the first healthy node that gives one: fees and pools, which decide nothing alone.

        Raises Unavailable.
        """
        for node in self.healthy():
            try:
                return await ask(node)
            except (Unavailable, NodeRefused):
                continue
        raise Unavailable("no node answers")

    async def fee_rate(self, policy: fees.FeePolicy) -> int:
        """Satoshi per 1,000 virtual bytes, within the policy. Raises Unavailable."""
        blocks = policy.target_blocks
        answer = await self.first_answer(lambda node: node.call("estimatesmartfee", blocks))
        return fees.rate_of(answer, policy)

    async def _agreed(self, height: int) -> tuple[str | None, list[Node]]:
        """The hash that enough nodes name for a height, and those that do. Raises Unavailable."""
        answers = await self._ask("getblockhash", height)
        if len(answers) < self.agreeing:
            raise Unavailable(f"{len(answers)} nodes have block {height}")
        return self.elected([(node, str(found)) for node, found in answers])

    async def _ask(self, method: str, *params: object) -> list[tuple[Node, Any]]:
        """Answers of all healthy nodes that give one. Raises Unavailable."""
        nodes = self.healthy()
        asked = [one_answer(node, method, *params) for node in nodes]
        answers = await asyncio.gather(*asked)
        return [
            (node, found) for node, found in zip(nodes, answers, strict=True) if found is not None
        ]


async def one_answer(node: Node, method: str, *params: object) -> Any:
    """An answer, or None: unreachable, or it does not have so high a block."""
    try:
        return await node.call(method, *params)
    except Unavailable:
        return None
    except NodeRefused as error:
        if error.code == BAD_PARAMETER:
            return None
        raise


def check_chain(info: Any, genesis: object, network: BitcoinNetwork) -> None:
    """Whether a node is on our chain and has it all. Raises Quarantined."""
    if genesis != network.genesis_hash:
        raise WrongChain(f"its genesis is {genesis}")
    if not isinstance(info, dict) or info.get("chain") != network.chain:
        raise WrongChain("it is on another chain")
    blocks, headers = info.get("blocks"), info.get("headers")
    if not isinstance(blocks, int) or not isinstance(headers, int):
        raise Quarantined("it does not tell its height")
    if headers - blocks > limits.LAG_BLOCKS_MAX:
        raise Quarantined(f"it has {blocks} of {headers} blocks")
    # A fresh regtest node says so until its first block, for good reason nowhere else.
    if info.get("initialblockdownload") is not False and network.chain != "regtest":
        raise Quarantined("it is loading the chain")


def parse_hex_block(raw: object, ref: BlockRef) -> Block:
    """The block of the digits that a node gave. Raises Quarantined."""
    try:
        data = bytes.fromhex(str(raw))
    except ValueError as error:
        raise Quarantined("a block that is not hexadecimal") from error
    if len(data) > limits.BLOCK_BYTES_MAX:
        raise Quarantined("a block that is too long")
    return parse_block(data, ref)
