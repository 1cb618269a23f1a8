"""Payouts on a real node: planned, signed, sent, mined, replaced, reorganised, dead with proof."""

import json
import time
from contextlib import AsyncExitStack

import pytest

from tests.chains.conformance import SENT, losing_replies
from tests.chains.ethereum.conftest import code_of
from tests.chains.ethereum.custody import (
    ETHER,
    FEE_ATOMS_MAX,
    GWEI,
    Custody,
    network_of,
    settings_of,
)
from tests.chains.ethereum.development_node import CHAIN_ID
from tests.chains.ethereum.nodes import on_every_node
from wallets.contract import BroadcastOutcome, ConfirmationState, Death, Token
from wallets.errors import Condition, RefusedAddress, Rejected, Stuck
from wallets.ethereum.adapter import Ethereum
from wallets.ethereum.addresses import text_of
from wallets.ethereum.node_set import NodeSet
from wallets.ethereum.tokens import check_token
from wallets.ethereum.transactions import anchor_of, parse_signed

pytestmark = [pytest.mark.chains, on_every_node]

S = ConfirmationState
SET = "c293ea54"
BAN = "4c68f4a2"


async def test_ether_and_tokens_are_paid_and_final_after_three_blocks(custody: Custody) -> None:
    for payout in (custody.payout(1, ETHER), custody.payout(2, 5_000_000, token=True)):
        attempt = await custody.attempt(payout)
        assert (await custody.adapter.confirm(attempt)).state is S.NOT_SEEN
        assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.ACCEPTED
        assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.KNOWN
        assert (await custody.adapter.confirm(attempt)).state is S.IN_POOL
        custody.node.mine()
        mined = await custody.adapter.confirm(attempt)
        assert (mined.state, mined.confirmations) == (S.MINED, 1)
        assert mined.block is not None
        moves = await custody.moved(mined.block.height, payout.destination.key)
        assert [(move.txid, move.amount_atoms) for move in moves] == [
            (attempt.txid, payout.amount_atoms)
        ]
        custody.node.mine(2)
        paid = await custody.adapter.confirm(attempt)
        assert paid.state is S.FINAL
        assert 0 < paid.fee_atoms <= attempt.fee_atoms_max
    assert custody.node.balance(text_of(custody.payout(1, 1).destination.key)) == ETHER
    assert custody.tokens_of(custody.payout(2, 1).destination.key) == 5_000_000


async def test_a_contract_that_needs_more_gas_than_an_account_is_paid(custody: Custody) -> None:
    passer = custody.node.deploy(code_of("Passer"))
    payout = custody.payout(1, ETHER)
    address = text_of(bytes.fromhex(passer[2:]))
    payout = type(payout)(
        payout.withdrawal_id, custody.adapter.parse_address(address), payout.token, ETHER
    )
    attempt = await custody.attempt(payout)
    assert parse_signed(attempt.raw).gas_limit > 21_000
    await custody.adapter.broadcast(attempt)
    custody.node.mine(3)
    assert (await custody.adapter.confirm(attempt)).state is S.FINAL
    assert custody.node.balance(passer) == ETHER


async def test_e3_a_nonce_on_its_way_is_no_other_payouts_though_no_node_knows_it(
    custody: Custody,
) -> None:
    attempts = [await custody.attempt(custody.payout(number, 10)) for number in range(1, 7)]
    for attempt in attempts[:5]:
        await custody.adapter.broadcast(attempt)
    # The sixth never reached a node: asked for the next nonce, the node would name the sixth's.
    custody.node.settle()
    pending = custody.node.call("eth_getTransactionCount", text_of(custody.lane), "pending")
    assert int(pending, 16) == 5
    later = await custody.attempt(custody.payout(7, 10))
    assert parse_signed(later.raw).nonce == 6
    for attempt in (later, attempts[5]):
        await custody.adapter.broadcast(attempt)
    custody.node.mine(3)
    for attempt in (*attempts, later):
        assert (await custody.adapter.confirm(attempt)).state is ConfirmationState.FINAL


async def test_e4_a_lost_reply_is_looked_up_and_paid_once(custody: Custody) -> None:
    attempt = await custody.attempt(custody.payout(1, ETHER))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(losing_replies(custody.node.call))
        node = await stack.enter_async_context(custody.node.node("proxy", url))
        network = network_of(custody.node)
        nodes = NodeSet(CHAIN_ID, network.genesis_hash, [node], 1, time.monotonic)
        adapter = Ethereum(network, nodes, custody.database, settings_of(custody.token))
        sent = await adapter.broadcast(attempt)
        assert (sent.outcome, sent.reason) == (BroadcastOutcome.UNKNOWN, "NO_ANSWER")
        assert (await adapter.confirm(attempt)).state is S.IN_POOL
    again = await custody.adapter.broadcast(attempt)
    assert again.outcome is BroadcastOutcome.KNOWN
    custody.node.mine(3)
    assert (await custody.adapter.confirm(attempt)).state is S.FINAL
    assert custody.node.balance(attempt.payouts[0].destination.text) == ETHER


async def test_e2_a_nonce_that_was_left_is_the_next_payouts(custody: Custody) -> None:
    left = await custody.plan(custody.payout(1, ETHER))
    custody.owned.update(left.inputs)
    later = await custody.attempt(custody.payout(2, ETHER))
    await custody.adapter.broadcast(later)
    custody.node.mine()
    assert (await custody.adapter.confirm(later)).state is S.IN_POOL
    custody.owned.difference_update(left.inputs)
    filling = await custody.attempt(custody.payout(3, ETHER))
    assert parse_signed(filling.raw).anchor == left.inputs[0]
    await custody.adapter.broadcast(filling)
    custody.node.mine(3)
    for attempt in (filling, later):
        assert (await custody.adapter.confirm(attempt)).state is S.FINAL


async def test_a_gap_without_a_payout_is_filled_with_nothing(custody: Custody) -> None:
    gap = anchor_of(custody.lane, 0)
    custody.owned.add(gap)
    later = await custody.attempt(custody.payout(2, ETHER))
    await custody.adapter.broadcast(later)
    plan = await custody.adapter.build_empty(custody.intent_id(), gap, FEE_ATOMS_MAX)
    await custody.adapter.broadcast(await custody.store(plan, None))
    custody.node.mine(3)
    assert (await custody.adapter.confirm(later)).state is S.FINAL


async def test_a_bump_raises_both_fees_and_whichever_is_mined_settles_both(
    custody: Custody,
) -> None:
    payout = custody.payout(1, ETHER)
    first = await custody.attempt(payout)
    anchor = parse_signed(first.raw).anchor
    await custody.adapter.broadcast(first)
    bumped = await custody.attempt(payout, (anchor,))
    before, after = parse_signed(first.raw), parse_signed(bumped.raw)
    assert after.nonce == before.nonce
    assert after.max_fee_per_gas_atoms * 10 >= before.max_fee_per_gas_atoms * 11
    assert after.priority_fee_per_gas_atoms * 10 >= before.priority_fee_per_gas_atoms * 11
    # The bump is never sent: the first one wins, and answers for both.
    custody.node.mine(3)
    for attempt in (first, bumped):
        found = await custody.adapter.confirm(attempt)
        assert (found.state, found.txid) == (S.FINAL, first.txid)


async def test_a_cancelled_payout_is_dead_with_the_cancel_as_proof_and_paid_anew(
    custody: Custody,
) -> None:
    payout = custody.payout(1, ETHER)
    attempt = await custody.attempt(payout)
    anchor = parse_signed(attempt.raw).anchor
    plan = await custody.adapter.build_empty(custody.intent_id(), anchor, FEE_ATOMS_MAX)
    cancel = await custody.store(plan, None)
    await custody.adapter.broadcast(attempt)
    assert (await custody.adapter.broadcast(cancel)).outcome is BroadcastOutcome.ACCEPTED
    custody.node.mine(2)
    assert (await custody.adapter.confirm(attempt)).state is S.NOT_SEEN
    custody.node.mine(1)
    dead = await custody.adapter.confirm(attempt)
    assert dead.state is S.DEAD
    assert json.loads(dead.proof)["transaction"]["hash"] == "0x" + cancel.txid
    with pytest.raises(Rejected, match="WOULD_PAY_TWICE"):
        await custody.attempt(payout)
    again = await custody.attempt(payout, dead=[Death(attempt.txid, dead.proof)])
    await custody.adapter.broadcast(again)
    custody.node.mine(3)
    assert (await custody.adapter.confirm(again)).state is S.FINAL
    assert custody.node.balance(payout.destination.text) == ETHER


async def test_e8_a_payout_reorganised_out_is_sent_again_as_the_same_bytes(
    custody: Custody,
) -> None:
    attempt = await custody.attempt(custody.payout(1, ETHER))
    await custody.adapter.broadcast(attempt)
    custody.node.mine(3)
    assert (await custody.adapter.confirm(attempt)).state is S.FINAL
    custody.node.reorganise(3)
    assert (await custody.adapter.confirm(attempt)).state in (S.NOT_SEEN, S.IN_POOL)
    assert (await custody.adapter.broadcast(attempt)).outcome in SENT
    custody.node.mine(3)
    assert (await custody.adapter.confirm(attempt)).state is S.FINAL
    assert custody.node.balance(attempt.payouts[0].destination.text) == ETHER


async def test_e8_a_payout_that_other_blocks_hold_too_is_confirmed_by_those_alone(
    custody: Custody,
) -> None:
    attempt = await custody.attempt(custody.payout(1, ETHER))
    await custody.adapter.broadcast(attempt)
    custody.node.mine(2)
    before = await custody.adapter.confirm(attempt)
    assert before.state is S.MINED
    custody.node.reorganise(2, [attempt.raw])
    after = await custody.adapter.confirm(attempt)
    assert after.state is S.MINED
    assert after.block is not None
    assert after.block != before.block
    custody.node.mine(3)
    final = await custody.adapter.confirm(attempt)
    assert (final.state, final.block) == (S.FINAL, after.block)
    assert custody.node.balance(attempt.payouts[0].destination.text) == ETHER


async def test_e9_a_token_that_fails_when_mined_is_failed_once_final(custody: Custody) -> None:
    attempt = await custody.attempt(custody.payout(1, 1_000, token=True))
    custody.call_token(BAN, int.from_bytes(custody.lane), 1)
    custody.node.mine()
    await custody.adapter.broadcast(attempt)
    custody.node.mine()
    assert (await custody.adapter.confirm(attempt)).state is S.MINED
    custody.node.mine(2)
    failed = await custody.adapter.confirm(attempt)
    assert failed.state is S.FAILED
    assert failed.proof
    assert failed.fee_atoms > 0


@pytest.mark.parametrize("words", [(1, 0, 0, 0), (0, 1, 0, 0)], ids=["paused", "says no"])
async def test_e14_a_token_that_will_not_pay_is_suspended_and_ether_goes_on(
    custody: Custody, words: tuple[int, ...]
) -> None:
    custody.call_token(SET, *words)
    custody.node.mine()
    with pytest.raises(Stuck) as stuck:
        await custody.attempt(custody.payout(1, 1_000, token=True))
    assert stuck.value.condition is Condition.ASSET_SUSPENDED
    attempt = await custody.attempt(custody.payout(2, ETHER))
    assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.ACCEPTED


@pytest.mark.parametrize("words", [(0, 1, 0, 0), (0, 0, 1, 0)], ids=["says no", "says nothing"])
async def test_e12_a_success_without_a_transfer_waits_for_people(
    custody: Custody, words: tuple[int, ...]
) -> None:
    attempt = await custody.attempt(custody.payout(1, 1_000, token=True))
    custody.call_token(SET, *words)
    custody.node.mine()
    await custody.adapter.broadcast(attempt)
    custody.node.mine(3)
    with pytest.raises(Stuck) as stuck:
        await custody.adapter.confirm(attempt)
    assert stuck.value.condition is Condition.ASSET_SUSPENDED


async def test_a_lane_takes_sixteen_payouts_and_no_more_than_it_holds(custody: Custody) -> None:
    for number in range(16):
        await custody.attempt(custody.payout(number, 1_000))
    with pytest.raises(Stuck) as stuck:
        await custody.plan(custody.payout(17, 1_000))
    assert stuck.value.condition is Condition.PINNED
    with pytest.raises(Stuck) as stuck:
        await custody.plan(custody.payout(18, 11 * ETHER))
    assert stuck.value.condition is Condition.HOT_WALLET_UNFUNDED


async def test_a_base_fee_above_the_ceiling_waits_by_name(custody: Custody) -> None:
    custody.node.raise_base_fee(200 * GWEI)
    with pytest.raises(Stuck) as stuck:
        await custody.plan(custody.payout(1, ETHER))
    assert stuck.value.condition is Condition.AT_CEILING


async def test_an_address_of_a_lane_is_never_paid(custody: Custody) -> None:
    payout = custody.payout(1, ETHER)
    own = custody.adapter.parse_address(text_of(custody.lane))
    with pytest.raises(RefusedAddress, match="OWN_ADDRESS"):
        await custody.adapter.highest_fee(
            type(payout)(payout.withdrawal_id, own, payout.token, ETHER)
        )


async def test_e7_a_cancel_that_a_reorganisation_takes_back_leaves_the_payout_to_win(
    custody: Custody,
) -> None:
    attempt = await custody.attempt(custody.payout(1, ETHER))
    anchor = parse_signed(attempt.raw).anchor
    plan = await custody.adapter.build_empty(custody.intent_id(), anchor, FEE_ATOMS_MAX)
    cancel = await custody.store(plan, None)
    await custody.adapter.broadcast(cancel)
    custody.node.mine(2)
    assert (await custody.adapter.confirm(cancel)).state is S.MINED
    custody.node.reorganise(2, [attempt.raw])
    custody.node.mine(3)
    assert (await custody.adapter.confirm(attempt)).state is S.FINAL
    assert (await custody.adapter.confirm(cancel)).state is S.DEAD
    assert custody.node.balance(attempt.payouts[0].destination.text) == ETHER


async def test_a_failed_receipt_that_a_reorganisation_turns_into_a_success_pays_once(
    custody: Custody,
) -> None:
    payout = custody.payout(1, 1_000, token=True)
    attempt = await custody.attempt(payout)
    custody.call_token(BAN, int.from_bytes(custody.lane), 1)
    custody.node.mine()
    await custody.adapter.broadcast(attempt)
    custody.node.mine()
    found = await custody.adapter.confirm(attempt)
    assert found.state is S.MINED
    # The ban is gone with its block; the same bytes are mined again without it.
    custody.node.reorganise(2, [attempt.raw])
    custody.node.mine(3)
    assert (await custody.adapter.confirm(attempt)).state is S.FINAL
    assert custody.tokens_of(payout.destination.key) == 1_000


@pytest.mark.parametrize(
    ("decimals", "address", "reason"),
    [(18, "token", "DECIMALS_DIFFER"), (6, "nobody", "NO_CONTRACT"), (6, "passer", "NO_DECIMALS")],
)
async def test_a_token_that_is_not_what_its_listing_says_is_refused(
    custody: Custody, decimals: int, address: str, reason: str
) -> None:
    passer = bytes.fromhex(custody.node.deploy(code_of("Passer"))[2:])
    contract = {"token": custody.token, "nobody": b"\x77" * 20, "passer": passer}[address]
    nodes, tip = custody.adapter._nodes, await custody.adapter.tip()
    await check_token(nodes, Token(2, custody.token, 6), tip)
    with pytest.raises(Rejected, match=reason):
        await check_token(nodes, Token(2, contract, decimals), tip)
