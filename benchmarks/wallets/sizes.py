"""How much `benchmarks.wallets` measures: full on a quiet machine, small in CI."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    rounds: int
    # Addresses of one round.
    derived: int
    # Blocks of one round, and addresses that are watched: a thousand, and as many as this.
    blocks: int
    watched: int
    # Payouts of one round of the pipeline.
    payouts: int


FULL: Final = Sizes(rounds=5, derived=20_000, blocks=20, watched=1_000_000, payouts=200)
SMALL: Final = Sizes(rounds=1, derived=2_000, blocks=3, watched=20_000, payouts=20)
