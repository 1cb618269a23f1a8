"""A withdrawal is paid once, and the book says so, whatever the chain does."""

from typing import Any

import pytest

from tests.wallets.conftest import NETWORK_ID
from tests.wallets.core.conftest import ASSET_ID, Venue, request
from tests.wallets.core.memory_chain import FEE_ATOMS, MemoryChain, MemoryEngine
from wallets.books import postings
from wallets.contract import Attempt, Broadcast, Plan
from wallets.core import claims, outbox
from wallets.core.claims import Claim
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.errors import Condition, Fenced, Stuck
from wallets.worker import signals

# A worker takes one step per claim, or keeps a claim for as long as nobody else is asked.
BOTH_WAYS = pytest.mark.parametrize("strides", [False, True], ids=["steps", "strides"])
AMOUNT = 500 * 100
CHARGED = 20 * 100


async def book_of(venue: Venue) -> dict[tuple[int, str], int]:
    balances = await postings.read_balances(venue.connection, NETWORK_ID)
    return {account: amount for account, amount in balances.items() if amount}


async def check_paid_once(venue: Venue, fee_atoms: int = FEE_ATOMS) -> None:
    assert venue.chain.paid() == {request().withdrawal_id: [AMOUNT]}
    assert venue.engine.states == {request().withdrawal_id: "settled"}
    assert await venue.states() == ["settled"]
    assert await book_of(venue) == {
        (ASSET_ID, "hot"): -AMOUNT - fee_atoms,
        (ASSET_ID, "customers"): AMOUNT + CHARGED,
        (ASSET_ID, "fees_charged"): -CHARGED,
        (ASSET_ID, "network_cost"): fee_atoms,
    }


async def test_a_withdrawal_is_approved_started_paid_and_settled(venue: Venue) -> None:
    await venue.engine.request(request())
    await venue.run(venue.worker(), 12)
    await check_paid_once(venue)
    events = await venue.connection.fetch(
        "select state_after from custody.event where kind = 'payout' order by event_id"
    )
    way = "requested approved started built signed broadcasting confirming settled"
    assert [row["state_after"] for row in events] == way.split()


async def test_nothing_is_planned_before_the_start_is_read_back(venue: Venue) -> None:
    await venue.engine.request(request())
    for _ in range(5):
        await venue.pass_time()
        await venue.worker().step()
    assert await venue.states() == ["approved"]
    assert not venue.signer.log


@BOTH_WAYS
@pytest.mark.parametrize("state", ["credited", "orphaned"])
async def test_nothing_starts_while_a_credit_of_the_payer_may_be_taken_back(
    venue: Venue, state: str, strides: bool
) -> None:
    venue.strides = strides
    await venue.connection.execute(
        "insert into custody.deposit (deposit_id, network_id, txid, index, key, account_id,"
        " asset_id, contract, amount_atoms, engine_atoms, state, credit_count)"
        " values ($1, $2, 'tx', 0, '', 4096, $3, '', 1, 1, $4, 1)",
        b"d" * 16,
        NETWORK_ID,
        ASSET_ID,
        state,
    )
    await venue.engine.request(request())
    await venue.run(venue.worker(), 5)
    assert await venue.states() == ["approved"]
    condition = await venue.connection.fetchval("select condition from custody.payout")
    assert condition == "DepositsNotWithdrawable"
    await venue.connection.execute("update custody.deposit set credit_count = 2")
    await venue.run(venue.worker(), 12)
    await check_paid_once(venue)


@BOTH_WAYS
async def test_an_address_that_became_ours_is_given_back_at_the_start(
    venue: Venue, strides: bool
) -> None:
    venue.strides = strides
    await venue.connection.execute(
        "insert into custody.key_branch values ($1, 'deposit', 1, 'memory', 'x', 0)", NETWORK_ID
    )
    await venue.connection.execute(
        "insert into custody.address (network_id, key, text, branch, generation, path_index) "
        "values ($1, $2, '', 'deposit', 1, 0)",
        NETWORK_ID,
        venue.chain.parse_address("to-alice").key,
    )
    await venue.engine.request(request())
    await venue.run(venue.worker(), 3)
    assert await venue.states() == ["rejected"]
    assert venue.engine.states == {request().withdrawal_id: "released"}
    row = await venue.connection.fetchrow("select reason from custody.payout")
    assert row is not None
    assert row["reason"] == "OWN_ADDRESS"


@BOTH_WAYS
async def test_a_refused_start_gives_the_money_back(venue: Venue, strides: bool) -> None:
    venue.strides = strides
    venue.engine.refuses_start = True
    await venue.engine.request(request())
    await venue.run(venue.worker(), 5)
    assert await venue.states() == ["rejected"]
    assert venue.engine.states == {request().withdrawal_id: "released"}


@pytest.mark.parametrize(("destination", "asset_id"), [("nowhere", 1), ("to-alice", 2)])
async def test_what_cannot_be_paid_is_given_back(
    venue: Venue, destination: str, asset_id: int
) -> None:
    await venue.engine.request(request(destination=destination, asset_id=asset_id))
    await venue.run(venue.worker(), 3)
    assert venue.engine.states == {request().withdrawal_id: "released"}
    assert not venue.chain.paid()


@BOTH_WAYS
async def test_an_unfunded_wallet_waits_by_name_and_goes_on(venue: Venue, strides: bool) -> None:
    venue.strides = strides
    venue.chain.refuses_builds = True
    await venue.engine.request(request())
    await venue.run(venue.worker(), 5)
    condition = await venue.connection.fetchval("select condition from custody.payout")
    assert condition == "HotWalletUnfunded"
    venue.chain.refuses_builds = False
    await venue.run(venue.worker(), 10)
    await check_paid_once(venue)


async def test_lost_replies_pay_once(venue: Venue) -> None:
    await venue.engine.request(request())
    venue.chain.loses_replies = True
    await venue.run(venue.worker(), 10)
    assert await venue.states() == ["broadcasting"]
    venue.chain.loses_replies = False
    await venue.run(venue.worker(), 8)
    await check_paid_once(venue)


@pytest.mark.parametrize("depth", [1, 2, 3])
async def test_a_reorganisation_sends_the_same_bytes_again(venue: Venue, depth: int) -> None:
    await venue.engine.request(request())
    await venue.run(venue.worker(), 5, mines=False)
    for _ in range(3):
        await venue.run(venue.worker(), 1)
    is_settled = await venue.states() == ["settled"]
    venue.chain.reorganise(min(depth, len(venue.chain.blocks)))
    await venue.run(venue.worker(), 12)
    await check_paid_once(venue)
    assert len(venue.signer.log) == 1
    if depth == 3 and is_settled:
        kinds = await venue.connection.fetch("select kind from custody.outbox order by source_seq")
        assert [row["kind"] for row in kinds] == ["start", "settle", "reopen", "settle"]


async def test_a_reorganisation_after_settlement_reopens_in_engine_and_book(venue: Venue) -> None:
    await venue.engine.request(request())
    await venue.run(venue.worker(), 12)
    await check_paid_once(venue)
    venue.chain.reorganise(len(venue.chain.blocks))
    await venue.run(venue.worker(), 1, mines=False)
    assert venue.engine.states == {request().withdrawal_id: "in flight"}
    assert await book_of(venue) == {}
    await venue.run(venue.worker(), 8)
    await check_paid_once(venue)


class AwayChain(MemoryChain):
    """No node of it can be asked."""

    async def broadcast(self, attempt: Attempt) -> Broadcast:
        raise Stuck(Condition.CHAIN_MISMATCH, attempt.txid)


async def test_what_is_released_is_sent_at_once_or_by_the_next_look(venue: Venue) -> None:
    await venue.engine.request(request())
    await venue.run(venue.worker(), 4, mines=False)
    assert await venue.states() == ["signed"]
    there, venue.chain = venue.chain, AwayChain()
    await venue.run(venue.worker(), 1, mines=False)
    assert await venue.states() == ["broadcasting"]
    venue.chain = there
    assert not there.pool
    await venue.run(venue.worker(), 1, mines=False)
    assert len(there.pool) == 1
    await venue.run(venue.worker(), 6)
    await check_paid_once(venue)


async def test_the_step_that_releases_sends(venue: Venue) -> None:
    await venue.engine.request(request())
    await venue.run(venue.worker(), 5, mines=False)
    assert await venue.states() == ["broadcasting"]
    assert len(venue.chain.pool) == 1


async def test_a_dead_attempt_is_followed_by_one_that_cites_it(venue: Venue) -> None:
    await venue.engine.request(request())
    await venue.run(venue.worker(), 4, mines=False)
    assert await venue.states() == ["signed"]
    venue.chain.steal("coin:0")
    await venue.run(venue.worker(), 14)
    await check_paid_once(venue)
    assert len(venue.signer.log) == 2
    (death,) = venue.approver.dead
    assert death.proof
    left = await venue.connection.fetchval("select count(*) from custody.owned_input")
    assert left == 0


async def test_attempts_that_keep_dying_end_with_the_money_back(venue: Venue) -> None:
    await venue.engine.request(request())
    stolen = 0
    for _ in range(60):
        await venue.run(venue.worker(), 1, mines=False)
        owned = await venue.connection.fetchval("select max(input) from custody.owned_input")
        if owned is not None and owned not in venue.chain.spent():
            venue.chain.steal(owned)
            stolen += 1
    assert await venue.states() == ["failed"]
    assert stolen == 5
    assert venue.engine.states == {request().withdrawal_id: "released"}
    assert not venue.chain.paid()


async def test_a_worker_that_was_overtaken_writes_nothing(venue: Venue) -> None:
    await venue.engine.request(request())
    slow, quick = Store(venue.database, NETWORK_ID, "slow"), venue.worker("quick")
    claim = await slow.claim()
    assert claim is not None
    await venue.run(quick, 1)
    with pytest.raises(Fenced):
        await slow.reject(claim, "LATE")
    assert await venue.states() == ["approved"]


class LateStore(Store):
    """Its claim rests on a look from before another worker's start, as locks of rows allow."""

    engine: MemoryEngine
    is_answered: bool

    async def claim(
        self, *, builds: bool = True, goes_on: bool = False, is_alone: bool = True
    ) -> Claim | None:
        mine = await super().claim(builds=builds, goes_on=goes_on, is_alone=is_alone)
        assert mine is not None
        async with self._database.transaction() as connection:
            await outbox.put(
                connection,
                "start",
                mine.withdrawal_id,
                network_id=mine.network_id,
                shard=mine.shard,
            )
        if self.is_answered:
            await self.engine.apply()
        return mine


@pytest.mark.parametrize(("is_answered", "state"), [(False, "approved"), (True, "started")])
async def test_who_claims_what_was_started_meanwhile_leaves_it_to_the_answer(
    venue: Venue, is_answered: bool, state: str
) -> None:
    await venue.engine.request(request())
    await venue.run(venue.worker(), 1)
    await venue.pass_time()
    store = LateStore(venue.database, NETWORK_ID, "late")
    store.engine, store.is_answered = venue.engine, is_answered
    await Pipeline(store, venue.chain, venue.approver, venue.signer).step()
    assert await venue.states() == [state]
    # Nobody waits for the end of a claim that is of no use any more.
    assert await venue.connection.fetchval("select claimed_by from custody.payout") == ""
    await venue.run(venue.worker(), 12)
    await check_paid_once(venue)
    starts = "select count(*) from custody.outbox where kind = 'start'"
    assert await venue.connection.fetchval(starts) == 1


async def test_a_claimed_payout_is_nobody_elses_until_its_lease_ends(venue: Venue) -> None:
    await venue.engine.request(request())
    assert await claims.claim(venue.database, NETWORK_ID, "first") is not None
    assert await claims.claim(venue.database, NETWORK_ID, "other") is None
    await venue.pass_time()
    taken = await claims.claim(venue.database, NETWORK_ID, "other")
    assert taken is not None
    assert taken.fencing_token == 2


async def test_the_stop_switch_holds_what_is_not_signed(venue: Venue) -> None:
    await venue.engine.request(request())
    await venue.run(venue.worker(), 3)
    await venue.connection.execute("update custody.chain set withdrawals_stopped = true")
    await venue.run(venue.worker(), 5)
    assert await venue.states() == ["built"]
    assert not venue.signer.log


async def test_a_worker_that_may_start_none_claims_and_counts_only_what_was_signed(
    venue: Venue,
) -> None:
    await venue.engine.request(request())
    for starts in (False, True):
        counted = await signals.read(venue.database, NETWORK_ID, starts=starts)
        assert counted.claimable_count == starts
    assert await claims.claim(venue.database, NETWORK_ID, "suspended", starts=False) is None
    worker = venue.worker()
    while await venue.states() != ["signed"]:
        await venue.run(worker, 1)
        await venue.pass_time()
    assert (await signals.read(venue.database, NETWORK_ID, starts=False)).claimable_count == 1
    assert await claims.claim(venue.database, NETWORK_ID, "suspended", starts=False) is not None


async def test_inputs_have_one_owner(venue: Venue) -> None:
    for number in range(1, 6):
        await venue.engine.request(request(number))
    await venue.run(venue.worker(), 45)
    assert set(await venue.states()) == {"settled"}
    assert {tuple(amounts) for amounts in venue.chain.paid().values()} == {(AMOUNT,)}
    assert len(venue.chain.paid()) == 5


async def test_an_address_that_is_ours_by_now_is_not_paid_and_the_money_goes_back(
    venue: Venue,
) -> None:
    await venue.engine.request(request())
    await venue.worker().step()
    assert await venue.states() == ["approved"]
    await venue.connection.execute(
        "insert into custody.key_branch values ($1, 'deposit', 1, 'x', 'x', 0)", NETWORK_ID
    )
    await venue.connection.execute(
        "insert into custody.address (network_id, key, text, branch, generation, path_index) "
        "values ($1, $2, 'x', 'deposit', 1, 0)",
        NETWORK_ID,
        request().destination.encode(),
    )
    await venue.run(venue.worker(), 4)
    assert await venue.states() == ["rejected"]
    assert venue.engine.states == {request().withdrawal_id: "released"}
    assert venue.chain.paid() == {}


@BOTH_WAYS
async def test_no_claim_is_left_when_a_worker_is_done_with_its_step_or_stride(
    venue: Venue, strides: bool
) -> None:
    venue.strides = strides
    await venue.engine.request(request())
    for _ in range(8):
        await venue.run(venue.worker(), 1)
        assert await venue.connection.fetchval("select claimed_by from custody.payout") == ""
    await check_paid_once(venue)


async def test_a_stride_takes_one_claim_from_the_start_to_the_nodes(venue: Venue) -> None:
    venue.strides = True
    await venue.engine.request(request())
    worker = venue.worker("one")
    await worker.stride()
    assert await venue.states() == ["approved"]
    await venue.engine.apply()
    assert await venue.states() == ["started"]
    await worker.stride()
    assert await venue.states() == ["broadcasting"]
    row = await venue.connection.fetchrow("select fencing_token, claimed_by from custody.payout")
    assert row is not None
    assert tuple(row) == (2, "")


async def stride_while(venue: Venue, statement: str) -> None:
    """A worker goes on with a started payout; the statement is carried out while it is planned."""
    await venue.engine.request(request())
    worker = venue.worker("one")
    await worker.stride()
    await venue.engine.apply()
    build = venue.chain.build

    async def build_meanwhile(*arguments: Any, **named: Any) -> Plan:
        await venue.connection.execute(statement)
        return await build(*arguments, **named)

    venue.chain.build = build_meanwhile  # type: ignore[method-assign]
    await worker.stride()


async def test_a_stop_that_comes_while_a_worker_goes_on_is_seen_before_the_next_step(
    venue: Venue,
) -> None:
    await stride_while(venue, "update custody.chain set withdrawals_stopped = true")
    assert await venue.states() == ["built"]
    assert venue.signer.log == {}
    row = await venue.connection.fetchrow("select claimed_by, condition from custody.payout")
    assert row is not None
    assert tuple(row) == ("", "")


async def test_a_wish_that_comes_while_a_worker_goes_on_is_granted_before_it_signs(
    venue: Venue,
) -> None:
    await stride_while(venue, "update custody.payout set cancel_requested = true")
    assert await venue.states() == ["cancelled"]
    assert venue.signer.log == {}
