"""What a cut comes to: deficits, which stop payouts, and surpluses, which do not. Pure.

Called by `job` and by the command. A cut is one look at journal, book and chain; whatever is known
to be on its way between them is a part of it, so that a difference is a fault and never a delay.
"""

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace


class Side(enum.StrEnum):
    """What is compared with custody's book."""

    # Coins that the chain shows at addresses of ours.
    CHAIN = "chain"
    # What the engine's accounts own of an asset.
    ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Held:
    """Coins of one place, hot or cold; atoms of the chain."""

    asset_id: int
    place: str
    book_atoms: int
    chain_atoms: int
    # In a block and not on the book yet: deposits before their credit, coins that were found.
    coming_atoms: int = 0
    # On the book and in no block: credits whose block left the chain, not reversed yet.
    missing_atoms: int = 0
    # Left in a block by a transaction of ours that is not settled yet.
    leaving_atoms: int = 0

    @property
    def expected_atoms(self) -> int:
        """What the chain must show."""
        return self.book_atoms + self.coming_atoms - self.missing_atoms - self.leaving_atoms


@dataclass(frozen=True, slots=True)
class Owed:
    """One asset over all networks and shards; atoms of the engine."""

    asset_id: int
    # What the book owes, as the engine's accounts should have it.
    book_atoms: int
    engine_atoms: int
    # Commands that the book has and the engine, at the cut, had not: what they will add.
    pending_atoms: int = 0
    # Money without coins that the engine had when it was looked at first; None = that is now.
    opening_atoms: int | None = None

    @property
    def expected_atoms(self) -> int:
        """What the engine must say."""
        return self.book_atoms - self.pending_atoms + (self.opening_atoms or 0)

    def opened(self) -> "Owed":
        """As it is compared: at the first look, with what differs as the opening."""
        if self.opening_atoms is not None:
            return self
        return replace(self, opening_atoms=self.engine_atoms - self.expected_atoms)


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference; `atoms` below zero is a deficit: somebody could not be paid."""

    side: Side
    asset_id: int
    account: str
    atoms: int

    @property
    def is_deficit(self) -> bool:
        """Whether payouts stop."""
        return self.atoms < 0

    def __str__(self) -> str:
        word = "deficit" if self.is_deficit else "surplus"
        return f"{word} of {abs(self.atoms)} in {self.account} of asset {self.asset_id}"


def check_held(held: Sequence[Held]) -> list[Finding]:
    """Chain less book, where they differ."""
    return [
        Finding(Side.CHAIN, one.asset_id, one.place, one.chain_atoms - one.expected_atoms)
        for one in held
        if one.chain_atoms != one.expected_atoms
    ]


def check_owed(owed: Sequence[Owed]) -> list[Finding]:
    """Book less engine: the engine owing more than the book knows of is a deficit."""
    return [
        Finding(Side.ENGINE, one.asset_id, "customers", one.expected_atoms - one.engine_atoms)
        for one in owed
        if one.engine_atoms != one.expected_atoms
    ]


def to_stop(findings: Sequence[Finding], surplus_max: dict[int, int]) -> list[Finding]:
    """Those that stop payouts: every deficit, and a surplus above its asset's limit."""
    return [
        one
        for one in findings
        if one.is_deficit or one.atoms > surplus_max.get(one.asset_id, one.atoms)
    ]


def of_tokens_alone(stopping: Sequence[Finding], natives: Collection[int]) -> list[Finding]:
    """Tokens that the chain misses where nothing else differs: their issuer may have taken them.

    Whoever has our keys pays for gas, so that what the network is paid in is missing too.
    """
    tokens = [
        one
        for one in stopping
        if one.side is Side.CHAIN and one.is_deficit and one.asset_id not in natives
    ]
    return tokens if len(tokens) == len(stopping) else []
