"""Deposits on a real node: what counts, what never does, and what a reorganisation takes back."""

import json

import pytest

from tests.chains.ethereum.conftest import TRANSFER, code_of
from tests.chains.ethereum.custody import ETHER, Custody, policy_of
from tests.chains.ethereum.nodes import on_every_node
from tests.chains.real_signer import NETWORK_ID, SEEDS
from wallets.contract import BlockRef, Movement
from wallets.ethereum.addresses import text_of

pytestmark = [pytest.mark.chains, on_every_node]

PRETEND = "684b5809"
SET = "c293ea54"
PASS = "82c4b3b2"


def deposit_key(custody: Custody, index: int = 0) -> bytes:
    policy = policy_of(custody.token).network(NETWORK_ID)
    return custody.adapter.create_wallet(SEEDS.branch_key(policy, "deposit"), index).key


async def test_ether_and_tokens_are_seen_at_derived_addresses(custody: Custody) -> None:
    key = deposit_key(custody)
    native = custody.node.send(to=text_of(key), value=hex(ETHER))
    token = custody.call_token(TRANSFER, int.from_bytes(key), 7_000_000)
    custody.node.mine()
    moves = await custody.moved(custody.node.height(), key)
    assert [(move.txid, move.index, move.contract, move.amount_atoms) for move in moves] == [
        (native[2:], -1, b"", ETHER),
        (token[2:], 0, custody.token, 7_000_000),
    ]
    assert json.loads(moves[0].proof)["hash"] == native
    assert json.loads(moves[1].proof)["address"] == text_of(custody.token).lower()


async def test_blocks_are_linked_by_their_parents(custody: Custody) -> None:
    custody.node.mine(3)
    tip = await custody.adapter.tip()
    # Not from the first block: hardhat's has a root that its transactions do not give.
    for height in range(2, tip.height + 1):
        block = await custody.adapter.read_block(height)
        before = await custody.adapter.read_block(height - 1)
        assert block.parent_hash == before.ref.block_hash
    assert (await custody.adapter.read_block(tip.height)).ref == tip


async def test_e10_a_twin_of_a_token_that_says_it_paid_moves_nothing(custody: Custody) -> None:
    key = deposit_key(custody)
    twin = custody.node.deploy(code_of("OddToken"))
    words = PRETEND + key.rjust(32, b"\0").hex() + (10**12).to_bytes(32).hex()
    custody.node.send(to=twin, data="0x" + words, gas=hex(200_000))
    custody.node.mine()
    assert await custody.moved(custody.node.height(), key) == []


async def test_e11_ether_that_a_contract_passes_on_is_not_credited(custody: Custody) -> None:
    key = deposit_key(custody)
    passer = custody.node.deploy(code_of("Passer"))
    words = PASS + key.rjust(32, b"\0").hex()
    custody.node.send(to=passer, value=hex(ETHER), data="0x" + words, gas=hex(200_000))
    custody.node.mine()
    assert custody.node.balance(text_of(key)) == ETHER
    assert await custody.moved(custody.node.height(), key) == []


async def test_a_transfer_that_failed_or_moved_nothing_is_none(custody: Custody) -> None:
    key = deposit_key(custody)
    custody.call_token(TRANSFER, int.from_bytes(key), 0)
    custody.call_token(TRANSFER, int.from_bytes(key), 10**30)
    custody.node.mine()
    assert await custody.moved(custody.node.height(), key) == []


async def test_e13_a_fee_on_transfer_leaves_what_the_log_says(custody: Custody) -> None:
    key = deposit_key(custody)
    custody.call_token(SET, 0, 0, 0, 20)
    custody.call_token(TRANSFER, int.from_bytes(key), 1_000_000)
    custody.node.mine()
    moves = await custody.moved(custody.node.height(), key)
    assert [move.amount_atoms for move in moves] == [980_000]
    assert custody.tokens_of(key) == 980_000


@pytest.mark.parametrize("depth", [1, 3])
async def test_e8_a_deposit_reorganised_out_is_gone_and_the_same_when_mined_again(
    custody: Custody, depth: int
) -> None:
    key = deposit_key(custody)
    custody.node.mine(3)
    txid = custody.call_token(TRANSFER, int.from_bytes(key), 5)
    custody.node.mine(depth)
    height = custody.node.height() - depth + 1
    before = await custody.adapter.read_block(height)
    assert [move.txid for move in before.movements if move.key == key] == [txid[2:]]
    custody.node.reorganise(depth)
    gone = await custody.adapter.read_block(height)
    assert gone.ref != before.ref
    assert await everything_moved(custody, height, key) == []
    if custody.node.call("eth_getTransactionByHash", txid) is None:
        # This node forgot it with its block; others have it in their pool again.
        custody.call_token(TRANSFER, int.from_bytes(key), 5)
    custody.node.mine()
    again = await everything_moved(custody, height, key)
    assert [(move.index, move.amount_atoms) for move in again] == [(0, 5)]


async def everything_moved(custody: Custody, first: int, key: bytes) -> list[Movement]:
    """What blocks from a height on moved to it."""
    heights = range(first, custody.node.height() + 1)
    return [move for height in heights for move in await custody.moved(height, key)]


async def test_the_node_says_which_blocks_are_final(custody: Custody) -> None:
    custody.node.mine(10)
    nodes = custody.adapter._nodes
    final, safe = await nodes.final_height("finalized"), await nodes.final_height("safe")
    assert 0 < final <= safe <= custody.node.height()
    assert await nodes.agreed_ref(final) != BlockRef(final, "")
    assert await custody.adapter.final_height() == -1
