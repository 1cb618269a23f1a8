"""What a transaction may cost: the node's estimate within our floor and ceiling. Pure.

Called by the adapter. Rates are satoshi per 1,000 virtual bytes. An absent estimate is replaced, an
absurd one is cut; no estimate can raise a fee above the ceiling.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

ATOMS_PER_COIN: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """Rates in satoshi per 1,000 virtual bytes; `target_blocks` is how soon we want to be mined."""

    floor_rate: int
    fallback_rate: int
    ceiling_rate: int
    long_term_rate: int
    target_blocks: int

    def __post_init__(self) -> None:
        if not 0 < self.floor_rate <= self.fallback_rate <= self.ceiling_rate:
            raise ValueError("0 < floor <= fallback <= ceiling")


def rate_of(answer: Any, policy: FeePolicy) -> int:
    """The rate to pay, from a node's `estimatesmartfee`."""
    told = answer.get("feerate") if isinstance(answer, dict) else None
    if not isinstance(told, int | Decimal) or not Decimal(told).is_finite() or told <= 0:
        return policy.fallback_rate
    atoms = (Decimal(min(told, Decimal(1))) * ATOMS_PER_COIN).to_integral_value(ROUND_CEILING)
    return min(max(int(atoms), policy.floor_rate), policy.ceiling_rate)
