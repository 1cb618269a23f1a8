"""What several simulated nodes come to together: solid blocks only, and empty is unknown."""

from typing import Any

import pytest
from tronpy.proto import tron_pb2

from runtime.errors import Unavailable
from tests.wallets.tron.served import node_set_of
from tests.wallets.tron.simulated_net import GENESIS_MS, NEW, OWNER, TOKEN, TRX, Net
from wallets.errors import Condition, Stuck
from wallets.tron.contracts import Transfer, token_transfer
from wallets.tron.simulator.chain import Chain
from wallets.tron.simulator.parameters import Parameters
from wallets.tron.simulator.server import Node as SimulatedNode
from wallets.tron.simulator.state import Account, State
from wallets.tron.transactions import transaction_id

FAKE = b"\x41" + b"\x09" * 20
LAG = 2


def chain_of(genesis_ms: int = GENESIS_MS) -> Chain:
    parameters = Parameters(solid_lag_blocks=LAG)
    state = State(parameters)
    state.accounts[OWNER] = Account(1_000 * TRX, genesis_ms)
    state.tokens = {TOKEN: {OWNER: 10**12}, FAKE: {OWNER: 10**12}}
    chain = Chain(parameters, genesis_ms, state)
    advance(chain, 5)
    return chain


def advance(chain: Chain, count: int) -> None:
    for _ in range(count):
        chain.make_block()


def send(chain: Chain, contract: Any, fee_limit: int = 0) -> str:
    """In the pool; its id."""
    net: Any = Net(chain, None)  # type: ignore[arg-type]
    whole = tron_pb2.Transaction.FromString(net.transaction(contract, fee_limit))
    chain.broadcast(whole)
    return transaction_id(whole.raw_data.SerializeToString())


async def test_solid_blocks_show_trx_and_exactly_our_token() -> None:
    chain = chain_of()
    native = send(chain, Transfer(OWNER, NEW, 7))
    token = send(chain, token_transfer(OWNER, TOKEN, NEW, 9), 100 * TRX)
    send(chain, token_transfer(OWNER, FAKE, NEW, 9), 100 * TRX)
    failed = send(chain, token_transfer(OWNER, TOKEN, NEW, 10**13), 100 * TRX)
    height = chain.make_block().height
    advance(chain, LAG)
    async with node_set_of([SimulatedNode(chain)], 1, chain) as nodes:
        await nodes.check()
        assert await nodes.tip() == (await nodes.read_block(height, {TOKEN})).ref
        block = await nodes.read_block(height, {TOKEN})
    moved = [(one.txid, one.index, one.contract, one.amount_atoms) for one in block.movements]
    assert moved == [(native, -1, b"", 7), (token, 0, TOKEN, 9)]
    assert {one.key for one in block.movements} == {NEW}
    assert failed in block.txids
    assert len(block.txids) == 4


async def test_a_block_that_is_not_solid_is_not_read() -> None:
    chain = chain_of()
    height = chain.make_block().height
    async with node_set_of([SimulatedNode(chain)], 1, chain) as nodes:
        assert (await nodes.tip()).height == height - LAG
        with pytest.raises(Unavailable):
            await nodes.read_block(height, ())


async def test_a_replica_that_lags_holds_back_what_must_be_told_by_both() -> None:
    chain = chain_of()
    advance(chain, 40)
    fresh, behind = SimulatedNode(chain), SimulatedNode(chain, lag_blocks=30)
    solid = chain.solid_height
    async with node_set_of([fresh, behind], 2, chain) as nodes:
        assert (await nodes.tip()).height == solid - 30
        with pytest.raises(Unavailable):
            await nodes.read_block(solid, ())
    async with node_set_of([fresh, behind], 1, chain) as nodes:
        assert (await nodes.tip()).height == solid


async def test_nodes_of_two_branches_do_not_agree() -> None:
    one, other = chain_of(), chain_of()
    send(other, Transfer(OWNER, NEW, 7))
    advance(one, 10)
    advance(other, 10)
    async with node_set_of([SimulatedNode(one), SimulatedNode(other)], 2, one) as nodes:
        with pytest.raises(Stuck) as stuck:
            await nodes.tip()
        assert stuck.value.condition is Condition.NODES_DISAGREE
        with pytest.raises(Stuck):
            await nodes.read_block(8, ())


async def test_a_node_of_another_chain_is_not_asked() -> None:
    chain = chain_of()
    foreign = chain_of(GENESIS_MS + 3_000)
    async with node_set_of([SimulatedNode(chain), SimulatedNode(foreign)], 1, chain) as nodes:
        await nodes.check()
        assert list(nodes.quarantined()) == ["1"]
    async with node_set_of([SimulatedNode(foreign)], 1, chain) as nodes:
        with pytest.raises(Stuck) as stuck:
            await nodes.check()
        assert stuck.value.condition is Condition.CHAIN_MISMATCH


async def test_a_node_at_its_limit_is_unavailable_and_then_goes_on() -> None:
    chain = chain_of()
    node = SimulatedNode(chain)
    async with node_set_of([node], 1, chain) as nodes:
        node.calls_left = 1
        with pytest.raises(Unavailable):
            await nodes.read_block(chain.solid_height, ())
        node.calls_left = None
        assert (await nodes.read_block(chain.solid_height, ())).ref.height == chain.solid_height


async def test_a_receipt_counts_when_it_is_told_alike_and_an_empty_one_proves_nothing() -> None:
    chain = chain_of()
    txid: Any = send(chain, Transfer(OWNER, NEW, 7))
    fresh, behind = SimulatedNode(chain), SimulatedNode(chain, lag_blocks=30)
    async with node_set_of([fresh, behind], 2, chain) as nodes:
        assert await nodes.is_pending(txid)
        assert await nodes.agreed_info(txid, is_solid=False) is None
        advance(chain, 1)
        assert await nodes.agreed_info(txid, is_solid=False) is None
        advance(chain, 30)
        told = await nodes.agreed_info(txid, is_solid=False)
        assert told is not None
        assert told["id"] == txid
        assert await nodes.agreed_info(txid, is_solid=True) is None
