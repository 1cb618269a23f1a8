"""What nodes of Ethereum say lies at an account, for reconciliation.

They tell balances of any recent block. Made where reconciliation is opened; it stores nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wallets.books.holdings import Departure
from wallets.contract import Attempt, BlockRef, Confirmation, TransactionId
from wallets.errors import Condition, Quarantined, Stuck
from wallets.ethereum import tokens
from wallets.ethereum.adapter import Ethereum
from wallets.ethereum.addresses import text_of
from wallets.ethereum.blocks import ADDRESS_PAD, TOPICS, TRANSFER_TOPIC
from wallets.ethereum.node_set import NodeSet
from wallets.ethereum.wire import HASH_BYTES, data, fields, hash_text, quantity
from wallets.json_rpc import NodeRefused

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

    async def departures(self, contract: bytes, above: int, ref: BlockRef) -> Sequence[Departure]:
        """As in `TellsDepartures`, by the logs of its contract."""
        asked = {
            "address": text_of(contract),
            "fromBlock": hex(above + 1),
            "toBlock": hex(ref.height),
            "topics": ["0x" + TRANSFER_TOPIC.hex()],
        }
        try:
            logs = await self.nodes.agreed_answer("eth_getLogs", asked)
        except NodeRefused as error:
            raise Stuck(Condition.NODES_DISAGREE, error.message) from error
        if not isinstance(logs, list):
            raise Quarantined("no list of logs")
        return [one for one in map(departure_of, logs) if one is not None]


def departure_of(told: object) -> Departure | None:
    """Who sent what a log says; None of an event of another kind. Raises Quarantined."""
    log = fields(told)
    topics = log.get("topics")
    if not isinstance(topics, list) or len(topics) != TOPICS:
        return None
    sender = data(topics[1], HASH_BYTES).removeprefix(ADDRESS_PAD)
    return Departure(TransactionId(hash_text(log.get("transactionHash"))), sender)
