"""Several TRON nodes of one network, asked so that a single one cannot lie to us.

Called by the adapter. A solid block counts when at least `agreeing` nodes tell it alike, its ids
and movements included. Heights, times and balances are what as many nodes have reached. Nothing
else of a node is believed alone, but prices and estimates, which the fee's ceiling bounds. An empty
answer is no answer. Time is passed in.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from runtime.errors import Unavailable
from wallets.contract import BlockRef, TransactionId
from wallets.errors import Condition, Quarantined, Stuck, WrongChain
from wallets.kept import Kept, KeptByKey
from wallets.quorum import Quorum
from wallets.tron.blocks import TronBlock, parse_block, ref_of, time_of
from wallets.tron.node import FULL, SOLID, Node
from wallets.tron.wire import canonical, fields

T = TypeVar("T")
# Of a receipt; what else is there differs by how a node is set up.
RECEIPT_FIELDS = ("id", "blockNumber", "fee", "receipt", "log", "result", "resMessage")


class NodeSet(Quorum[Node]):
    """Nodes of one TRON network."""

    def __init__(
        self,
        genesis_hash: str,
        nodes: Sequence[Node],
        agreeing: int,
        now_seconds: Callable[[], float],
        *,
        kept_seconds: float = 0.0,
    ) -> None:
        """With `kept_seconds` head, reference and prices are asked for no more often than that."""
        super().__init__(nodes, agreeing, now_seconds)
        self.genesis_hash = genesis_hash
        self.now_seconds = now_seconds
        self.kept_seconds = kept_seconds
        self._head: Kept[tuple[int, int]] = Kept(now_seconds, kept_seconds)
        self._reference: Kept[BlockRef] = Kept(now_seconds, kept_seconds)
        self._parameters: Kept[dict[str, Any]] = Kept(now_seconds, kept_seconds)
        self._solid = KeptByKey[int, BlockRef](now_seconds, kept_seconds)

    async def check(self) -> None:
        """Asks every node whether it is on our chain; puts aside those not.

        Raises Unavailable when fewer than must agree are left, Stuck(CHAIN_MISMATCH).
        """
        for node in self.to_check():
            fault: Exception | None = None
            try:
                genesis = ref_of(await node.read(FULL + "getblockbynum", {"num": 0}))
                if genesis.block_hash != self.genesis_hash:
                    fault = WrongChain("its chain began otherwise")
            except (Quarantined, Unavailable) as error:
                fault = error
            self.judge(node, fault)
        self.healthy()

    async def tip(self) -> BlockRef:
        """The highest solid block that enough nodes have. Raises Unavailable, Stuck."""
        height = await self.reached(SOLID + "getnowblock", {}, lambda block: ref_of(block).height)
        return await self.agreed_ref(height, is_solid=True)

    async def reference(self) -> BlockRef:
        """A tip to name in a transaction; the newest need not be known. Raises as `tip`."""
        return await self._reference.get(self.tip)

    async def head(self) -> tuple[int, int]:
        """Height and time in milliseconds that enough heads have reached. Raises Unavailable."""
        return await self._head.get(self._ask_head)

    async def _ask_head(self) -> tuple[int, int]:
        blocks = await self._ask(FULL + "getnowblock", {})
        heights = self._read(blocks, lambda block: ref_of(block).height)
        times = self._read(blocks, time_of)
        height, time_ms = self.common_height(heights), self.common_height(times)
        if height < 0 or time_ms < 0:
            raise Unavailable("too few nodes told their head")
        return height, time_ms

    async def solid_ref(self, height: int) -> BlockRef:
        """The solid block of a height, which no other takes the place of. Raises as `tip`."""
        return await self._solid.get(height, lambda: self.agreed_ref(height, is_solid=True))

    async def agreed_ref(self, height: int, *, is_solid: bool) -> BlockRef:
        """The block that enough nodes name for a height. Raises Unavailable, Stuck."""
        prefix = SOLID if is_solid else FULL
        told = await self._ask(prefix + "getblockbynum", {"num": height})
        refs = [ref for ref in self._read(told, ref_of) if ref.height == height]
        if len(refs) < self.agreeing:
            raise Unavailable(f"{len(refs)} nodes have block {height}")
        ref, count = Counter(refs).most_common(1)[0]
        if count < self.agreeing or list(Counter(refs).values()).count(count) > 1:
            raise Stuck(Condition.NODES_DISAGREE, f"no agreement on block {height}")
        return ref

    async def read_block(self, height: int, contracts: Collection[bytes]) -> TronBlock:
        """The solid block of a height, told alike by enough nodes. Raises Unavailable, Stuck."""
        told: Counter[TronBlock] = Counter()
        for node in self.healthy():
            try:
                block = await read_whole(node, height, contracts)
            except Quarantined as error:
                self.put_aside(node, str(error))
                continue
            except Unavailable:
                # Behind, busy, or without receipts: another one has it.
                continue
            told[block] += 1
            if told[block] == self.agreeing:
                return block
        if len(told) > 1:
            raise Stuck(Condition.NODES_DISAGREE, f"nodes tell block {height} differently")
        raise Unavailable(f"too few nodes gave block {height}")

    async def agreed_info(self, txid: TransactionId, *, is_solid: bool) -> dict[str, Any] | None:
        """The receipt that enough nodes tell alike; None proves nothing. Raises Unavailable."""
        prefix = SOLID if is_solid else FULL
        told = await self._ask(prefix + "gettransactioninfobyid", {"value": txid})
        infos = self._read(told, fields)
        if len(infos) < self.agreeing:
            raise Unavailable(f"{len(infos)} nodes answered about {txid}")
        known = [{name: info.get(name) for name in RECEIPT_FIELDS} for info in infos if info]
        votes = Counter(canonical(info) for info in known)
        for info in known:
            if votes[canonical(info)] >= self.agreeing and info["id"] == txid:
                return info
        return None

    async def reached(
        self, path: str, body: Mapping[str, object], read: Callable[[Any], int]
    ) -> int:
        """The highest figure that enough nodes have at least. Raises Unavailable."""
        figure = self.common_height(self._read(await self._ask(path, body), read))
        if figure < 0:
            raise Unavailable(f"too few nodes answered {path}")
        return figure

    async def agreed(
        self, path: str, body: Mapping[str, object], read: Callable[[Any], T]
    ) -> T | None:
        """What enough nodes tell alike; None while they do not. Raises Unavailable.

        For what must not be reckoned from a replica that is behind: what is gathered once.
        """
        told = self._read(await self._ask(path, body), read)
        if len(told) < self.agreeing:
            raise Unavailable(f"{len(told)} nodes answered {path}")
        (first, *others) = Counter(told).most_common(2)
        if first[1] < self.agreeing or (others and others[0][1] == first[1]):
            return None
        return first[0]

    async def parameters(self) -> dict[str, Any]:
        """The chain's prices as the first node tells them. Raises Quarantined, Unavailable."""
        return await self._parameters.get(self._ask_parameters)

    async def _ask_parameters(self) -> dict[str, Any]:
        return fields(await self.any_answer(FULL + "getchainparameters", {}))

    async def any_answer(self, path: str, body: Mapping[str, object]) -> Any:
        """The first node's answer, for prices and estimates. Raises Unavailable."""
        for node in self.healthy():
            try:
                return await node.read(path, body)
            except Unavailable:
                continue
        raise Unavailable(f"no node answered {path}")

    async def is_pending(self, txid: TransactionId) -> bool:
        """Whether any node shows it; that proves nothing either way. Raises Unavailable."""
        told = await self._ask(FULL + "gettransactionbyid", {"value": txid})
        if not told:
            raise Unavailable(f"no node answered about {txid}")
        return any(answer for _, answer in told)

    async def _ask(self, path: str, body: Mapping[str, object]) -> list[tuple[Node, Any]]:
        """Answers of all healthy nodes that give one. Raises Unavailable."""
        nodes = self.healthy()
        answers = await asyncio.gather(
            *(node.read(path, body) for node in nodes), return_exceptions=True
        )
        told: list[tuple[Node, Any]] = []
        for node, answer in zip(nodes, answers, strict=True):
            if isinstance(answer, Unavailable):
                continue
            if isinstance(answer, BaseException):
                raise answer
            told.append((node, answer))
        return told

    def _read(self, told: Sequence[tuple[Node, Any]], read: Callable[[Any], T]) -> list[T]:
        """Every answer as something; a node whose answer is none is put aside."""
        found = []
        for node, answer in told:
            try:
                found.append(read(answer))
            except Unavailable:
                continue
            except Quarantined as error:
                self.put_aside(node, str(error))
        return found


async def read_whole(node: Node, height: int, contracts: Collection[bytes]) -> TronBlock:
    """A solid block with its receipts: two calls. Raises Quarantined, Unavailable."""
    block = await node.read(SOLID + "getblockbynum", {"num": height})
    infos = await node.read(SOLID + "gettransactioninfobyblocknum", {"num": height})
    return await asyncio.to_thread(parse_block, block, infos, height, contracts)
