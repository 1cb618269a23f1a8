"""What custody must be told of one chain: names, branches, assets, prices and depths.

Made by `bitcoin_plan` and `tron_plan`; `files` and `stack` write and start by it. No secrets are
here but a node's own password, which guards play money.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from venue.flow.definitions import AssetPlan, MarketPlan

NETWORK_ID: Final = 1
LIMIT_ATOMS: Final = 10**12


@dataclass(frozen=True, slots=True)
class HeldAsset:
    """One asset that custody holds, and its market."""

    asset: AssetPlan
    market: MarketPlan
    withdrawal_fee_atoms: int
    # Bytes of its contract in hex, and as policies write it; empty for the chain's own coin.
    contract: str = ""
    contract_text: str = ""


@dataclass(frozen=True, slots=True)
class ChainPlan:
    """One chain; the first asset is its own coin."""

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
