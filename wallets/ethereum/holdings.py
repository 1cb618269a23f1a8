"""What nodes of Ethereum say lies at an account, for reconciliation.

They tell balances of any recent block. Made where reconciliation is opened; it stores nothing.
"""

from dataclasses import dataclass
from typing import Final

from wallets.contract import Attempt, BlockRef, Confirmation
from wallets.ethereum import tokens
from wallets.ethereum.adapter import Ethereum
from wallets.ethereum.addresses import text_of
from wallets.ethereum.node_set import NodeSet
from wallets.ethereum.wire import quantity

# A payout settles when it is deeper than this: whatever has settled is in the scan's block.
BEHIND_MAX: Final = 1


@dataclass(frozen=True, slots=True)
class EthereumBalances:
    """Of one network."""

    adapter: Ethereum
    nodes: NodeSet

    async def is_at(self, ref: BlockRef) -> bool:
        """Whether it is on the chain, and the head or just below. Raises Unavailable, Stuck."""
        tip = await self.nodes.tip()
        if not 0 <= tip.height - ref.height <= BEHIND_MAX:
            return False
        return await self.nodes.agreed_ref(ref.height) == ref

    async def read(self, ref: BlockRef, key: bytes, contract: bytes) -> int:
        """As in `AsksBalances`."""
        if contract:
            return await tokens.read_balance(self.nodes, contract, key, ref)
        asked = ("eth_getBalance", text_of(key), hex(ref.height))
        return quantity(await self.nodes.agreed_answer(*asked))

    async def confirm(self, attempt: Attempt) -> Confirmation:
        """As in `AsksBalances`."""
        return await self.adapter.confirm(attempt)
