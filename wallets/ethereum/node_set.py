"""Several nodes of one network, asked so that a single one cannot lie to us.

Called by the adapter. A block counts when at least `agreeing` nodes name its hash for its height,
and its movements when as many of those tell the same ones, each of which must hash up to that hash
(`proofs`). Nothing else of a node is believed alone, but estimates of fees. A node that is on
another chain, still loading, or that answers what no node may answer is not asked for a while.
Time is passed in.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runtime.errors import Unavailable
from wallets.contract import Block, BlockRef
from wallets.core.sharing import Sharing
from wallets.errors import Condition, Quarantined, Stuck, WrongChain
from wallets.ethereum import limits
from wallets.ethereum.block_reading import Answers, read_answers
from wallets.ethereum.node import Node
from wallets.ethereum.projection import canonical, projected
from wallets.ethereum.proofs import check_block
from wallets.ethereum.reading_processes import ReadingProcesses
from wallets.ethereum.traces import internal_movements
from wallets.ethereum.wire import fields, hash_text, quantity
from wallets.json_rpc import NodeRefused
from wallets.kept import KeptByKey
from wallets.quorum import Quorum


@dataclass(frozen=True, slots=True)
class RawBlock:
    """A block and its receipts as a node told them, checked against the hash."""

    block: dict[str, Any]
    receipts: list[Any]


class NodeSet(Quorum[Node]):
    """Nodes of one Ethereum network."""

    def __init__(
        self,
        chain_id: int,
        genesis_hash: str,
        nodes: Sequence[Node],
        agreeing: int,
        now_seconds: Callable[[], float],
        *,
        checks_roots: bool = True,
        processes: ReadingProcesses | None = None,
    ) -> None:
        """`checks_roots` is off only for networks whose headers are not those of Ethereum.

        Without `processes` blocks are read in threads of this one.

        Raises ValueError where it is off and one node alone would be believed.
        """
        if not checks_roots and agreeing < limits.AGREEING_WITHOUT_ROOTS:
            raise ValueError("without checks_roots two nodes must agree")
        super().__init__(nodes, agreeing, now_seconds)
        self.chain_id = chain_id
        self.genesis_hash = genesis_hash
        self._checks_roots = checks_roots
        self._processes = processes
        self.now_seconds = now_seconds
        self._tips = Sharing(self._tip_for_all)
        self._refs = Sharing(self._refs_of)
        # A hash names one block for ever.
        self._proven = KeptByKey[str, RawBlock](
            now_seconds, limits.PROVEN_SECONDS, limits.PROVEN_BLOCKS
        )

    async def check(self) -> None:
        """Asks every node whether it is on our chain and synced; puts aside those not.

        Raises Unavailable when fewer than must agree are left, Stuck(CHAIN_MISMATCH).
        """
        for node in self.to_check():
            try:
                await self._check(node)
            except (Quarantined, NodeRefused, Unavailable) as error:
                self.judge(node, error)
            else:
                self.judge(node, None)
        self.healthy()

    async def _check(self, node: Node) -> None:
        chain_id = quantity(await node.read("eth_chainId"))
        if chain_id != self.chain_id:
            raise WrongChain(f"its chain id is {chain_id}")
        genesis = fields(await node.read("eth_getBlockByNumber", "0x0", False))
        if hash_text(genesis.get("hash")) != self.genesis_hash:
            raise WrongChain("its chain began otherwise")
        if await node.read("eth_syncing") is not False:
            raise Quarantined("it is loading the chain")

    async def tip(self) -> BlockRef:
        """The highest block that enough nodes have. Raises Unavailable, Stuck(NODES_DISAGREE).

        Who asks while an answer is under way shares the next one.
        """
        return await self._tips.do(None)

    async def _tip_for_all(self, asked: Sequence[None]) -> list[BlockRef]:
        return [await self._ask_tip()] * len(asked)

    async def _ask_tip(self) -> BlockRef:
        top = await self._height_of("latest")
        if top < 0:
            raise Unavailable("too few nodes told their height")
        for height in range(top, max(-1, top - limits.TIP_SEARCH_BLOCKS), -1):
            block_hash, _ = await self._agreed(height)
            if block_hash is not None:
                return BlockRef(height, block_hash)
        raise Stuck(Condition.NODES_DISAGREE, f"no common block from {top} down")

    async def final_height(self, tag: str) -> int:
        """Up to where enough nodes call blocks `finalized` or `safe`; -1 = they do not tell."""
        return await self._height_of(tag)

    async def _height_of(self, tag: str) -> int:
        heights = []
        for node, block in await self._ask("eth_getBlockByNumber", tag, False):
            try:
                heights.append(quantity(fields(block).get("number")))
            except Quarantined as error:
                self.put_aside(node, str(error))
        return self.common_height(heights)

    async def agreed_ref(self, height: int) -> BlockRef:
        """The block that enough nodes name for a height. Raises Unavailable, Stuck."""
        return await self._refs.do(height)

    async def _refs_of(self, heights: Sequence[int]) -> list[BlockRef | Exception]:
        """Each height asked for once."""
        found: dict[int, BlockRef | Exception] = {}
        for height in set(heights):
            try:
                found[height] = await self._ask_ref(height)
            except (Unavailable, Stuck) as error:
                found[height] = error
        return [found[height] for height in heights]

    async def _ask_ref(self, height: int) -> BlockRef:
        block_hash, _ = await self._agreed(height)
        if block_hash is None:
            raise Stuck(Condition.NODES_DISAGREE, f"no agreement on block {height}")
        return BlockRef(height, block_hash)

    async def read_block(
        self, height: int, contracts: Collection[bytes], *, with_traces: bool = False
    ) -> Block:
        """The block of a height, told alike by enough nodes. Raises Unavailable, Stuck."""
        block_hash, named = await self._agreed(height)
        if block_hash is None:
            raise Stuck(Condition.NODES_DISAGREE, f"no agreement on block {height}")
        ref = BlockRef(height, block_hash)
        told: list[Block] = []
        for node in named:
            try:
                block = await self._read_told(node, ref, frozenset(contracts))
                if with_traces:
                    block = await with_internal(node, block)
            except Quarantined as error:
                self.put_aside(node, str(error))
                continue
            except (NodeRefused, Unavailable):
                # Pruned, restarting: another of those that agree has it.
                continue
            told.append(block)
            if told.count(block) == self.agreeing:
                return block
        if any(one != told[0] for one in told):
            raise Stuck(Condition.NODES_DISAGREE, f"nodes tell block {block_hash} differently")
        raise Unavailable(f"too few nodes gave block {block_hash}")

    async def _read_told(self, node: Node, ref: BlockRef, contracts: frozenset[bytes]) -> Block:
        """A block as a node tells it. Raises Quarantined, NodeRefused, Unavailable."""
        name = "0x" + ref.block_hash
        block = await node.ask("eth_getBlockByHash", name, True)
        receipts = await node.ask("eth_getBlockReceipts", name)
        answers = Answers(ref, block.content, receipts.content)
        checks_roots = self._checks_roots
        if self._processes is None:
            return await asyncio.to_thread(
                read_answers, answers, contracts, checks_roots=checks_roots
            )
        return await self._processes.read(answers, contracts, checks_roots=checks_roots)

    async def proven(self, ref: BlockRef) -> RawBlock | None:
        """The block of an agreed hash, from whichever node tells it true; None = not checked here.

        Raises Unavailable.
        """
        if not self._checks_roots:
            return None
        return await self._proven.get(ref.block_hash, lambda: self._prove(ref))

    async def _prove(self, ref: BlockRef) -> RawBlock:
        for node in self.healthy():
            try:
                return await read_raw(node, ref)
            except Quarantined as error:
                self.put_aside(node, str(error))
            except (NodeRefused, Unavailable):
                continue
        raise Unavailable(f"no node proves block {ref.block_hash}")

    async def agreed_answer(self, method: str, *params: object) -> Any:
        """What enough nodes answer alike; None is an answer too.

        Raises Unavailable, and NodeRefused when enough nodes say that the call reverts.
        """
        told, refused = await self._ask_all(method, *params)
        answers = [projected(method, answer) for _, answer in told]
        votes = Counter(canonical(answer) for answer in answers)
        # A node that is behind has nothing yet; that outweighs nobody.
        for answer in sorted(answers, key=lambda answer: answer is None):
            if votes[canonical(answer)] >= self.agreeing:
                return answer
        reverts = [error for error in refused if "revert" in error.message.lower()]
        if len(reverts) >= self.agreeing:
            raise reverts[0]
        raise Unavailable(f"{len(answers)} nodes answered {method}, too few alike")

    async def any_answer(self, method: str, *params: object) -> Any:
        """The first node's answer, for estimates. Raises NodeRefused when all refuse."""
        refused: NodeRefused | None = None
        for node in self.healthy():
            try:
                return await node.read(method, *params)
            except NodeRefused as error:
                refused = error
            except Unavailable:
                continue
        raise refused if refused is not None else Unavailable(f"no node answered {method}")

    async def _agreed(self, height: int) -> tuple[str | None, list[Node]]:
        """The hash that enough nodes name for a height, and those that do. Raises Unavailable."""
        named = []
        for node, block in await self._ask("eth_getBlockByNumber", hex(height), False):
            try:
                if block is not None:
                    named.append((node, hash_text(fields(block).get("hash"))))
            except Quarantined as error:
                self.put_aside(node, str(error))
        if len(named) < self.agreeing:
            raise Unavailable(f"{len(named)} nodes have block {height}")
        return self.elected(named)

    async def _ask(self, method: str, *params: object) -> list[tuple[Node, Any]]:
        """Answers of all healthy nodes that give one. Raises Unavailable."""
        told, _ = await self._ask_all(method, *params)
        return told

    async def _ask_all(
        self, method: str, *params: object
    ) -> tuple[list[tuple[Node, Any]], list[NodeRefused]]:
        """Answers of all healthy nodes, and what others refused with. Raises Unavailable."""
        nodes = self.healthy()
        answers = await asyncio.gather(
            *(node.read(method, *params) for node in nodes), return_exceptions=True
        )
        told: list[tuple[Node, Any]] = []
        refused = []
        for node, answer in zip(nodes, answers, strict=True):
            if isinstance(answer, NodeRefused):
                refused.append(answer)
            elif isinstance(answer, Unavailable):
                continue
            elif isinstance(answer, BaseException):
                raise answer
            else:
                told.append((node, answer))
        return told, refused


async def read_raw(node: Node, ref: BlockRef) -> RawBlock:
    """A block and its receipts, checked. Raises Quarantined, NodeRefused, Unavailable."""
    name = "0x" + ref.block_hash
    block = await node.read("eth_getBlockByHash", name, True)
    receipts = await node.read("eth_getBlockReceipts", name)
    if block is None or receipts is None:
        raise Unavailable(f"{node.name} has no block {name} any more")
    await asyncio.to_thread(check_block, block, receipts, ref)
    return RawBlock(block, receipts)


async def with_internal(node: Node, block: Block) -> Block:
    """A block with what calls moved within. Raises Quarantined, NodeRefused, Unavailable."""
    traces = await node.read("trace_block", hex(block.ref.height))
    moved = await asyncio.to_thread(internal_movements, traces, block.ref)
    return replace(block, movements=(*block.movements, *moved))
