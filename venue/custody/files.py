"""Keys, policies and settings of a custody for development, on a Bitcoin chain of its own.

Written by `stack` into an empty folder. Seeds and passphrase are new each time and guard play money
only: nothing here is how keys of a real venue are made (docs/wallets/signer.md).
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from venue.custody.listing import ASSET
from venue.flow.definitions import SHARD
from wallets.bitcoin.networks import REGTEST
from wallets.sealed_files import write_new
from wallets.signer.keys.seeds import Seeds
from wallets.signer.policy import NetworkPolicy

NETWORK_ID: Final = 1
# Confirmations for a credit, and for withdrawing it.
CREDIT_DEPTH: Final = 2
WITHDRAWABLE_DEPTH: Final = 3
FINAL_DEPTH: Final = 3
DEPOSIT_MINIMUM_ATOMS: Final = 1_000
WITHDRAWAL_FEE_ATOMS: Final = 10_000
LIMIT_ATOMS: Final = 10**12
FEE_CAP_ATOMS: Final = 1_000_000
BRANCHES: Final = {
    "hot": "m/84'/1'/0'/0",
    "change": "m/84'/1'/1'/0",
    "deposit": "m/84'/1'/2'/0",
}
KEY_ID: Final = "one"
CALLER: Final = "worker"


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """How a node is asked."""

    url: str
    user: str
    password: str


def write(folder: Path, node: NodeAccess) -> None:
    """All files that the processes are told of."""
    for inner in ("seeds", "approver"):
        (folder / inner).mkdir(parents=True)
    passphrase = secrets.token_hex(16)
    seeds = {branch: secrets.token_bytes(64) for branch in BRANCHES}
    approver_key = secrets.token_bytes(32)
    for branch, seed in seeds.items():
        write_new(folder / "seeds" / f"{branch}.json", seed, passphrase.encode())
    write_new(folder / "approver" / f"{KEY_ID}.json", approver_key, passphrase.encode())
    public_key = Ed25519PrivateKey.from_private_bytes(approver_key).public_key()
    contents = {
        "signing.json": signer_policy(public_key.public_bytes_raw().hex()),
        "approving.json": approver_policy(),
        "chain.json": chain_file(node),
        "registration.json": registration(Seeds(seeds)),
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    passphrase_file = folder / "passphrase"
    passphrase_file.touch(mode=0o600)
    passphrase_file.write_text(passphrase + "\n", encoding="ascii")


def network_policy() -> dict[str, Any]:
    """What the signer knows of the network."""
    return {
        "network_id": NETWORK_ID,
        "chain": "bitcoin",
        "network": REGTEST.chain,
        "chain_id": 0,
        "branches": BRANCHES,
        "assets": {"": {"hourly_cap_atoms": LIMIT_ATOMS, "people_above_atoms": LIMIT_ATOMS}},
        "fee_cap_atoms": FEE_CAP_ATOMS,
    }


def signer_policy(approver_key: str) -> dict[str, Any]:
    """The signer's own file."""
    return {
        "networks": {NETWORK_ID: network_policy()},
        "approver_keys": {KEY_ID: approver_key},
        "people": {},
        "people_needed": 2,
        "callers": {CALLER: ["Sign", "Close", "GetPublicKeys", "GetStatus"]},
    }


def approver_policy() -> dict[str, Any]:
    """The approver's own file."""
    asset = {
        "network_id": NETWORK_ID,
        "asset_id": ASSET.asset_id,
        "contract": "",
        "decimals": ASSET.decimals,
        "engine_decimals": ASSET.decimals,
        "single_max_atoms": LIMIT_ATOMS,
        "account_day_max_atoms": LIMIT_ATOMS,
        "hour_max_atoms": LIMIT_ATOMS,
        "people_above_atoms": LIMIT_ATOMS,
        "fee_max_atoms": FEE_CAP_ATOMS,
    }
    callers = {CALLER: ["Approve", "GetStatus"]}
    return {"assets": [asset], "people": {}, "people_needed": 2, "callers": callers}


def chain_file(node: NodeAccess) -> dict[str, Any]:
    """Nodes, fees and depths of the worker."""
    return {
        "nodes": [
            {"name": "regtest", "url": node.url, "user": node.user, "password": node.password}
        ],
        "agreeing": 1,
        # Here blocks come when somebody asks for them.
        "stalled_after_seconds": 10**9,
        "settings": {
            "fees": {
                "floor_rate": 1_000,
                "fallback_rate": 2_000,
                "ceiling_rate": 50_000,
                "long_term_rate": 5_000,
                "target_blocks": 6,
            },
            "change": {"branch": "change", "index": 0},
            "deposit_depth": WITHDRAWABLE_DEPTH,
            "final_depth": FINAL_DEPTH,
        },
    }


def registration(seeds: Seeds) -> dict[str, Any]:
    """What `python -m wallets apply` reads; only extended public keys leave the seeds."""
    network = NetworkPolicy(NETWORK_ID, "bitcoin", REGTEST.chain, 0, BRANCHES, {}, 0)
    return {
        "chain": "bitcoin",
        "network": REGTEST.chain,
        "network_id": NETWORK_ID,
        "genesis_hash": REGTEST.genesis_hash,
        "assets": [
            {
                "asset_id": ASSET.asset_id,
                "symbol": ASSET.symbol,
                "decimals": ASSET.decimals,
                "engine_decimals": ASSET.decimals,
                "deposit_minimum_atoms": DEPOSIT_MINIMUM_ATOMS,
                "withdrawal_minimum_atoms": DEPOSIT_MINIMUM_ATOMS,
                "withdrawal_fee_engine_atoms": WITHDRAWAL_FEE_ATOMS,
            }
        ],
        "sources": [{"source_id": 1, "shard": SHARD}],
        "tiers": [
            {
                "asset_id": ASSET.asset_id,
                "version": 1,
                "above_atoms": 0,
                "credit_depth": CREDIT_DEPTH,
                "withdrawable_depth": WITHDRAWABLE_DEPTH,
            }
        ],
        "branches": [
            {
                "branch": branch,
                "generation": 1,
                "scheme": "p2wpkh",
                "extended_public_key": seeds.branch_key(network, branch),
                "birthday_height": 0,
            }
            for branch in BRANCHES
        ],
    }
