"""What a chain's adapter tells reconciliation of coins at our addresses. No I/O.

An adapter counts in the caller's snapshot of the database, at the height that the scan has reached,
so that book and chain are looked at in one moment. What is at an address says nothing about whose
it is: that is the book's.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from runtime.postgres import Connection
from wallets.contract import BlockRef


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


# Counts a network's coins; the connection is in a transaction that sees one moment.
Counts = Callable[[Connection, int], Awaitable[Holdings]]
