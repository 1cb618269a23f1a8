"""Whether book and a real Ethereum node say the same: what stops payouts, and what must not."""

import time
from collections.abc import AsyncIterator

import pytest

from tests.chains.account_books import FINAL_DEPTH, Books
from tests.chains.ethereum.conftest import TRANSFER
from tests.chains.ethereum.custody import ETHER, Custody, approve
from tests.chains.ethereum.development_node import CHAIN_ID
from tests.chains.real_signer import NETWORK_ID
from wallets.books import receipts
from wallets.contract import ConfirmationState
from wallets.deposits.scanner import Hooks
from wallets.errors import Condition, Stuck
from wallets.ethereum import suspending
from wallets.ethereum.addresses import text_of
from wallets.ethereum.holdings import EthereumBalances
from wallets.ethereum.node_set import NodeSet
from wallets.reconciliation import limits

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


async def steal(custody: Custody, atoms: int) -> None:
    """A thief has our key, and pays the gas back, so that no ether of ours is missing."""
    lane = text_of(custody.lane)
    ether = custody.node.balance(lane)
    stolen = custody.payout(9, atoms, token=True)
    word = approve(stolen.withdrawal_id, stolen.destination.text, custody.token, atoms)
    # Custody has no attempt of what was signed.
    await custody.database.write("update custody.asset set withdrawals_suspended = false")
    raw = await custody.signer.sign(await custody.plan(stolen), [word])
    custody.anvil.call("eth_sendRawTransaction", "0x" + raw.hex())
    custody.node.mine()
    custody.node.give(lane, ether)


async def suspended(custody: Custody) -> dict[int, str]:
    """Why assets are not paid, by asset."""
    rows = await custody.database.read(
        "select asset_id, suspended_reason from custody.asset where withdrawals_suspended"
    )
    return {row["asset_id"]: row["suspended_reason"] for row in rows}


async def test_e14_tokens_that_their_issuer_destroyed_stop_payouts_of_that_token_and_of_no_other(
    custody: Custody, books: Books
) -> None:
    await books.follow()
    await books.look()
    custody.destroy(custody.lane)
    await books.follow()
    lost = BEGINS_WITH[2]
    for _ in range(2):
        look = await books.look()
        found = [(one.account, one.asset_id, one.atoms) for one in look.suspending]
        assert found == [("hot", 2, -lost)]
        assert look.stopping == ()
    assert await books.stopped() == ""
    assert await suspended(custody) == {2: f"BooksDeficit: deficit of {lost} in hot of asset 2"}
    # Told once, however often it is looked at.
    events = await custody.database.read(
        "select state_after, reason from custody.event where kind = 'asset'"
    )
    assert [row["state_after"] for row in events] == ["suspended"]
    with pytest.raises(Stuck, match="BooksDeficit") as stuck:
        await custody.attempt(custody.payout(1, 1, token=True))
    assert stuck.value.condition is Condition.ASSET_SUSPENDED
    # Ether is paid as before.
    attempt = await custody.attempt(custody.payout(2, ETHER))
    await books.stored(attempt)
    await custody.adapter.broadcast(attempt)
    await mined(custody, books)
    assert (await custody.adapter.confirm(attempt)).state is ConfirmationState.MINED
    assert [one.asset_id for one in (await books.look()).findings] == [2]
    await suspending.resume(custody.database, NETWORK_ID, custody.token, ["Ada", "Bo"])
    # Two persons cannot wish it away: the next look finds it again.
    await books.look()
    assert list(await suspended(custody)) == [2]


async def test_e14_what_was_destroyed_long_ago_stops_no_network_and_what_a_thief_takes_then_does(
    custody: Custody, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "DEPARTURE_BLOCKS_MAX", 2)
    await books.follow()
    await books.look()
    custody.destroy(custody.lane)
    for _ in range(3):
        await mined(custody, books)
        assert [one.asset_id for one in (await books.look()).suspending] == [2]
    custody.call_token(TRANSFER, int.from_bytes(custody.lane), 100)
    await mined(custody, books)
    await steal(custody, 7)
    await mined(custody, books)
    assert [one.asset_id for one in (await books.look()).stopping] == [2]
    assert (await books.stopped()).startswith("BooksDeficit: deficit of ")


async def test_e14_a_part_that_is_destroyed_while_our_own_payout_leaves_is_the_issuers(
    custody: Custody, books: Books
) -> None:
    await books.follow()
    await books.look()
    attempt = await custody.attempt(custody.payout(1, 5, token=True))
    await books.stored(attempt)
    await custody.adapter.broadcast(attempt)
    await mined(custody, books)
    custody.destroy(custody.lane)
    await books.follow()
    look = await books.look()
    assert [(one.asset_id, one.atoms) for one in look.suspending] == [(2, 5 - BEGINS_WITH[2])]
    assert await books.stopped() == ""


async def test_e14_tokens_that_a_thief_with_our_key_sent_stop_the_whole_network(
    custody: Custody, books: Books
) -> None:
    await books.follow()
    await books.look()
    await steal(custody, 7)
    await mined(custody, books)
    look = await books.look()
    assert [(one.account, one.asset_id, one.atoms) for one in look.stopping] == [("hot", 2, -7)]
    assert await books.stopped() == "BooksDeficit: deficit of 7 in hot of asset 2"
    assert await suspended(custody) == {}


async def test_e14_missing_tokens_beside_missing_ether_stop_the_whole_network(
    custody: Custody, books: Books
) -> None:
    await books.follow()
    await books.look()
    custody.destroy(custody.lane)
    custody.node.give(text_of(custody.lane), 10 * ETHER - 1)
    await mined(custody, books)
    look = await books.look()
    assert sorted(one.asset_id for one in look.stopping) == [1, 2]
    assert look.suspending == ()
    assert (await books.stopped()).startswith("BooksDeficit: deficit of ")
