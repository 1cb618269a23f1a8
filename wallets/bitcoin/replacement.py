"""What a transaction must pay to take the place of others in a node's memory pool.

Called by the adapter when a plan must use inputs that transactions in the pool already spend: those
and all that spend their outputs are evicted, and the new one pays more than all of them together
and a higher rate than each (BIP125, as Bitcoin Core applies it). It decides nothing; ceilings are
the planner's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from wallets.bitcoin.fees import ATOMS_PER_COIN
from wallets.bitcoin.node import NOT_FOUND, Node
from wallets.errors import Condition, Stuck
from wallets.json_rpc import NodeRefused

# Satoshi per 1,000 virtual bytes that a replacement adds for its own relay, by default.
INCREMENT_RATE: Final = 1_000
# Transactions that one replacement may evict, by default.
EVICTED_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Replaced:
    """What is evicted: satoshi in all, and the highest rate among those that conflict."""

    fee_atoms: int
    rate: int

    @property
    def least_rate(self) -> int:
        """The least rate of the replacement; 0 = nothing is replaced."""
        return self.rate + INCREMENT_RATE if self.fee_atoms else 0

    def least_fee(self, fee_atoms: int, fee_rate: int) -> int:
        """The least fee of a replacement that was planned with this fee at this rate."""
        if not self.fee_atoms:
            return 0
        return self.fee_atoms + -(-fee_atoms * INCREMENT_RATE // fee_rate)


async def replaced_by(node: Node, outpoints: Sequence[str]) -> Replaced:
    """What a transaction that spends these would evict.

    Raises Stuck(PINNED) when that is more than nodes evict, Unavailable, NodeRefused.
    """
    if not outpoints:
        return Replaced(0, 0)
    pairs = [outpoint.rpartition(":") for outpoint in outpoints]
    asked = [{"txid": txid, "vout": int(index)} for txid, _, index in pairs]
    spends = await node.call("gettxspendingprevout", asked)
    found = sorted({one["spendingtxid"] for one in spends if "spendingtxid" in one})
    entries = [entry for txid in found if (entry := await pool_entry(node, txid)) is not None]
    evicted = sum(int(entry["descendantcount"]) for entry in entries)
    if evicted > EVICTED_MAX:
        raise Stuck(Condition.PINNED, f"a replacement would evict {evicted} transactions")
    fee = sum(atoms_of(entry["fees"]["descendant"]) for entry in entries)
    rates = [
        -(-atoms_of(entry["fees"]["base"]) * 1_000 // int(entry["vsize"])) for entry in entries
    ]
    return Replaced(fee, max(rates, default=0))


async def pool_entry(node: Node, txid: str) -> Any:
    """What a pool knows of a transaction; None when it left in the meantime."""
    try:
        return await node.call("getmempoolentry", txid)
    except NodeRefused as error:
        if error.code == NOT_FOUND:
            return None
        raise


def atoms_of(coins: Decimal | int) -> int:
    """Satoshi of a node's amount."""
    return int(Decimal(coins) * ATOMS_PER_COIN)
