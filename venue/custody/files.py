"""Keys, policies and settings of a custody for development, on a chain of its own.

Written by `stack` into an empty folder. Seeds and passphrase are new each time and guard play money
only: nothing here is how keys of a real venue are made (docs/wallets/signer.md).
"""

import json
import secrets
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from venue.custody.chain_plan import LIMIT_ATOMS, NETWORK_ID, ChainPlan, HeldAsset
from venue.flow.definitions import SHARD
from wallets.sealed_files import write_new
from wallets.signer.keys.seeds import Seeds
from wallets.signer.policy import NetworkPolicy

KEY_ID: Final = "one"
CALLER: Final = "worker"


def write(folder: Path, plan: ChainPlan) -> None:
    """All files that the processes are told of."""
    for inner in ("seeds", "approver"):
        (folder / inner).mkdir(parents=True)
    passphrase = secrets.token_hex(16)
    seeds = {branch: secrets.token_bytes(64) for branch in plan.branches}
    approver_key = secrets.token_bytes(32)
    for branch, seed in seeds.items():
        write_new(folder / "seeds" / f"{branch}.json", seed, passphrase.encode())
    write_new(folder / "approver" / f"{KEY_ID}.json", approver_key, passphrase.encode())
    public_key = Ed25519PrivateKey.from_private_bytes(approver_key).public_key()
    contents = {
        "signing.json": signer_policy(plan, public_key.public_bytes_raw().hex()),
        "approving.json": approver_policy(plan),
        "chain.json": plan.chain_file,
        "registration.json": registration(plan, Seeds(seeds)),
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    passphrase_file = folder / "passphrase"
    passphrase_file.touch(mode=0o600)
    passphrase_file.write_text(passphrase + "\n", encoding="ascii")


def network_policy(plan: ChainPlan) -> dict[str, Any]:
    """What the signer knows of the network."""
    bounds = {"hourly_cap_atoms": LIMIT_ATOMS, "people_above_atoms": LIMIT_ATOMS}
    return {
        "network_id": NETWORK_ID,
        "chain": plan.chain,
        "network": plan.network,
        "chain_id": 0,
        "branches": plan.branches,
        "assets": {held.contract_text: bounds for held in plan.assets},
        "fee_cap_atoms": plan.fee_cap_atoms,
    }


def signer_policy(plan: ChainPlan, approver_key: str) -> dict[str, Any]:
    """The signer's own file."""
    return {
        "networks": {NETWORK_ID: network_policy(plan)},
        "approver_keys": {KEY_ID: approver_key},
        "people": {},
        "people_needed": 2,
        "callers": {CALLER: ["Sign", "Close", "GetPublicKeys", "GetStatus"]},
    }


def approver_policy(plan: ChainPlan) -> dict[str, Any]:
    """The approver's own file."""
    assets = [approver_asset(plan, held) for held in plan.assets]
    callers = {CALLER: ["Approve", "GetStatus"]}
    return {"assets": assets, "people": {}, "people_needed": 2, "callers": callers}


def approver_asset(plan: ChainPlan, held: HeldAsset) -> dict[str, Any]:
    """Bounds of one asset."""
    return {
        "network_id": NETWORK_ID,
        "asset_id": held.asset.asset_id,
        "contract": held.contract_text,
        "decimals": held.asset.decimals,
        "engine_decimals": held.asset.decimals,
        "single_max_atoms": LIMIT_ATOMS,
        "account_day_max_atoms": LIMIT_ATOMS,
        "hour_max_atoms": LIMIT_ATOMS,
        "people_above_atoms": LIMIT_ATOMS,
        "fee_max_atoms": plan.fee_cap_atoms,
    }


def registration(plan: ChainPlan, seeds: Seeds) -> dict[str, Any]:
    """What `python -m wallets apply` reads; only extended public keys leave the seeds."""
    network = NetworkPolicy(NETWORK_ID, plan.chain, plan.network, 0, plan.branches, {}, 0)
    return {
        "chain": plan.chain,
        "network": plan.network,
        "network_id": NETWORK_ID,
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
        "sources": [{"source_id": 1, "shard": SHARD}],
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
