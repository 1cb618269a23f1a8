"""Ether that contracts pass on, on a real node that tells calls within calls."""

import pytest

from runtime.errors import Unavailable
from tests.chains.ethereum.conftest import code_of
from tests.chains.ethereum.custody import ETHER, Custody
from tests.chains.ethereum.geth import Geth
from tests.chains.ethereum.hardhat import Hardhat
from tests.chains.ethereum.nodes import Ability, on, where
from tests.chains.ethereum.test_blocks import PASS, deposit_key
from wallets.ethereum.addresses import text_of

pytestmark = pytest.mark.chains

PASS_THEN_FAIL = "f1fe6cbd"


@where(Ability.TRACES)
async def test_e11_with_traces_what_a_contract_passed_on_counts_unless_a_caller_failed(
    custody: Custody,
) -> None:
    key = deposit_key(custody)
    passer = custody.node.deploy(code_of("Passer"))
    words = key.rjust(32, b"\0").hex()
    for method in (PASS, PASS_THEN_FAIL):
        data = "0x" + method + words
        custody.node.send(to=passer, value=hex(ETHER), data=data, gas=hex(300_000))
    custody.node.mine()
    assert custody.node.balance(text_of(key)) == ETHER
    block = await custody.adapter._nodes.read_block(custody.node.height(), (), with_traces=True)
    moves = [move for move in block.movements if move.key == key]
    assert [(move.index, move.amount_atoms) for move in moves] == [(-2, ETHER)]


@on(Geth, Hardhat)
async def test_a_block_whose_traces_nobody_tells_waits_and_is_not_read_without(
    custody: Custody,
) -> None:
    custody.node.mine()
    height = custody.node.height()
    nodes = custody.adapter._nodes
    assert (await nodes.read_block(height, ())).ref.height == height
    with pytest.raises(Unavailable):
        await nodes.read_block(height, (), with_traces=True)
