"""Custody of an Ethereum chain for development: its own coin and a token with USDT's habits.

Used by the demo, by `venue.run` and by tests. Finality is a number of blocks: such chains call no
block final.
"""

from dataclasses import dataclass
from typing import Final

from venue.custody.chain_plan import ChainPlan
from venue.custody.listing import ETHEREUM, ethereum_token

NETWORK_ID: Final = 2
NETWORK: Final = "development"
BRANCHES: Final = {"hot": "m/44'/60'/0'/0", "deposit": "m/44'/60'/1'/0"}
HOT: Final = ("hot", 0)
CREDIT_DEPTH: Final = 2
WITHDRAWABLE_DEPTH: Final = 3
FINAL_DEPTH: Final = 3
GWEI: Final = 10**9
FEE_PER_GAS_ATOMS: Final = 100 * GWEI
# Some development nodes have rules of later networks, by which storage costs several times as much.
TOKEN_GAS_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class EthereumNode:
    """Where a node is, which chain it is on, and the token that was made there."""

    url: str
    chain_id: int
    genesis_hash: str
    token: bytes


def ethereum(node: EthereumNode) -> ChainPlan:
    """By one node."""
    settings = {
        "chain_id": node.chain_id,
        "fees": {
            "ceiling_per_gas_atoms": FEE_PER_GAS_ATOMS,
            "priority_floor_per_gas_atoms": GWEI,
            "priority_ceiling_per_gas_atoms": 3 * GWEI,
        },
        "final_tag": "",
        "final_depth": FINAL_DEPTH,
        "token_gas_max": TOKEN_GAS_MAX,
    }
    return ChainPlan(
        network_id=NETWORK_ID,
        chain="ethereum",
        network=NETWORK,
        genesis_hash=node.genesis_hash,
        branches=BRANCHES,
        scheme="ethereum",
        assets=(ETHEREUM, ethereum_token(node.token)),
        fee_cap_atoms=TOKEN_GAS_MAX * FEE_PER_GAS_ATOMS,
        credit_depth=CREDIT_DEPTH,
        withdrawable_depth=WITHDRAWABLE_DEPTH,
        deposit_minimum_atoms=1_000,
        chain_file={
            "nodes": [{"name": "development", "url": node.url}],
            "agreeing": 1,
            # Blocks may wait until a test wants one.
            "stalled_after_seconds": 10**9,
            "settings": settings,
        },
        hot_accounts=(HOT,),
        chain_id=node.chain_id,
    )
