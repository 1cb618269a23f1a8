"""What nodes of TRON say lies at an account, for reconciliation.

Nodes tell balances of their newest solid block only: they count for a block while it is that. Made
where reconciliation is opened; it reads and stores nothing.
"""

from dataclasses import dataclass

from wallets.books.holdings import ChainMoved
from wallets.contract import Attempt, BlockRef, Confirmation
from wallets.tron.adapter import Tron
from wallets.tron.node_set import NodeSet
from wallets.tron.resources import agreed_balance, agreed_token


@dataclass(frozen=True, slots=True)
class TronBalances:
    """Of one network."""

    adapter: Tron
    nodes: NodeSet

    async def is_at(self, ref: BlockRef) -> bool:
        """Whether it is the newest solid block. Raises Unavailable, Stuck."""
        return await self.nodes.tip() == ref

    async def read(self, ref: BlockRef, key: bytes, contract: bytes) -> int:
        """As in `AsksBalances`; the caller asks before and after whether `ref` is the newest."""
        del ref
        if contract:
            found = await agreed_token(self.nodes, contract, key)
        else:
            found = await agreed_balance(self.nodes, key)
        if found is None:
            # Some of them are a block ahead.
            raise ChainMoved
        return found

    async def confirm(self, attempt: Attempt) -> Confirmation:
        """As in `AsksBalances`."""
        return await self.adapter.confirm(attempt)
