"""Blocks of the benchmark are proven as those of a real node are, and hold what they say."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.wallets import made_blocks
from benchmarks.wallets.made_blocks import GENESIS, Amounts
from benchmarks.wallets.recorded import Recording
from wallets.bitcoin.node_set import parse_hex_block
from wallets.contract import Block, BlockRef
from wallets.errors import Quarantined
from wallets.ethereum.blocks import parse_block as parse_ethereum
from wallets.ethereum.proofs import check_block
from wallets.tron.blocks import parse_block as parse_tron

AMOUNTS = Amounts(moved=40, ours=4)


def bitcoin(answers: list[Any], ref: BlockRef) -> Block:
    return parse_hex_block(answers[1], ref)


def ethereum(answers: list[Any], ref: BlockRef) -> Block:
    _, block, receipts = answers
    check_block(block, receipts, ref)
    return parse_ethereum(block, receipts, ref, {made_blocks.ETHEREUM_TOKEN})


def tron(answers: list[Any], ref: BlockRef) -> Block:
    return parse_tron(answers[0], answers[1], ref.height, {made_blocks.TRON_TOKEN})


KINDS = [
    (made_blocks.add_bitcoin, bitcoin, b"\x00\x14"),
    (made_blocks.add_ethereum, ethereum, b""),
    (made_blocks.add_tron, tron, b"\x41"),
]
Add = Callable[[Recording, int, str, Amounts], str]
Read = Callable[[list[Any], BlockRef], Block]


@pytest.mark.parametrize(("add", "read", "prefix"), KINDS)
def test_a_made_block_pays_watched_keys_and_strangers(add: Add, read: Read, prefix: bytes) -> None:
    recording, parent = Recording(), GENESIS
    for height in (1, 2):
        recording.begin_block()
        ref = BlockRef(height, add(recording, height, parent, AMOUNTS))
        block = read([json.loads(one) for one in recording.blocks[-1]], ref)
        assert (block.ref, block.parent_hash) == (ref, parent)
        watched = {prefix + made_blocks.digest_of(place) for place in range(1_000)}
        moved = [one for one in block.movements if not one.is_coinbase]
        assert len(moved) == AMOUNTS.moved
        assert sum(one.key in watched for one in moved) == AMOUNTS.ours
        parent = ref.block_hash


def test_a_made_block_under_another_hash_is_refused() -> None:
    recording = Recording()
    recording.begin_block()
    made_blocks.add_ethereum(recording, 1, GENESIS, AMOUNTS)
    with pytest.raises(Quarantined):
        ethereum([json.loads(one) for one in recording.blocks[0]], BlockRef(1, "11" * 32))
