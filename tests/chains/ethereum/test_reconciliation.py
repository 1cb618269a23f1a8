"""Whether book and a real Ethereum node say the same: what stops payouts, and what must not."""

import time
from collections.abc import AsyncIterator

import pytest

from tests.chains.account_books import FINAL_DEPTH, Books
from tests.chains.ethereum.custody import ETHER, Custody
from tests.chains.ethereum.development_node import CHAIN_ID
from wallets.books import receipts
from wallets.deposits.scanner import Hooks
from wallets.ethereum.addresses import text_of
from wallets.ethereum.holdings import EthereumBalances
from wallets.ethereum.node_set import NodeSet

pytestmark = pytest.mark.chains

BEGINS_WITH = {1: 10 * ETHER, 2: 10**12}


@pytest.fixture
async def books(custody: Custody) -> AsyncIterator[Books]:
    genesis_hash = custody.adapter.network.genesis_hash
    async with custody.node.node() as asked:
        nodes = NodeSet(CHAIN_ID, genesis_hash, [asked], 1, time.monotonic)
        await nodes.check()
        yield Books(
            custody.database,
            custody.adapter,
            EthereumBalances(custody.adapter, nodes),
            Hooks(receipts.apply_block, receipts.undo_block),
        )


async def mined(custody: Custody, books: Books, count: int = 1) -> None:
    custody.node.mine(count)
    await books.follow()


async def test_what_was_there_at_the_first_look_is_nobodys_and_no_surplus(
    custody: Custody, books: Books
) -> None:
    await books.follow()
    for _ in range(2):
        assert (await books.look()).findings == ()
        await mined(custody, books, FINAL_DEPTH)
    assert await books.hot() == BEGINS_WITH


async def test_a_payout_in_a_block_before_it_is_settled_and_after_it_is_no_difference(
    custody: Custody, books: Books
) -> None:
    await books.follow()
    await books.look()
    paid = [custody.payout(1, 3 * ETHER), custody.payout(2, 5, token=True)]
    sent = []
    for payout in paid:
        sent.append(await custody.attempt(payout))
        await books.stored(sent[-1])
        await custody.adapter.broadcast(sent[-1])
    # In no block.
    assert (await books.look()).findings == ()
    await mined(custody, books)
    look = await books.look()
    assert look.findings == ()
    costs = [(await custody.adapter.confirm(attempt)).fee_atoms for attempt in sent]
    leaving = {one.asset_id: one.leaving_atoms for one in look.cut.held}
    assert leaving == {1: 3 * ETHER + sum(costs), 2: 5}
    for attempt, payout, cost in zip(sent, paid, costs, strict=True):
        await books.settle(attempt.txid, payout.token.asset_id, payout.amount_atoms, cost)
        assert (await books.look()).findings == ()
    assert await books.stopped() == ""


async def test_a_strangers_wei_stops_nobody_and_a_thief_does(
    custody: Custody, books: Books
) -> None:
    await books.follow()
    await books.look()
    custody.node.send(to=text_of(custody.lane), value=hex(1))
    for _ in range(FINAL_DEPTH + 1):
        await mined(custody, books)
        assert (await books.look()).findings == ()
    assert await books.hot() == BEGINS_WITH | {1: BEGINS_WITH[1] + 1}
    custody.anvil.call("anvil_setBalance", text_of(custody.lane), hex(10 * ETHER))
    await mined(custody, books)
    look = await books.look()
    assert [(one.account, one.asset_id, one.atoms) for one in look.stopping] == [("hot", 1, -1)]
    assert await books.stopped() == "BooksDeficit: deficit of 1 in hot of asset 1"


async def test_a_strangers_wei_whose_block_left_the_chain_is_forgotten(
    custody: Custody, books: Books
) -> None:
    await books.follow()
    await books.look()
    custody.node.send(to=text_of(custody.lane), value=hex(1))
    await mined(custody, books)
    assert (await books.look()).findings == ()
    custody.anvil.reorganise(1)
    await mined(custody, books, FINAL_DEPTH + 1)
    assert (await books.look()).findings == ()
    assert await books.hot() == BEGINS_WITH


async def test_e14_tokens_that_their_issuer_destroyed_are_a_deficit_by_name_and_payouts_stop(
    custody: Custody, books: Books
) -> None:
    await books.follow()
    await books.look()
    custody.destroy(custody.lane)
    await books.follow()
    look = await books.look()
    lost = -BEGINS_WITH[2]
    assert [(one.account, one.asset_id, one.atoms) for one in look.stopping] == [("hot", 2, lost)]
    assert await books.stopped() == f"BooksDeficit: deficit of {-lost} in hot of asset 2"
