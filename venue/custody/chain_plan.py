"""What custody must be told of one chain: names, branches, assets, prices and depths.

Made by `bitcoin_plan`, `ethereum_plan` and `tron_plan`; `files` and `stack` write and start by it.
No secrets are here but a node's own password, which guards play money.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cambist.client.amounts import scaled
from venue.flow.definitions import AssetPlan, MarketPlan

# Whole units that one payout, and all of an hour, may come to.
LIMIT_UNITS: Final = 10_000


@dataclass(frozen=True, slots=True)
class HeldAsset:
    """One asset that custody holds, and its market."""

    asset: AssetPlan
    market: MarketPlan
    withdrawal_fee_atoms: int
    # Bytes of its contract in hex, and as policies write it; empty for the chain's own coin.
    contract: str = ""
    contract_text: str = ""

    @property
    def limit_atoms(self) -> int:
        """What policies allow."""
        return int(LIMIT_UNITS * 10**self.asset.decimals)

    def whole(self, atoms: int) -> str:
        """Whole units as text."""
        return f"{scaled(atoms, self.asset.decimals):f}"


@dataclass(frozen=True, slots=True)
class ChainPlan:
    """One chain; the first asset is its own coin."""

    # Unique among the chains of a venue; its source of commands has the same number.
    network_id: int
    chain: str
    network: str
    genesis_hash: str
    # Branch to derivation path.
    branches: Mapping[str, str]
    scheme: str
    assets: Sequence[HeldAsset]
    # Highest fee of one transaction, in atoms of its own coin.
    fee_cap_atoms: int
    # Confirmations for a credit, and for withdrawing it.
    credit_depth: int
    withdrawable_depth: int
    deposit_minimum_atoms: int
    # The worker's chain file.
    chain_file: Mapping[str, Any]
    # Accounts that pay, where a chain has such: branch and index of each.
    hot_accounts: Sequence[tuple[str, int]] = field(default=())
    # Of Ethereum.
    chain_id: int = 0
