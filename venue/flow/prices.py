"""Where a market's price is: a smooth seeded path that wanders and comes back.

All firms of a market see the same path, each at its own pace, so that their orders meet.
"""

import math
from dataclasses import dataclass
from random import Random

# Steps of one turn of each wave, and its share of the price.
WAVES = ((200_000, 0.02), (36_000, 0.004), (5_200, 0.001))


@dataclass(frozen=True, slots=True)
class PricePath:
    """The path of one market."""

    middle_ticks: int
    phases: tuple[float, ...]

    @classmethod
    def seeded(cls, seed: int, market_id: int, middle_ticks: int) -> "PricePath":
        """The path of a market under a seed."""
        random = Random(f"{seed}/{market_id}")
        return cls(middle_ticks, tuple(random.uniform(0, math.tau) for _ in WAVES))

    def at(self, step: int) -> int:
        """The price in ticks at a step, at least 100."""
        share = sum(
            weight * math.sin(phase + math.tau * step / turn)
            for (turn, weight), phase in zip(WAVES, self.phases, strict=True)
        )
        return max(100, round(self.middle_ticks * (1 + share)))
