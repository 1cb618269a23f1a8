"""Payouts on a real node: planned, signed, sent, mined, replaced, reorganised, dead with proof."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from pydantic import SecretStr

from tests.chains.bitcoin.custody import SETTINGS, Custody, payout_of
from tests.chains.bitcoin.regtest import Regtest
from tests.chains.bitcoin.signing import script_at
from wallets.bitcoin.addresses import address_of
from wallets.bitcoin.fees import FeePolicy
from wallets.bitcoin.networks import REGTEST
from wallets.bitcoin.node import Node, NodeSettings
from wallets.bitcoin.scripts import ScriptKind
from wallets.bitcoin.wire import parse_transaction
from wallets.contract import (
    BroadcastOutcome,
    ConfirmationState,
)
from wallets.errors import Condition, Stuck

pytestmark = pytest.mark.chains


async def test_b13_a_batch_to_every_kind_of_script_is_mined_under_our_own_id(
    custody: Custody,
) -> None:
    kinds = list(ScriptKind)
    payouts = [
        payout_of(custody, kind, 10_000_000 + place, place + 1) for place, kind in enumerate(kinds)
    ]
    attempt = await custody.attempt(payouts)
    told = custody.regtest.call("decoderawtransaction", attempt.raw.hex())
    assert attempt.txid == told["txid"]
    assert await custody.state(attempt) is ConfirmationState.NOT_SEEN
    first, again = [await custody.adapter.broadcast(attempt) for _ in range(2)]
    assert first.outcome is BroadcastOutcome.ACCEPTED
    assert again.outcome in (BroadcastOutcome.ACCEPTED, BroadcastOutcome.KNOWN)
    pool = custody.regtest.call("getmempoolentry", attempt.txid)
    assert round(pool["fees"]["base"] * 100_000_000) == attempt.fee_atoms_max
    assert attempt.fee_atoms_max * 1_000 >= 2_000 * pool["vsize"]
    assert await custody.state(attempt) is ConfirmationState.IN_POOL
    await custody.mine(1)
    mined = await custody.adapter.confirm(attempt)
    assert (mined.state, mined.confirmations) == (ConfirmationState.MINED, 1)
    assert parse_transaction(mined.proof).txid() == attempt.txid
    late = await custody.adapter.broadcast(attempt)
    assert late.outcome is BroadcastOutcome.KNOWN
    await custody.mine(2)
    assert await custody.state(attempt) is ConfirmationState.FINAL
    outputs = {one.script: one.amount_atoms for one in parse_transaction(attempt.raw).outputs}
    for payout in payouts:
        assert outputs[payout.destination.key] == payout.amount_atoms


async def test_b10_the_replaced_attempt_is_mined_after_all_and_its_sibling_is_dead(
    custody: Custody,
) -> None:
    payouts = [payout_of(custody, ScriptKind.P2WPKH, 30_000_000)]
    first = await custody.attempt(payouts)
    anchor = parse_transaction(first.raw).inputs[0].outpoint
    assert (await custody.adapter.broadcast(first)).outcome is BroadcastOutcome.ACCEPTED
    fees = FeePolicy(1_000, 40_000, 50_000, 5_000, 6)
    custody.settings(replace(SETTINGS, fees=fees))
    second = await custody.attempt(payouts, must_use=(anchor,))
    assert (await custody.adapter.broadcast(second)).outcome is BroadcastOutcome.ACCEPTED
    assert await custody.state(first) is ConfirmationState.NOT_SEEN
    assert await custody.state(second) is ConfirmationState.IN_POOL
    custody.regtest.mine_with(first.raw.hex())
    await custody.scan()
    assert await custody.state(first) is ConfirmationState.MINED
    # Not while the block that holds its sibling can still go.
    assert await custody.state(second) is ConfirmationState.NOT_SEEN
    refused = await custody.adapter.broadcast(second)
    assert (refused.outcome, refused.reason) == (BroadcastOutcome.REFUSED, "INPUTS_GONE")
    with pytest.raises(Stuck) as stuck:
        await custody.attempt(payouts, must_use=(anchor,))
    assert stuck.value.condition is Condition.PINNED
    await custody.mine(2)
    assert await custody.state(first) is ConfirmationState.FINAL
    dead = await custody.adapter.confirm(second)
    assert (dead.state, dead.txid) == (ConfirmationState.DEAD, first.txid)
    proof = parse_transaction(dead.proof)
    assert proof.txid() == first.txid
    assert anchor in [one.outpoint for one in proof.inputs]


async def test_b1_a_lost_reply_is_unknown_and_the_same_bytes_pay_once(custody: Custody) -> None:
    attempt = await custody.attempt([payout_of(custody, ScriptKind.P2WPKH, 30_000_000)])
    async with losing_replies(custody.regtest) as url:
        lossy = Node(NodeSettings("lossy", url, "test", SecretStr("test")))
        async with lossy:
            sent = await lossy.broadcast(attempt.raw)
    assert (sent.outcome, sent.reason) == (BroadcastOutcome.UNKNOWN, "NO_ANSWER")
    assert await custody.state(attempt) is ConfirmationState.IN_POOL
    again = await custody.adapter.broadcast(attempt)
    assert again.outcome in (BroadcastOutcome.ACCEPTED, BroadcastOutcome.KNOWN)
    await custody.mine(1)
    block = await custody.adapter.read_block(103)
    key = attempt.payouts[0].destination.key
    assert [move.txid for move in block.movements if move.key == key] == [attempt.txid]


@asynccontextmanager
async def losing_replies(regtest: Regtest) -> AsyncIterator[str]:
    """A proxy that hands every call to the node and drops the answer."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.json()
        await asyncio.to_thread(regtest.call, body["method"], *body["params"])
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    application = web.Application()
    application.router.add_post("/", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_b3_a_payout_mined_again_in_another_block_is_that_blocks(custody: Custody) -> None:
    attempt = await custody.attempt([payout_of(custody, ScriptKind.P2WPKH, 30_000_000)])
    await custody.adapter.broadcast(attempt)
    await custody.mine(2)
    first = await custody.adapter.confirm(attempt)
    assert first.block is not None
    before = await hot_coins(custody)
    custody.regtest.call("invalidateblock", first.block.block_hash)
    custody.regtest.mine_with()
    custody.regtest.mine_with(attempt.raw.hex())
    await custody.mine(1)
    again = await custody.adapter.confirm(attempt)
    assert again.block is not None
    assert (again.block.height, again.confirmations) == (first.block.height + 1, 2)
    assert again.block.block_hash != first.block.block_hash
    assert sorted(await hot_coins(custody)) == sorted(before)


async def test_a_bump_pays_for_what_it_evicts_until_the_ceiling(custody: Custody) -> None:
    payouts = [payout_of(custody, ScriptKind.P2WPKH, 30_000_000)]
    first = await custody.attempt(payouts)
    anchor = parse_transaction(first.raw).inputs[0].outpoint
    assert (await custody.adapter.broadcast(first)).outcome is BroadcastOutcome.ACCEPTED
    # One more payout rides along: the replacement is larger than what it evicts.
    payouts.append(payout_of(custody, ScriptKind.P2TR, 80_000_000, 2))
    attempts = [first]
    for _ in range(3):
        bumped = await custody.attempt(payouts, must_use=(anchor,))
        assert bumped.fee_atoms_max > attempts[-1].fee_atoms_max
        assert (await custody.adapter.broadcast(bumped)).outcome is BroadcastOutcome.ACCEPTED
        attempts.append(bumped)
    assert custody.regtest.call("getrawmempool") == [attempts[-1].txid]
    custody.settings(replace(SETTINGS, fees=FeePolicy(1_000, 2_000, 4_000, 5_000, 6)))
    with pytest.raises(Stuck) as stuck:
        await custody.attempt(payouts, must_use=(anchor,))
    assert stuck.value.condition is Condition.AT_CEILING
    await custody.mine(3)
    states = [await custody.state(attempt) for attempt in attempts]
    assert states == [ConfirmationState.DEAD] * 3 + [ConfirmationState.FINAL]


async def test_a_payout_reorganised_out_is_sent_again_as_the_same_bytes(custody: Custody) -> None:
    attempt = await custody.attempt([payout_of(custody, ScriptKind.P2TR, 20_000_000)])
    await custody.adapter.broadcast(attempt)
    await custody.mine(1)
    assert await custody.state(attempt) is ConfirmationState.MINED
    custody.regtest.call("invalidateblock", custody.scanned[-1])
    custody.regtest.mine_with()
    await custody.scan()
    assert await custody.state(attempt) in (ConfirmationState.IN_POOL, ConfirmationState.NOT_SEEN)
    sent = await custody.adapter.broadcast(attempt)
    assert sent.outcome in (BroadcastOutcome.ACCEPTED, BroadcastOutcome.KNOWN)
    await custody.mine(3)
    assert await custody.state(attempt) is ConfirmationState.FINAL


async def test_b12_owned_coins_are_never_planned_twice(custody: Custody) -> None:
    owned: tuple[str, ...] = ()
    for seed in (1, 2, 3):
        payouts = [payout_of(custody, ScriptKind.P2WPKH, 60_000_000, seed)]
        attempt = await custody.attempt(payouts, owned=owned)
        inputs = [one.outpoint for one in parse_transaction(attempt.raw).inputs]
        assert not set(inputs) & set(owned)
        owned += tuple(inputs)
        assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.ACCEPTED
    with pytest.raises(Stuck) as stuck:
        await custody.attempt([payout_of(custody, ScriptKind.P2WPKH, 1_000)], owned=owned)
    assert stuck.value.condition is Condition.HOT_WALLET_UNFUNDED
    await custody.mine(1)
    # Change pays again as soon as it is mined, and only then.
    await custody.attempt([payout_of(custody, ScriptKind.P2WPKH, 100_000_000)], owned=owned)


async def test_b15_mined_coins_are_not_spent_before_they_may_be(custody: Custody) -> None:
    ours = [f"{txid}:{index}" for txid, index in await hot_coins(custody)]
    custody.regtest.mine(1, address_of(script_at("hot", 0), REGTEST))
    await custody.mine(98)
    with pytest.raises(Stuck):
        await custody.attempt(
            [payout_of(custody, ScriptKind.P2WPKH, 200_000_000)], owned=tuple(ours)
        )
    await custody.mine(1)
    attempt = await custody.attempt(
        [payout_of(custody, ScriptKind.P2WPKH, 200_000_000)], owned=tuple(ours)
    )
    assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.ACCEPTED


async def hot_coins(custody: Custody) -> list[tuple[str, str]]:
    rows = await custody.database.read("select outpoint from custody.bitcoin_coin")
    return [tuple(row[0].split(":")) for row in rows]


async def test_a_payout_is_not_final_before_our_own_scan_has_its_block(custody: Custody) -> None:
    attempt = await custody.attempt([payout_of(custody, ScriptKind.P2WPKH, 10_000_000)])
    await custody.adapter.broadcast(attempt)
    custody.regtest.mine(SETTINGS.final_depth)
    # What it spends still looks free: an end now would give it to another plan.
    assert await custody.state(attempt) is ConfirmationState.MINED
    await custody.scan()
    assert await custody.state(attempt) is ConfirmationState.FINAL
