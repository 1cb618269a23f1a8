"""How much the hot wallet should hold, and what follows. Pure; called by the treasury's step."""

from dataclasses import dataclass

from wallets.treasury import limits


@dataclass(frozen=True, slots=True)
class Bounds:
    """Atoms of one asset; above the ceiling the wallet is brought down to the target."""

    floor_atoms: int
    target_atoms: int
    ceiling_atoms: int

    def __post_init__(self) -> None:
        """Refuses what would move coins back and forth."""
        if not 0 <= self.floor_atoms <= self.target_atoms <= self.ceiling_atoms:
            raise ValueError("0 <= floor <= target <= ceiling")


def excess(hot_atoms: int, waiting_atoms: int, bounds: Bounds) -> int:
    """What should go to the cold place; 0 = nothing. Payouts that wait need theirs first."""
    free = hot_atoms - waiting_atoms
    return free - bounds.target_atoms if free > bounds.ceiling_atoms else 0


def missing(hot_atoms: int, waiting_atoms: int, bounds: Bounds) -> int:
    """What a refill should bring, up to the target; 0 = none is needed."""
    free = hot_atoms - waiting_atoms
    return bounds.target_atoms - free if free < bounds.floor_atoms else 0


def fee_atoms_max(amount_atoms: int) -> int:
    """The most that a transfer may cost."""
    return max(limits.FEE_ATOMS_LEAST, amount_atoms * limits.FEE_MILLIONTHS_MAX // 1_000_000)
