"""Errors of custody.

    WalletError
    ├── Rejected            a request is refused for a named reason; nothing changed
    │   └── InvalidAddress  the destination is none of this chain's
    │       └── RefusedAddress  the same, for a fault that the chain's adapter names
    ├── Stuck               a payout or a lane cannot go on; the condition says why, work waits
    ├── Quarantined         a node lied or lags: it is not asked for a while
    │   └── WrongChain      a node is on another chain: it is not asked until it is on ours
    ├── Fenced              another worker holds the lease; nothing of ours was written after that
    └── Broken              a rule of the books is broken: withdrawals stop, loudly

`Unavailable` (try again) and `Unknown` (look it up by id) are those of `runtime.errors`.
"""

import enum


class Condition(enum.StrEnum):
    """Why something waits. The names are part of status, alerts and runbooks."""

    HOT_WALLET_UNFUNDED = "HotWalletUnfunded"
    SIGNER_UNAVAILABLE = "SignerUnavailable"
    SIGNER_KEY_MISSING = "SignerKeyMissing"
    AT_CEILING = "AtCeiling"
    PINNED = "Pinned"
    CHAIN_STALLED = "ChainStalled"
    CHAIN_MISMATCH = "ChainMismatch"
    DEPOSITS_NOT_WITHDRAWABLE = "DepositsNotWithdrawable"
    NODES_DISAGREE = "NodesDisagree"
    REORG_TOO_DEEP = "ReorgTooDeep"
    ASSET_SUSPENDED = "AssetSuspended"
    APPROVAL_MISSING = "ApprovalMissing"
    BOOKS_DEFICIT = "BooksDeficit"
    SCREENING_UNAVAILABLE = "ScreeningUnavailable"
    WITHDRAWALS_STOPPED = "WithdrawalsStopped"


class WalletError(Exception):
    """Base of what custody raises on purpose."""


class Rejected(WalletError):
    """A request is refused; `reason` is UPPER_SNAKE_CASE."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class InvalidAddress(Rejected):
    """The destination is none of this chain's."""

    def __init__(self, message: str) -> None:
        super().__init__("INVALID_ADDRESS", message)


class RefusedAddress(InvalidAddress):
    """Not an address that can be paid here, for a named fault."""

    def __init__(self, fault: enum.StrEnum, message: str) -> None:
        super().__init__(f"{fault}: {message}")
        self.fault = fault


class Stuck(WalletError):
    """Work waits by name."""

    def __init__(self, condition: Condition, message: str) -> None:
        super().__init__(f"{condition}: {message}")
        self.condition = condition


class Quarantined(WalletError):
    """A node is not asked for a while."""


class WrongChain(Quarantined):
    """A node is not asked until a check finds it on our chain."""


class Fenced(WalletError):
    """Another worker holds what we meant to change."""


class Broken(WalletError):
    """A rule that must always hold does not."""
