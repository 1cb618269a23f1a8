"""Custody of a Bitcoin chain where blocks come when somebody asks for them.

Used by the demo, by `venue.run` and by tests.
"""

from dataclasses import dataclass
from typing import Final

from venue.custody.chain_plan import ChainPlan
from venue.custody.listing import BITCOIN
from wallets.bitcoin.networks import REGTEST

NETWORK_ID: Final = 1
CREDIT_DEPTH: Final = 2
WITHDRAWABLE_DEPTH: Final = 3
FINAL_DEPTH: Final = 3
BRANCHES: Final = {
    "hot": "m/84'/1'/0'/0",
    "change": "m/84'/1'/1'/0",
    "deposit": "m/84'/1'/2'/0",
}


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """How a node is asked."""

    url: str
    user: str
    password: str


def bitcoin(node: NodeAccess) -> ChainPlan:
    """By one node."""
    chain_file = {
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
    return ChainPlan(
        network_id=NETWORK_ID,
        chain="bitcoin",
        network=REGTEST.chain,
        genesis_hash=REGTEST.genesis_hash,
        branches=BRANCHES,
        scheme="p2wpkh",
        assets=(BITCOIN,),
        fee_cap_atoms=1_000_000,
        credit_depth=CREDIT_DEPTH,
        withdrawable_depth=WITHDRAWABLE_DEPTH,
        deposit_minimum_atoms=1_000,
        chain_file=chain_file,
    )
