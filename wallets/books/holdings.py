"""What a chain's adapter tells reconciliation of coins at our addresses. No I/O.

An adapter counts in the caller's snapshot of the database, at the height that the scan has reached,
so that book and chain are looked at in one moment. What is at an address says nothing about whose
it is: that is the book's.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from runtime.postgres import Connection
from wallets.contract import Attempt, BlockRef, Confirmation, TransactionId


@dataclass(frozen=True, slots=True)
class Pile:
    """Coins of one asset in one place, hot or cold, in atoms of the chain."""

    # Empty for the native asset.
    contract: bytes
    place: str
    amount_atoms: int
    # Spent in a block by transactions of ours that are not settled: all that did not come back.
    leaving_atoms: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """Coins in a block that neither a deposit nor a transaction of ours brought."""

    # What the chain calls it, an outpoint for example; books it once.
    name: str
    contract: bytes
    place: str
    amount_atoms: int
    height: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """All of a network at one height."""

    block: BlockRef
    piles: tuple[Pile, ...]
    found: tuple[Found, ...]
    # Piles are what nodes say, so that they hold what was there before the scan began: at the first
    # look a surplus is that.
    opens_with_surplus: bool = False


class ChainMoved(Exception):
    """The chain went on while it was counted: look again."""


# Counts a network's coins; the connection is in a transaction that sees one moment.
# Raises ChainMoved.
Counts = Callable[[Connection, int], Awaitable[Holdings]]


class AsksBalances(Protocol):
    """What counting needs of a chain with accounts."""

    async def is_at(self, ref: BlockRef) -> bool:
        """Whether balances at this block can be told now, and all that settled is in it.

        Raises Unavailable, Stuck.
        """

    async def read(self, ref: BlockRef, key: bytes, contract: bytes) -> int:
        """Atoms of an account at this block, told alike by enough nodes.

        Raises Unavailable, Stuck, Quarantined, ChainMoved.
        """

    async def confirm(self, attempt: Attempt) -> Confirmation:
        """As the adapter's. Raises Unavailable, Stuck."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Tokens that left an account by its own doing, as the chain tells it."""

    txid: TransactionId
    sender: bytes


@runtime_checkable
class TellsDepartures(Protocol):
    """A chain that can tell tokens which were sent from those that their issuer took."""

    async def departures(self, contract: bytes, above: int, ref: BlockRef) -> Sequence[Departure]:
        """All transfers of a token above this height, up to this block, whoever sent them.

        Raises Unavailable, Stuck, Quarantined.
        """
