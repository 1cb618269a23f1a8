"""Keys, policies and settings of a custody for development, on chains of its own.

Written by `stack` into an empty folder. Seeds and passphrase are new each time and guard play money
only: nothing here is how keys of a real venue are made (docs/wallets/signer.md).
"""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from venue.custody.chain_plan import ChainPlan, HeldAsset
from venue.flow.definitions import SHARD
from wallets.sealed_files import write_new
from wallets.signer.keys.seeds import Seeds
from wallets.signer.policy import NetworkPolicy

KEY_ID: Final = "one"
CALLER: Final = "worker"


def registration_file(folder: Path, plan: ChainPlan) -> Path:
    """What registers a chain."""
    return folder / f"registration-{plan.chain}.json"


def chain_file(folder: Path, plan: ChainPlan) -> Path:
    """What a chain's worker is told."""
    return folder / f"chain-{plan.chain}.json"


def write(folder: Path, plans: Sequence[ChainPlan]) -> None:
    """All files that the processes are told of. Branches of one name have one seed."""
    for inner in ("seeds", "approver"):
        (folder / inner).mkdir(parents=True)
    passphrase = secrets.token_hex(16)
    seeds = {branch: secrets.token_bytes(64) for plan in plans for branch in plan.branches}
    approver_key = secrets.token_bytes(32)
    for branch, seed in seeds.items():
        write_new(folder / "seeds" / f"{branch}.json", seed, passphrase.encode())
    write_new(folder / "approver" / f"{KEY_ID}.json", approver_key, passphrase.encode())
    public_key = Ed25519PrivateKey.from_private_bytes(approver_key).public_key()
    contents: dict[Path, Any] = {
        folder / "signing.json": signer_policy(plans, public_key.public_bytes_raw().hex()),
        folder / "approving.json": approver_policy(plans),
    }
    for plan in plans:
        contents[chain_file(folder, plan)] = plan.chain_file
        contents[registration_file(folder, plan)] = registration(plan, Seeds(seeds))
    for path, content in contents.items():
        # A chain file may hold a node's password.
        path.touch(mode=0o600)
        path.write_text(json.dumps(content), encoding="utf-8")
    passphrase_file = folder / "passphrase"
    passphrase_file.touch(mode=0o600)
    passphrase_file.write_text(passphrase + "\n", encoding="ascii")


def network_policy(plan: ChainPlan) -> dict[str, Any]:
    """What the signer knows of the network."""
    return {
        "network_id": plan.network_id,
        "chain": plan.chain,
        "network": plan.network,
        "chain_id": plan.chain_id,
        "branches": plan.branches,
        "assets": {
            held.contract_text: {
                "hourly_cap_atoms": held.limit_atoms,
                "people_above_atoms": held.limit_atoms,
            }
            for held in plan.assets
        },
        "fee_cap_atoms": plan.fee_cap_atoms,
    }


def signer_policy(plans: Sequence[ChainPlan], approver_key: str) -> dict[str, Any]:
    """The signer's own file."""
    return {
        "networks": {plan.network_id: network_policy(plan) for plan in plans},
        "approver_keys": {KEY_ID: approver_key},
        "people": {},
        "people_needed": 2,
        "callers": {CALLER: ["Sign", "Close", "GetPublicKeys", "GetStatus", "ListEntries"]},
    }


def approver_policy(plans: Sequence[ChainPlan]) -> dict[str, Any]:
    """The approver's own file."""
    assets = [approver_asset(plan, held) for plan in plans for held in plan.assets]
    callers = {CALLER: ["Approve", "GetStatus"]}
    return {"assets": assets, "people": {}, "people_needed": 2, "callers": callers}


def approver_asset(plan: ChainPlan, held: HeldAsset) -> dict[str, Any]:
    """Bounds of one asset."""
    return {
        "network_id": plan.network_id,
        "asset_id": held.asset.asset_id,
        "contract": held.contract_text,
        "decimals": held.asset.decimals,
        "engine_decimals": held.asset.decimals,
        "single_max_atoms": held.limit_atoms,
        "account_day_max_atoms": held.limit_atoms,
        "hour_max_atoms": held.limit_atoms,
        "people_above_atoms": held.limit_atoms,
        "fee_max_atoms": plan.fee_cap_atoms,
    }


def registration(plan: ChainPlan, seeds: Seeds) -> dict[str, Any]:
    """What `python -m wallets apply` reads; only extended public keys leave the seeds."""
    network = NetworkPolicy(
        plan.network_id, plan.chain, plan.network, plan.chain_id, plan.branches, {}, 0
    )
    return {
        "chain": plan.chain,
        "network": plan.network,
        "network_id": plan.network_id,
        "genesis_hash": plan.genesis_hash,
        "assets": [
            {
                "asset_id": held.asset.asset_id,
                "symbol": held.asset.symbol,
                "contract": held.contract,
                "decimals": held.asset.decimals,
                "engine_decimals": held.asset.decimals,
                "deposit_minimum_atoms": plan.deposit_minimum_atoms,
                "withdrawal_minimum_atoms": plan.deposit_minimum_atoms,
                "withdrawal_fee_engine_atoms": held.withdrawal_fee_atoms,
            }
            for held in plan.assets
        ],
        "sources": [{"source_id": plan.network_id, "shard": SHARD}],
        "tiers": [
            {
                "asset_id": held.asset.asset_id,
                "version": 1,
                "above_atoms": 0,
                "credit_depth": plan.credit_depth,
                "withdrawable_depth": plan.withdrawable_depth,
            }
            for held in plan.assets
        ],
        "branches": [
            {
                "branch": branch,
                "generation": 1,
                "scheme": plan.scheme,
                "extended_public_key": seeds.branch_key(network, branch),
                "birthday_height": 0,
            }
            for branch in plan.branches
        ],
        "hot_accounts": [
            {"branch": branch, "path_index": index} for branch, index in plan.hot_accounts
        ],
    }
