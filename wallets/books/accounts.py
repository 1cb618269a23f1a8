"""Names of the accounts of custody's book. Pure; what we have is positive, what we owe negative.

Used by whoever writes a transfer and by reconciliation. A name that is not here is in no check.
"""

import enum
from collections.abc import Mapping
from typing import Final


class Account(enum.StrEnum):
    """Of one asset on one network."""

    # Coins that the signer's keys move. A payout may spend those on deposit addresses, and its
    # change comes to the hot wallet: only the sum of both is what the chain must show.
    HOT = "hot"
    DEPOSIT_ADDRESSES = "deposit_addresses"
    # Coins that only people's keys move.
    COLD = "cold"
    # What the engine's accounts own, customers' and the venue's.
    CUSTOMERS = "customers"
    FEES_CHARGED = "fees_charged"
    NETWORK_COST = "network_cost"
    # Nobody's yet or for good: deposits before their credit, a stranger's coins at the hot wallet,
    # what the engine's unit cannot hold.
    UNCLAIMED = "unclaimed"
    # The venue's own coins in the wallets.
    EQUITY = "equity"


# What must be on the chain in each place.
PLACES: Final[Mapping[str, tuple[Account, ...]]] = {
    "hot": (Account.HOT, Account.DEPOSIT_ADDRESSES),
    "cold": (Account.COLD,),
}
# What the engine's books count: money that came in less money that went out.
OWED: Final = (Account.CUSTOMERS, Account.FEES_CHARGED)
