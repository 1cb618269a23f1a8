"""What the nodes of these tests cannot do is what the list says; what all do alike is alike."""

from collections.abc import Callable, Mapping

import pytest
from eth_account import Account

from tests.chains.ethereum.development_node import CHAIN_ID, DevelopmentNode, RpcError
from tests.chains.ethereum.nodes import CANNOT, NODES, Ability, on_every_node
from wallets.ethereum.wire import hash_of

pytestmark = pytest.mark.chains

PAYER = Account.from_key(b"p" * 32)
ETHER = 10**18
GWEI = 10**9


def signed(nonce: int, per_gas_atoms: int) -> bytes:
    """One wei to itself, with that price in both fields."""
    transaction = {
        "chainId": CHAIN_ID,
        "nonce": nonce,
        "to": PAYER.address,
        "value": 1,
        "gas": 21_000,
        "maxFeePerGas": per_gas_atoms,
        "maxPriorityFeePerGas": per_gas_atoms,
    }
    return bytes(PAYER.sign_transaction(transaction).raw_transaction)


def send(node: DevelopmentNode, raw: bytes) -> str:
    return str(node.call("eth_sendRawTransaction", "0x" + raw.hex()))


def is_waiting(node: DevelopmentNode, name: str) -> bool:
    found = node.call("eth_getTransactionByHash", name)
    return found is not None and found["blockHash"] is None


def is_refused(node: DevelopmentNode, method: str, *params: object) -> bool:
    try:
        node.call(method, *params)
    except RpcError:
        return True
    return False


def has_traces(node: DevelopmentNode) -> bool:
    node.mine()
    return not is_refused(node, "trace_block", "0x1")


def forgets(node: DevelopmentNode) -> bool:
    name = send(node, signed(0, 10 * GWEI))
    is_refused(node, "hardhat_dropTransaction", name)
    return not is_waiting(node, name)


def holds_to_ten_per_cent(node: DevelopmentNode) -> bool:
    send(node, signed(0, 100 * GWEI))
    cheap = "0x" + signed(0, 109 * GWEI).hex()
    is_held = is_refused(node, "eth_sendRawTransaction", cheap)
    send(node, signed(0, 120 * GWEI))
    return is_held


def keeps_cheap(node: DevelopmentNode) -> bool:
    node.raise_base_fee(10 * GWEI)
    raw = signed(0, GWEI)
    if is_refused(node, "eth_sendRawTransaction", "0x" + raw.hex()):
        return False
    node.mine()
    return is_waiting(node, "0x" + hash_of(raw))


def takes_back(node: DevelopmentNode) -> bool:
    node.mine()
    name = send(node, signed(0, 10 * GWEI))
    node.mine()
    assert not is_waiting(node, name)
    node.reorganise(1)
    return is_waiting(node, name)


PROBES: Mapping[Ability, Callable[[DevelopmentNode], bool]] = {
    Ability.TRACES: has_traces,
    Ability.FORGETS: forgets,
    Ability.TEN_PER_CENT: holds_to_ten_per_cent,
    Ability.KEEPS_CHEAP: keeps_cheap,
    Ability.TAKES_BACK: takes_back,
}


def test_every_ability_is_probed_and_every_node_is_listed_with_a_reason() -> None:
    assert set(PROBES) == set(Ability)
    assert all(kind in NODES and reason for (kind, _), reason in CANNOT.items())


@on_every_node
@pytest.mark.parametrize("ability", Ability)
def test_what_a_node_cannot_do_is_what_the_list_says(
    node: DevelopmentNode, ability: Ability
) -> None:
    node.give(PAYER.address, ETHER)
    assert PROBES[ability](node) is ((type(node), ability) not in CANNOT)


@on_every_node
def test_a_reorganisation_changes_the_last_blocks_and_none_before_them(
    node: DevelopmentNode,
) -> None:
    node.mine(12)
    node.give(PAYER.address, ETHER)
    name = send(node, signed(0, 10 * GWEI))
    node.mine(3)
    height = node.height()
    before = [hash_at(node, height - below) for below in range(5)]
    raw = signed(0, 20 * GWEI)
    node.reorganise(3, [raw])
    after = [hash_at(node, height - below) for below in range(5)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    assert node.call("eth_getTransactionReceipt", name) is None
    listed = node.call("eth_getBlockByNumber", hex(height - 2), False)["transactions"]
    assert listed == ["0x" + hash_of(raw)]


def hash_at(node: DevelopmentNode, height: int) -> str:
    return str(node.call("eth_getBlockByNumber", hex(height), False)["hash"])
