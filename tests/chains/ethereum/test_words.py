"""What real nodes say to a transaction that is wrong in one way is classed as just that."""

from typing import Any

import pytest
from eth_account import Account

from tests.chains.ethereum.anvil import Anvil
from tests.chains.ethereum.development_node import CHAIN_ID, DevelopmentNode
from tests.chains.ethereum.geth import Geth
from tests.chains.ethereum.nodes import NODES, Kind, on_every_node
from wallets.contract import BroadcastOutcome

pytestmark = pytest.mark.chains

PAYER, POOR = Account.from_key(b"p" * 32), Account.from_key(b"q" * 32)
ETHER = 10**18
GWEI = 10**9
ACCEPTED = ""
FEES = {"maxFeePerGas": 100 * GWEI, "maxPriorityFeePerGas": GWEI}


def signed(who: Any = PAYER, **fields: Any) -> bytes:
    """One wei to itself, but for the fields that a test changes."""
    transaction = {
        "chainId": CHAIN_ID,
        "nonce": 1,
        "to": PAYER.address,
        "value": 1,
        "gas": 21_000,
        **FEES,
        **fields,
    }
    return bytes(who.sign_transaction(transaction).raw_transaction)


def everywhere(reason: str) -> dict[Kind, str]:
    return dict.fromkeys(NODES, reason)


def but_for(kind: Kind, its_reason: str, reason: str) -> dict[Kind, str]:
    return {**everywhere(reason), kind: its_reason}


DEARER_BY_FIVE = {"maxFeePerGas": 105 * GWEI, "maxPriorityFeePerGas": 2 * GWEI}
BELOW_BASE = {"maxFeePerGas": GWEI, "maxPriorityFeePerGas": GWEI}
TIP_ABOVE_FEE = {"maxFeePerGas": 100 * GWEI, "maxPriorityFeePerGas": 101 * GWEI}
NO_TIP = {"maxFeePerGas": 100 * GWEI, "maxPriorityFeePerGas": 0}
# One transaction of the payer is mined, the next is in the pool, the base fee is above 2 gwei.
CASES = {
    "mined": (signed(nonce=0), everywhere("NONCE_USED")),
    "another at a mined nonce": (signed(nonce=0, value=2), everywhere("NONCE_USED")),
    "in the pool": (signed(), everywhere("ALREADY_KNOWN")),
    "a replacement that is too cheap": (
        signed(**DEARER_BY_FIVE),
        but_for(Anvil, ACCEPTED, "REPLACEMENT_FEE"),
    ),
    "after a gap": (signed(nonce=9), everywhere(ACCEPTED)),
    "nothing to pay with": (signed(POOR, nonce=0), everywhere("FUNDS_MISSING")),
    "more than there is": (signed(nonce=2, value=10 * ETHER), everywhere("FUNDS_MISSING")),
    "less gas than anything needs": (signed(nonce=2, gas=20_000), everywhere("GAS_TOO_LOW")),
    "more gas than a block has": (
        signed(nonce=2, gas=100_000_000, maxFeePerGas=5 * GWEI),
        everywhere("GAS_TOO_HIGH"),
    ),
    "for another chain": (signed(nonce=2, chainId=5), everywhere("WRONG_CHAIN")),
    "a tip above the fee": (signed(nonce=2, **TIP_ABOVE_FEE), everywhere("TIP_ABOVE_FEE")),
    "no tip": (signed(nonce=2, **NO_TIP), but_for(Geth, "FEE_TOO_LOW", ACCEPTED)),
    "below the base fee": (
        signed(nonce=3, **BELOW_BASE),
        but_for(Anvil, "FEE_BELOW_BASE", ACCEPTED),
    ),
    "a stump": (signed(nonce=2)[:40], everywhere("MALFORMED")),
    "empty": (b"", everywhere("MALFORMED")),
}


@on_every_node
async def test_every_refusal_has_the_name_of_what_is_wrong(node: DevelopmentNode) -> None:
    node.give(PAYER.address, ETHER)
    found = {}
    async with node.node() as asked:
        await asked.broadcast(signed(nonce=0))
        node.mine()
        node.raise_base_fee(3 * GWEI)
        await asked.broadcast(signed())
        for name, (raw, _) in CASES.items():
            found[name] = await asked.broadcast(raw)
    wanted = {name: reasons[type(node)] for name, (_, reasons) in CASES.items()}
    assert {name: told.reason for name, told in found.items()} == wanted
    for told in found.values():
        assert (told.outcome is BroadcastOutcome.ACCEPTED) is (told.reason == ACCEPTED)
