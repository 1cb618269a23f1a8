"""Whether book and a simulated TRON node say the same: what stops payouts, and what must not."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from tests.chains.account_books import FINAL_DEPTH, Books
from tests.chains.real_signer import NETWORK_ID
from tests.chains.tron.custody import GENESIS_MS, TOKEN, TRX, Custody
from venue.custody.listing import TRON
from venue.custody.purse import new_key
from venue.custody.tron_node import TronPurse
from wallets.contract import Attempt, Payout
from wallets.deposits.scanner import Hooks
from wallets.tron import scan
from wallets.tron.addresses import address_of
from wallets.tron.holdings import TronBalances
from wallets.tron.simulator.state import Account

pytestmark = pytest.mark.chains

BEGINS_WITH = {1: 1_000 * TRX, 2: 10**12}
DEPOSIT = b"\x41" + b"\x44" * 20


@pytest.fixture
async def stranger(custody: Custody) -> AsyncIterator[TronPurse]:
    """Somebody with a thousand TRX."""
    async with AsyncExitStack() as opened:
        found = await TronPurse.open(custody.url, new_key(), opened)
        custody.chain.head.state.accounts[found.account] = Account(1_000 * TRX, GENESIS_MS)
        custody.chain.refill_pool()
        yield found


@pytest.fixture
def books(custody: Custody, stranger: TronPurse) -> Books:
    return Books(
        custody.database,
        custody.adapter,
        TronBalances(custody.adapter, stranger.nodes),
        Hooks(scan.apply_block, scan.undo_block),
    )


async def solid(custody: Custody, books: Books) -> None:
    """All that waits is in a solid block, and scanned."""
    custody.mine(4)
    await books.follow(custody.clock.wall_time_ns)


async def pay(custody: Custody, books: Books, payout: Payout) -> Attempt:
    """Sent, and in a block once somebody makes one."""
    attempt = await custody.attempt(payout)
    await books.stored(attempt)
    await custody.adapter.broadcast(attempt)
    return attempt


async def test_what_was_there_at_the_first_look_is_nobodys_and_no_surplus(
    custody: Custody, books: Books
) -> None:
    await solid(custody, books)
    for _ in range(2):
        assert (await books.look()).findings == ()
        assert await books.hot() == BEGINS_WITH


async def test_a_payout_in_a_block_before_it_is_settled_and_after_it_is_no_difference(
    custody: Custody, books: Books
) -> None:
    await solid(custody, books)
    await books.look()
    paid = [custody.payout(1, 3 * TRX), custody.payout(2, 5, token=True)]
    sent = [await pay(custody, books, payout) for payout in paid]
    # In no block, and in no solid one.
    assert (await books.look()).findings == ()
    await solid(custody, books)
    look = await books.look()
    assert look.findings == ()
    costs = [(await custody.adapter.confirm(attempt)).fee_atoms for attempt in sent]
    leaving = {one.asset_id: one.leaving_atoms for one in look.cut.held}
    assert leaving == {1: 3 * TRX + sum(costs), 2: 5}
    for attempt, payout, cost in zip(sent, paid, costs, strict=True):
        await books.settle(attempt.txid, payout.token.asset_id, payout.amount_atoms, cost)
        assert (await books.look()).findings == ()
    assert await books.stopped() == ""


async def test_a_thief_is_a_deficit_that_stops_payouts_and_names_the_asset(
    custody: Custody, books: Books
) -> None:
    await solid(custody, books)
    await books.look()
    await pay(custody, books, custody.payout(1, 3 * TRX))
    custody.chain.head.state.tokens[TOKEN][custody.hot] -= 7
    custody.chain.refill_pool()
    await solid(custody, books)
    look = await books.look()
    assert [(one.account, one.asset_id, one.atoms) for one in look.stopping] == [("hot", 2, -7)]
    assert await books.stopped() == "BooksDeficit: deficit of 7 in hot of asset 2"


async def test_a_strangers_sun_stops_nobody_and_hides_no_theft(
    custody: Custody, books: Books, stranger: TronPurse
) -> None:
    await solid(custody, books)
    await books.look()
    await stranger.pay(TRON, address_of(custody.hot), 5)
    for _ in range(FINAL_DEPTH):
        await solid(custody, books)
        assert (await books.look()).findings == ()
    assert await books.hot() == BEGINS_WITH | {1: BEGINS_WITH[1] + 5}
    state = custody.chain.head.state
    state.accounts[custody.hot] = replace(
        state.accounts[custody.hot], balance=state.accounts[custody.hot].balance - 1
    )
    custody.chain.refill_pool()
    await solid(custody, books)
    assert [one.atoms for one in (await books.look()).stopping] == [-1]


async def test_deposits_count_where_they_lie_and_are_missed_when_they_are_gone(
    custody: Custody, books: Books, stranger: TronPurse
) -> None:
    await solid(custody, books)
    await books.look()
    await custody.database.write(
        "insert into custody.key_branch values ($1, 'deposit', 1, 'tron', 'xpub', 0)", NETWORK_ID
    )
    await custody.database.write(
        "insert into custody.address (network_id, key, text, branch, generation, path_index, "
        "account_id) values ($1, $2, $3, 'deposit', 1, 0, 5)",
        NETWORK_ID,
        DEPOSIT,
        address_of(DEPOSIT),
    )
    await stranger.pay(TRON, address_of(DEPOSIT), 9 * TRX)
    await solid(custody, books)
    look = await books.look()
    assert look.findings == ()
    assert [one.coming_atoms for one in look.cut.held if one.asset_id == 1] == [9 * TRX]
    # Nothing says that it was touched: it is read again in its turn.
    state = custody.chain.head.state
    state.accounts[DEPOSIT] = replace(state.accounts[DEPOSIT], balance=0)
    custody.chain.refill_pool()
    await solid(custody, books)
    assert [one.atoms for one in (await books.look()).stopping] == [-9 * TRX]
