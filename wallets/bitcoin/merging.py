"""Which small coins are worth merging into one while fees are low. Pure; called by the treasury.

Each coin will be an input some day: spent now at a low rate it costs less than later at the usual
one. Merging takes the smallest first, so that it never touches what pays tomorrow's payouts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wallets.bitcoin.coins import OwnCoin

# Fewer are not worth a transaction; more would not be relayed or block the wallet for long.
COINS_LEAST: Final = 20
COINS_MAX: Final = 200
# Coins that are left as they are, so that payouts find some while the merge is unmined.
COINS_KEPT: Final = 10


@dataclass(frozen=True, slots=True)
class Prices:
    """Satoshi per 1,000 virtual bytes: now, and what an input is expected to cost later."""

    rate: int
    long_term_rate: int

    @property
    def is_cheap(self) -> bool:
        """At half of the usual price or less."""
        return self.rate * 2 <= self.long_term_rate


def choose(coins: Sequence[OwnCoin], prices: Prices, input_cost_atoms: int) -> list[OwnCoin]:
    """The coins to merge, smallest first; none when it is not worth it now.

    `input_cost_atoms` is what one input costs now: a coin below it would be lost in the fee.
    """
    if not prices.is_cheap:
        return []
    largest_kept = sorted(coins, key=lambda coin: (coin.amount_atoms, coin.outpoint))
    offered = largest_kept[: max(0, len(largest_kept) - COINS_KEPT)]
    worth = [coin for coin in offered if coin.amount_atoms > input_cost_atoms]
    return worth[:COINS_MAX] if len(worth) >= COINS_LEAST else []
