"""Payouts in the pools of real nodes: jammed, too cheap, pushed out, waiting for a lower fee."""

import time

import pytest

from tests.chains.ethereum.custody import ETHER, GWEI, Custody
from tests.chains.ethereum.geth import BLOCK_SECONDS, Geth
from tests.chains.ethereum.nodes import Ability, on, on_every_node, where
from tests.chains.ethereum.test_pipeline import StoredApprover, request
from tests.chains.real_signer import NETWORK_ID
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryEngine
from wallets.contract import Attempt, BroadcastOutcome, ConfirmationState
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.ethereum import limits, planning
from wallets.ethereum.fees import Fees, raised
from wallets.ethereum.lanes import Lane
from wallets.ethereum.transactions import parse_signed

pytestmark = pytest.mark.chains

S = ConfirmationState
NUMBERS = range(1, 22)
# Enough for every payout of a test to be looked at.
STEPS = 64
# Room for nine transactions, all of one account if it wants.
SMALL_POOL = (
    "--txpool.globalslots=8",
    "--txpool.accountslots=9",
    "--txpool.globalqueue=1",
    "--txpool.nolocals",
)


def fees_of(attempt: Attempt) -> Fees:
    signed = parse_signed(attempt.raw)
    return Fees(signed.max_fee_per_gas_atoms, signed.priority_fee_per_gas_atoms)


async def replacement(custody: Custody, first: Attempt, fees: Fees) -> Attempt:
    """The same payout at the same nonce for a price of the test's own."""
    (payout,) = first.payouts
    nonce = parse_signed(first.raw).nonce
    lane = Lane(custody.lane, "hot", 0, is_draining=False)
    plan = planning.plan_payout(custody.intent_id(), NETWORK_ID, payout, lane, nonce, 21_000, fees)
    return await custody.store(plan, payout)


@where(Ability.TEN_PER_CENT)
@pytest.mark.parametrize(("fee", "tip"), [(109, 109), (109, 110), (110, 109), (200, 109)])
async def test_e6_a_replacement_below_ten_per_cent_is_refused_and_ours_goes_through(
    custody: Custody, fee: int, tip: int
) -> None:
    first = await custody.attempt(custody.payout(1, ETHER))
    await custody.adapter.broadcast(first)
    old = fees_of(first)
    cheap = await replacement(
        custody,
        first,
        Fees(old.max_fee_per_gas_atoms * fee // 100, old.priority_fee_per_gas_atoms * tip // 100),
    )
    told = await custody.adapter.broadcast(cheap)
    assert (told.outcome, told.reason) == (BroadcastOutcome.REFUSED, "REPLACEMENT_FEE")
    assert (await custody.adapter.confirm(first)).state is S.IN_POOL
    bump = await custody.attempt(first.payouts[0], (parse_signed(first.raw).anchor,))
    assert (await custody.adapter.broadcast(bump)).outcome is BroadcastOutcome.ACCEPTED
    assert custody.node.call("eth_getTransactionByHash", "0x" + first.txid) is None
    custody.node.mine(3)
    found = await custody.adapter.confirm(first)
    assert (found.state, found.txid) == (S.FINAL, bump.txid)
    assert custody.node.balance(first.payouts[0].destination.text) == ETHER


@on_every_node
async def test_e6_the_least_that_we_ever_offer_more_is_enough(custody: Custody) -> None:
    """A price that ten per cent of is no whole number: rounding down would be too little."""
    attempt = await custody.attempt(custody.payout(1, ETHER))
    attempt = await replacement(custody, attempt, Fees(4 * GWEI + 1, GWEI + 1))
    for _ in range(4):
        told = await custody.adapter.broadcast(attempt)
        assert told.outcome is BroadcastOutcome.ACCEPTED
        old = fees_of(attempt)
        more = raised(old.max_fee_per_gas_atoms), raised(old.priority_fee_per_gas_atoms)
        attempt = await replacement(custody, attempt, Fees(*more))


@on(Geth)
async def test_e2_a_jammed_lane_drains_in_a_few_blocks_once_its_gap_is_filled(
    custody: Custody, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker took the first nonce and went away before it signed; twenty payouts came after."""
    await custody.database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    engine = MemoryEngine(custody.database)
    store = Store(custody.database, 1, "worker")
    worker = Pipeline(store, custody.adapter, StoredApprover(custody.database), custody.signer)
    gone = request(custody, 1, 1, 10**8)

    async def work(rounds: int, gone_until: str) -> None:
        for _ in range(rounds):
            await custody.database.write(
                "update custody.payout set not_before = '-infinity', claim_expires_at = "
                "case when withdrawal_id = $1 then $2 else '-infinity' end::timestamptz",
                gone.withdrawal_id,
                gone_until,
            )
            for _ in range(STEPS):
                if not await worker.step():
                    break
            await engine.apply()

    await engine.request(gone)
    while not await custody.database.read("select 1 from custody.owned_input"):
        await worker.step()
        await engine.apply()
    for number in NUMBERS[1:]:
        await engine.request(request(custody, number, 1, 10**6))
    await work(4, "infinity")
    custody.node.mine(3)
    await work(1, "infinity")
    assert mined_nonces(custody) == 0
    assert "settled" not in engine.states.values()
    owned = await custody.database.read("select 1 from custody.owned_input")
    assert len(owned) == limits.OUTSTANDING_MAX

    begin, blocks = time.monotonic(), 0
    while mined_nonces(custody) < len(NUMBERS):
        await work(3, "-infinity")
        custody.node.mine()
        blocks += 1
        assert blocks * BLOCK_SECONDS < 60
    seconds, name = time.monotonic() - begin, custody.node.name
    with capsys.disabled():
        print(f"\n{name}: drained in {blocks} blocks of {BLOCK_SECONDS} s, {seconds:.1f} s of work")
    paid = [custody.node.balance(custody.payout(number, 1).destination.text) for number in NUMBERS]
    assert paid == [ETHER, *[10**16] * 20]


def mined_nonces(custody: Custody) -> int:
    lane = Lane(custody.lane, "hot", 0, is_draining=False).text
    return int(custody.node.call("eth_getTransactionCount", lane, "latest"), 16)


@where(Ability.FORGETS)
async def test_e5_a_transaction_that_a_pool_lost_is_sent_again_as_the_same_bytes(
    custody: Custody,
) -> None:
    attempt = await custody.attempt(custody.payout(1, ETHER))
    await custody.adapter.broadcast(attempt)
    custody.node.call("hardhat_dropTransaction", "0x" + attempt.txid)
    assert (await custody.adapter.confirm(attempt)).state is S.NOT_SEEN
    assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.ACCEPTED
    custody.node.mine(3)
    assert (await custody.adapter.confirm(attempt)).state is S.FINAL


@on(Geth, options=SMALL_POOL)
async def test_e5_what_dearer_ones_push_out_of_a_full_pool_is_refused_by_name_until_there_is_room(
    custody: Custody,
) -> None:
    attempt = await custody.attempt(custody.payout(1, ETHER))
    await custody.adapter.broadcast(attempt)
    for _ in range(9):
        custody.node.send(to="0x" + "77" * 20, value="0x1", gasPrice=hex(50 * GWEI))
    assert (await custody.adapter.confirm(attempt)).state is S.NOT_SEEN
    told = await custody.adapter.broadcast(attempt)
    assert (told.outcome, told.reason) == (BroadcastOutcome.REFUSED, "FEE_TOO_LOW")
    custody.node.mine()
    assert (await custody.adapter.confirm(attempt)).state is S.NOT_SEEN
    assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.ACCEPTED
    custody.node.mine(3)
    assert (await custody.adapter.confirm(attempt)).state is S.FINAL
    assert custody.node.balance(attempt.payouts[0].destination.text) == ETHER


@on_every_node
async def test_a_payout_below_a_base_fee_that_jumped_is_bumped_above_it(custody: Custody) -> None:
    attempt = await custody.attempt(custody.payout(1, ETHER))
    await custody.adapter.broadcast(attempt)
    custody.node.raise_base_fee(20 * GWEI)
    # Waiting, or thrown out: nodes differ, and it proves nothing either way.
    assert (await custody.adapter.confirm(attempt)).state in (S.IN_POOL, S.NOT_SEEN)
    bump = await custody.attempt(attempt.payouts[0], (parse_signed(attempt.raw).anchor,))
    assert (await custody.adapter.broadcast(bump)).outcome is BroadcastOutcome.ACCEPTED
    custody.node.mine(3)
    for one in (attempt, bump):
        found = await custody.adapter.confirm(one)
        assert (found.state, found.txid) == (S.FINAL, bump.txid)


@where(Ability.KEEPS_CHEAP)
async def test_a_payout_below_the_base_fee_waits_in_the_pool_and_is_mined_when_it_fell(
    custody: Custody,
) -> None:
    attempt = await custody.attempt(custody.payout(1, ETHER))
    await custody.adapter.broadcast(attempt)
    custody.node.raise_base_fee(5 * GWEI)
    custody.node.mine()
    assert (await custody.adapter.confirm(attempt)).state is S.IN_POOL
    custody.node.mine(10)
    assert (await custody.adapter.confirm(attempt)).state is S.FINAL
    assert custody.node.balance(attempt.payouts[0].destination.text) == ETHER
