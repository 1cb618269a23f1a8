"""Names of the accounts of custody's book. Pure; what we have is positive, what we owe negative.

Used by whoever writes a transfer and by reconciliation. A name that is not here is in no check.
"""

import enum
from typing import Final


class Account(enum.StrEnum):
    """Of one asset on one network."""

    # Coins that the signer's keys move: hot wallet, its change, and deposits from their credit on.
    HOT = "hot"
    # Coins that only people's keys move.
    COLD = "cold"
    # The native coin, staked for energy or on its way back from it.
    STAKED = "staked"
    # What the engine's accounts own, customers' and the venue's.
    CUSTOMERS = "customers"
    FEES_CHARGED = "fees_charged"
    NETWORK_COST = "network_cost"
    # Found and nobody's: a stranger's coins at the hot wallet, what the engine's unit cannot hold.
    UNCLAIMED = "unclaimed"
    # The venue's own coins in the wallets.
    EQUITY = "equity"


# What the engine's books count: money that came in less money that went out.
OWED: Final = (Account.CUSTOMERS, Account.FEES_CHARGED)
