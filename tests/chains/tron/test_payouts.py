"""What a payout on TRON may cost, when it waits, and what no answer of a node may decide."""

from contextlib import AsyncExitStack
from copy import deepcopy

import pytest

from runtime.errors import Unavailable
from tests.chains.tron.custody import TOKEN, TRX, Custody
from tests.wallets.tron.served import listen, open_node
from wallets.contract import BroadcastOutcome, ConfirmationState
from wallets.errors import Condition, Stuck
from wallets.tron import limits
from wallets.tron.adapter import Tron, TronSettings
from wallets.tron.node_set import NodeSet
from wallets.tron.simulator.parameters import SLOT_MILLISECONDS
from wallets.tron.simulator.server import Node as SimulatedNode

pytestmark = pytest.mark.chains

PAID = 7 * TRX
KEPT_BLOCKS = 20


async def test_t7_an_empty_holder_costs_more_than_one_who_holds(custody: Custody) -> None:
    empty = await custody.plan(custody.payout(1, PAID, token=True))
    holder = custody.payout(2, PAID, token=True)
    custody.chain.pool_state.tokens[TOKEN][holder.destination.key] = 1
    held = await custody.plan(holder)
    assert held.fee_atoms_max < empty.fee_atoms_max < 2 * TRX + 2 * held.fee_atoms_max


async def test_t6_an_estimate_above_the_ceiling_waits(custody: Custody) -> None:
    custody.chain.pool_state.energy_factor = 30_000
    with pytest.raises(Stuck) as stuck:
        await custody.plan(custody.payout(1, PAID, token=True))
    assert stuck.value.condition is Condition.AT_CEILING


async def test_a_transfer_whose_trial_run_fails_is_not_signed(custody: Custody) -> None:
    custody.chain.pool_state.tokens[TOKEN][custody.hot] = 0
    with pytest.raises(Stuck) as stuck:
        await custody.plan(custody.payout(1, PAID, token=True))
    assert stuck.value.condition is Condition.ASSET_SUSPENDED


@pytest.mark.parametrize("token", [True, False])
async def test_what_the_solid_balance_does_not_hold_waits(custody: Custody, *, token: bool) -> None:
    with pytest.raises(Stuck) as stuck:
        await custody.plan(custody.payout(1, 10**13, token=token))
    assert stuck.value.condition is Condition.HOT_WALLET_UNFUNDED


async def test_t15_a_duplicate_of_what_was_refused_is_no_success(custody: Custody) -> None:
    attempt = await custody.attempt(custody.payout(1, PAID))
    custody.chain.faults.cache_refused = True
    account = custody.chain.pool_state.accounts.pop(custody.hot)
    assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.REFUSED
    custody.chain.pool_state.accounts[custody.hot] = account
    assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.KNOWN
    custody.mine(3)
    assert (await custody.adapter.confirm(attempt)).state is ConfirmationState.NOT_SEEN


async def test_heads_of_two_branches_say_nothing_until_a_block_is_solid(custody: Custody) -> None:
    attempt = await custody.attempt(custody.payout(1, PAID))
    await custody.adapter.broadcast(attempt)
    branch = deepcopy(custody.chain)
    branch.forks += 1
    async with AsyncExitStack() as stack:
        url = await listen(SimulatedNode(branch), stack)
        clients = [
            await open_node("a", custody.url, stack),
            await open_node("b", url, stack),
        ]
        nodes = NodeSet(custody.chain.blocks[0].block_hash, clients, 2, lambda: 0.0)
        settings = TronSettings(frozenset({TOKEN}))
        adapter = Tron(custody.adapter.network, nodes, custody.database, settings)
        custody.mine()
        branch.make_block()
        with pytest.raises(Unavailable):
            await adapter.confirm(attempt)


@pytest.mark.parametrize("is_open", [True, False])
async def test_ids_are_kept_while_an_old_attempt_may_still_need_them(
    custody: Custody, monkeypatch: pytest.MonkeyPatch, *, is_open: bool
) -> None:
    monkeypatch.setattr(limits, "SCAN_KEPT_MILLISECONDS", KEPT_BLOCKS * SLOT_MILLISECONDS)
    if is_open:
        await custody.attempt(custody.payout(1, PAID))
        await custody.database.write("update custody.attempt set created_at = '-infinity'")
    custody.mine(100)
    await custody.follow()
    rows = await custody.database.read("select min(height) as first from custody.tron_scan")
    assert rows[0]["first"] == (0 if is_open else 100 - KEPT_BLOCKS)


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_t15_a_host_whose_clock_is_off_pays_all_the_same(
    custody: Custody, minutes: int
) -> None:
    custody.clock.wall_time_ns += minutes * 60 * 10**9
    attempt = await custody.attempt(custody.payout(1, PAID))
    assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.ACCEPTED
    custody.mine()
    assert custody.received(custody.payout(1, PAID).destination.key) == (PAID, 0)


async def test_t15_a_lost_fork_voids_nothing_that_was_signed(custody: Custody) -> None:
    attempt = await custody.attempt(custody.payout(1, PAID))
    custody.chain.switch_fork(custody.chain.head.height - custody.chain.solid_height, keep=False)
    assert (await custody.adapter.broadcast(attempt)).outcome is BroadcastOutcome.ACCEPTED
    custody.mine()
    assert custody.received(custody.payout(1, PAID).destination.key) == (PAID, 0)
