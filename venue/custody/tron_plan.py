"""Custody of a simulated TRON chain: its own coin and a token with USDT's habits.

Used by the demo, by `venue.run` and by tests. Blocks come from the simulator.
"""

from typing import Final

from venue.custody.chain_plan import ChainPlan
from venue.custody.listing import TRON, TRON_TOKEN

NETWORK_ID: Final = 3
NETWORK: Final = "simulated"
BRANCHES: Final = {"hot": "m/44'/195'/1'/0", "deposit": "m/44'/195'/0'/0"}
HOT: Final = ("hot", 0)
# Only solid blocks are read: the first look is the last.
DEPTH: Final = 1


def tron(url: str, genesis_hash: str) -> ChainPlan:
    """By one node."""
    return ChainPlan(
        network_id=NETWORK_ID,
        chain="tron",
        network=NETWORK,
        genesis_hash=genesis_hash,
        branches=BRANCHES,
        scheme="tron",
        assets=(TRON, TRON_TOKEN),
        fee_cap_atoms=40_000_000,
        credit_depth=DEPTH,
        withdrawable_depth=DEPTH,
        deposit_minimum_atoms=1_000,
        chain_file={
            "nodes": [{"name": "simulator", "url": url}],
            "agreeing": 1,
            # Blocks may wait until a test wants one.
            "stalled_after_seconds": 10**9,
            "settings": {},
        },
        hot_accounts=(HOT,),
    )
