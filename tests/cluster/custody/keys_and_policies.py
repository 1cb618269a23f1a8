"""Keys, policies and the chain file of a custody that pays ether of a development node."""

import json
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wallets.ethereum.addresses import account_at, parse_branch
from wallets.sealed_files import write_new
from wallets.signer.keys.seeds import Seeds
from wallets.signer.policy import NetworkPolicy

NETWORK_ID: Final = 2
CHAIN_ID: Final = 31_337
ASSET_ID: Final = 1
PASSPHRASE: Final = "known to this test alone"
SEEDS: Final = {"hot": bytes.fromhex("5eedf00d") * 16, "deposit": bytes.fromhex("5eedbeef") * 16}
BRANCHES: Final = {"hot": "m/44'/60'/1'/0", "deposit": "m/44'/60'/0'/0"}
APPROVER_KEY: Final = bytes.fromhex("a99e0ea1") * 8
WORKER_CALLS: Final = {
    "signer": ["Sign", "Close", "GetPublicKeys", "GetStatus"],
    "approver": ["Approve", "GetStatus"],
}
LIMIT_ATOMS: Final = 10**21
FEE_ENGINE_ATOMS: Final = 1_000
CHAIN_FILE: Final = {
    "nodes": [{"name": "a", "url": "http://node:8545"}],
    "agreeing": 1,
    "settings": {
        "chain_id": CHAIN_ID,
        "fees": {
            "ceiling_per_gas_atoms": 10**11,
            "priority_floor_per_gas_atoms": 1,
            "priority_ceiling_per_gas_atoms": 10**10,
        },
        "final_tag": "",
        "final_depth": 2,
    },
    # The node's clock began at a fixed time, so that its first block is always the same.
    "stalled_after_seconds": 10**9,
}


def branch_key(branch: str) -> str:
    """The extended public key of a branch."""
    network = NetworkPolicy(NETWORK_ID, "ethereum", "dev", CHAIN_ID, BRANCHES, {}, 0)
    return Seeds(SEEDS).branch_key(network, branch)


def hot_account() -> bytes:
    """The lane that pays."""
    return account_at(parse_branch(branch_key("hot")), 0)


def registration(genesis_hash: str) -> str:
    """What `python -m wallets apply` reads."""
    asset = {
        "asset_id": ASSET_ID,
        "symbol": "ETH",
        "decimals": 18,
        "engine_decimals": 8,
        "deposit_minimum_atoms": 1,
        "withdrawal_minimum_atoms": 1,
        "withdrawal_fee_engine_atoms": FEE_ENGINE_ATOMS,
    }
    tier = {"version": 1, "above_atoms": 0, "credit_depth": 1, "withdrawable_depth": 2}
    branch = {"generation": 1, "scheme": "account", "birthday_height": 0}
    content = {
        "chain": "ethereum",
        "network": "dev",
        "network_id": NETWORK_ID,
        "genesis_hash": genesis_hash,
        "assets": [asset],
        "sources": [{"source_id": 1, "shard": 1}],
        "tiers": [{"asset_id": ASSET_ID, **tier}],
        "branches": [
            {"branch": name, "extended_public_key": branch_key(name), **branch} for name in BRANCHES
        ],
        "hot_accounts": [{"branch": "hot", "path_index": 0}],
    }
    return json.dumps(content)


def _signer_policy() -> dict[str, Any]:
    network = {
        "network_id": NETWORK_ID,
        "chain": "ethereum",
        "network": "dev",
        "chain_id": CHAIN_ID,
        "branches": BRANCHES,
        "assets": {"": {"hourly_cap_atoms": LIMIT_ATOMS, "people_above_atoms": LIMIT_ATOMS}},
        "fee_cap_atoms": LIMIT_ATOMS,
    }
    public_key = Ed25519PrivateKey.from_private_bytes(APPROVER_KEY).public_key()
    return {
        "networks": {NETWORK_ID: network},
        "approver_keys": {"one": public_key.public_bytes_raw().hex()},
        "people": {},
        "people_needed": 2,
        "callers": {"wallets": WORKER_CALLS["signer"]},
    }


def _approver_policy() -> dict[str, Any]:
    asset = {
        "network_id": NETWORK_ID,
        "asset_id": ASSET_ID,
        "contract": "",
        "decimals": 18,
        "engine_decimals": 8,
        "single_max_atoms": LIMIT_ATOMS,
        "account_day_max_atoms": LIMIT_ATOMS,
        "hour_max_atoms": LIMIT_ATOMS,
        "people_above_atoms": LIMIT_ATOMS,
        "fee_max_atoms": LIMIT_ATOMS,
    }
    callers = {"wallets": WORKER_CALLS["approver"]}
    return {"assets": [asset], "people": {}, "people_needed": 2, "callers": callers}


def make(folder: Path) -> list[dict[str, Any]]:
    """The Secrets that `wallets.enabled` asks for, and the chain file's."""
    for name, seed in SEEDS.items():
        write_new(folder / f"{name}.json", seed, PASSPHRASE.encode())
    write_new(folder / "one.json", APPROVER_KEY, PASSPHRASE.encode())
    contents: dict[str, dict[str, str]] = {
        "signing": {"policy.json": json.dumps(_signer_policy()), "passphrase": PASSPHRASE},
        "seeds": {f"{name}.json": (folder / f"{name}.json").read_text("ascii") for name in SEEDS},
        "approving": {"policy.json": json.dumps(_approver_policy()), "passphrase": PASSPHRASE},
        "approver-keys": {"one.json": (folder / "one.json").read_text("ascii")},
        "eth-chain": {"chain.json": json.dumps(CHAIN_FILE)},
    }
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": content}
        for name, content in contents.items()
    ]
