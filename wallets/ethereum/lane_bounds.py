"""From which lane to which one an asset moves, so that each can pay. Pure.

Called by `rebalancing` with what the lanes hold and nothing takes yet. A move leaves neither lane
on the other side of the target, so none is ever moved back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from wallets.ethereum.lanes import Lane
from wallets.treasury.bounds import Bounds


@dataclass(frozen=True, slots=True)
class Share:
    """What a lane has of an asset."""

    lane: Lane
    atoms: int
    # A free nonce and the ether for its gas; never of what only receives.
    can_give: bool


@dataclass(frozen=True, slots=True)
class Shift:
    """Moves an amount from lane to lane."""

    source: Lane
    to: Lane
    amount_atoms: int


def choose(shares: Sequence[Share], bounds: Bounds) -> Shift | None:
    """From the fullest to the emptiest, when one is out of bounds; None = nothing is worth it."""
    givers = [share for share in shares if share.can_give]
    if not givers:
        return None
    fullest = max(givers, key=lambda share: share.atoms)
    emptiest = min(shares, key=lambda share: share.atoms)
    if fullest.atoms <= bounds.ceiling_atoms and emptiest.atoms >= bounds.floor_atoms:
        return None
    target_atoms = bounds.target_atoms
    amount_atoms = min(fullest.atoms - target_atoms, target_atoms - emptiest.atoms)
    return Shift(fullest.lane, emptiest.lane, amount_atoms) if amount_atoms > 0 else None
