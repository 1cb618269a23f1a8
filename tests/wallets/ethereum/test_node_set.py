"""Several nodes: one that lies, lags, or is on another chain decides nothing."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from runtime.errors import Unavailable
from tests.wallets.ethereum.told import CHAIN_ID, HASHES, Told, serving
from wallets.contract import BlockRef
from wallets.errors import Stuck
from wallets.ethereum.node_set import NodeSet


@asynccontextmanager
async def nodes_of(*told: Told) -> AsyncIterator[NodeSet]:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(serving(one)) for one in told]
        # These nodes tell blocks by hand; `tests/chains/ethereum/test_proofs.py` has real ones.
        yield NodeSet(CHAIN_ID, HASHES[0], nodes, 2, lambda: 0.0, checks_roots=False)


async def test_the_tip_is_the_highest_block_that_enough_nodes_have() -> None:
    async with nodes_of(Told("a", height=3), Told("b", height=5), Told("c", height=9)) as nodes:
        assert await nodes.tip() == BlockRef(5, HASHES[5])


async def test_a_true_hash_with_a_false_value_or_status_is_outvoted() -> None:
    for liar in (Told("liar", value=500), Told("liar", status=0)):
        async with nodes_of(liar, Told("b"), Told("c")) as nodes:
            block = await nodes.read_block(3, ())
            assert [move.amount_atoms for move in block.movements] == [5]


async def test_a_block_that_two_nodes_tell_differently_is_none() -> None:
    async with nodes_of(Told("liar", value=500), Told("b")) as nodes:
        with pytest.raises(Stuck, match="differently"):
            await nodes.read_block(3, ())


def receipts_missing(told: Told) -> None:
    told.answer = lambda method, params: (  # type: ignore[method-assign]
        [] if method == "eth_getBlockReceipts" else Told.answer(told, method, params)
    )


def nothing(told: Told) -> None:
    told.raw = b'{"id":1,"result":null}'


@pytest.mark.parametrize("spoil", [receipts_missing, nothing])
async def test_an_empty_answer_is_never_an_empty_block(spoil: Callable[[Told], None]) -> None:
    told = Told("a"), Told("b")
    for one in told:
        spoil(one)
    async with nodes_of(*told) as nodes:
        with pytest.raises(Unavailable):
            await nodes.read_block(3, ())


def test_without_roots_one_node_alone_is_never_believed() -> None:
    with pytest.raises(ValueError, match="two nodes must agree"):
        NodeSet(CHAIN_ID, HASHES[0], [], 1, lambda: 0.0, checks_roots=False)


async def test_a_node_of_another_chain_is_not_asked() -> None:
    async with nodes_of(Told("other", chain_id=1), Told("b"), Told("c")) as nodes:
        await nodes.check()
        assert list(nodes.quarantined()) == ["other"]
    async with nodes_of(Told("other", chain_id=1), Told("b")) as nodes:
        with pytest.raises(Stuck, match="ChainMismatch"):
            await nodes.check()


async def test_a_receipt_that_one_node_invents_is_not_believed() -> None:
    async with nodes_of(Told("liar", status=0), Told("b")) as nodes:
        with pytest.raises(Unavailable):
            await nodes.agreed_answer("eth_getTransactionReceipt", "0x" + "aa" * 32)
