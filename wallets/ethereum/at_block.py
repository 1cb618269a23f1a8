"""What nodes say of lanes and prices at one block, asked once for all payouts of a moment.

Used by the adapter. Answers are kept by the block's hash, under which they never change; only the
priority fee is of the moment. It decides nothing.
"""

from typing import Final

from wallets.contract import BlockRef
from wallets.ethereum import limits
from wallets.ethereum.lanes import Lane
from wallets.ethereum.node_set import NodeSet
from wallets.ethereum.wire import fields, quantity
from wallets.kept import Kept, KeptByKey

BLOCK: Final = "eth_getBlockByNumber"


class AtBlock:
    """Of one network. Everything raises Unavailable, Quarantined."""

    def __init__(self, nodes: NodeSet) -> None:
        self._nodes = nodes
        self._numbers = KeptByKey[tuple[str, str, str], int](
            nodes.now_seconds, limits.KEPT_SECONDS, limits.KEPT_MAX
        )
        self._priority = Kept[int](nodes.now_seconds, limits.KEPT_SECONDS)

    async def number(self, method: str, lane: Lane, tip: BlockRef) -> int:
        """A lane's nonce or balance."""

        async def ask() -> int:
            return quantity(await self._nodes.agreed_answer(method, lane.text, hex(tip.height)))

        return await self._numbers.get((method, lane.text, tip.block_hash), ask)

    async def base_fee(self, tip: BlockRef) -> int:
        """In wei per gas."""

        async def ask() -> int:
            block = fields(await self._nodes.agreed_answer(BLOCK, hex(tip.height), False))
            return quantity(block.get("baseFeePerGas"))

        return await self._numbers.get((BLOCK, "", tip.block_hash), ask)

    async def priority_fee(self) -> int:
        """In wei per gas, as the first node has it."""
        return await self._priority.get(self._ask_priority)

    async def _ask_priority(self) -> int:
        return quantity(await self._nodes.any_answer("eth_maxPriorityFeePerGas"))
