"""Deposits gathered on TRON by the worker's job: help first, then the sweep, once each."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from runtime.errors import Unavailable
from tests.chains.tron.custody import TOKEN, Custody
from tests.chains.tron.gathered import DEPOSITED, ROUND_STEPS, SETTINGS, Gathered, gathered_of
from tests.wallets.tron.served import listen, open_node
from wallets.contract import AttemptId
from wallets.errors import Fenced, Stuck
from wallets.treasury import store
from wallets.tron.node_set import NodeSet
from wallets.tron.simulator.server import Node as SimulatedNode

pytestmark = pytest.mark.chains

LAG_BLOCKS = 8


@pytest.fixture
async def gathered(custody: Custody) -> AsyncIterator[Gathered]:
    async with AsyncExitStack() as stack:
        client = await open_node("g", custody.url, stack)
        nodes = NodeSet(custody.adapter.network.genesis_hash, [client], 1, lambda: 0.0)
        yield await gathered_of(custody, nodes)


async def test_t13_a_token_on_an_address_without_trx_gets_an_account_and_is_swept_once(
    gathered: Gathered,
) -> None:
    custody, (key, *_) = gathered.custody, gathered.keys
    await gathered.deposit(key, token=True)
    assert key not in custody.chain.head.state.accounts
    before = custody.received(custody.hot)[1]
    station_before = custody.received(gathered.station)[0]
    late, planned = gathered.job(), []
    # Each step is done by a worker that knows nothing of the one before.
    for _ in range(3 * ROUND_STEPS):
        planned += await gathered.run(gathered.job(), 1)
    assert planned == [1, 1]
    assert await gathered.attempts() == [("top_up", "final"), ("sweep", "final")]
    assert custody.received(custody.hot)[1] - before == DEPOSITED
    # Nothing is there any more, nothing is done again, and who lost the lease does nothing.
    assert await gathered.run(late, 3) == []
    await gathered.deposit(key, token=True)
    with pytest.raises(Fenced):
        await late.step(await gathered.hold() - 1)
    rows = await custody.database.read(
        "select kind, state from custody.attempt where kind = 'sweep'"
    )
    assert len(rows) == 1
    # The top-up was no deposit, and the book knows what the network took.
    deposits = await custody.database.read("select contract from custody.deposit")
    assert [row["contract"] for row in deposits] == [TOKEN, TOKEN]
    left = custody.received(key)[0]
    spent = station_before - custody.received(gathered.station)[0] - left
    assert await gathered.costs_sun() == spent


async def test_who_dies_between_two_plans_of_a_round_leaves_the_rest_to_the_next(
    gathered: Gathered, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in gathered.keys:
        await gathered.deposit(key, token=True)
    add, calls = store.add, []

    async def die_at_the_second(*arguments: Any) -> AttemptId:
        calls.append(arguments)
        if len(calls) == 2:
            raise Unavailable("died")
        return await add(*arguments)

    monkeypatch.setattr(store, "add", die_at_the_second)
    with pytest.raises(Unavailable):
        await gathered.job().step(await gathered.hold())
    assert await gathered.attempts() == [("top_up", "planned")]
    assert sum(await gathered.run(gathered.job(), 6 * ROUND_STEPS)) == 5
    kinds = [kind for kind, _ in await gathered.attempts()]
    assert sorted(kinds) == ["sweep"] * 3 + ["top_up"] * 3
    assert sum(gathered.custody.received(key)[1] for key in gathered.keys) == 0


async def test_trx_is_swept_to_its_last_sun_while_bandwidth_is_free(gathered: Gathered) -> None:
    custody, (key, dust, _) = gathered.custody, gathered.keys
    await gathered.deposit(key, token=False)
    await gathered.deposit(dust, token=False, amount_atoms=1)
    before = custody.received(custody.hot)[0]
    assert await gathered.run(gathered.job(), 2 * ROUND_STEPS) == [1]
    assert custody.received(key) == (0, 0)
    assert custody.received(custody.hot)[0] - before == DEPOSITED
    assert await gathered.costs_sun() == 0
    assert custody.received(dust) == (1, 0)


async def test_trx_that_a_tokens_sweep_needs_waits_until_the_token_went(
    gathered: Gathered,
) -> None:
    custody, (key, *_) = gathered.custody, gathered.keys
    await gathered.deposit(key, token=False)
    await gathered.deposit(key, token=True)
    assert await gathered.run(gathered.job(), 3 * ROUND_STEPS) == [1, 1]
    assert await gathered.attempts() == [("sweep", "final"), ("sweep", "final")]
    assert custody.received(key) == (0, 0)
    # Energy took some of the TRX: what is gone is not looked at again either.
    await gathered.run(gathered.job(), 2)
    left = await custody.database.read("select from custody.deposit where not is_gathered")
    assert left == []
    rows = await custody.database.read(
        "select asset_id from custody.treasury_transfer order by 1 desc"
    )
    assert [row["asset_id"] for row in rows] == [2, 1]


async def test_a_deposit_that_would_cost_too_much_stays_until_it_costs_less(
    gathered: Gathered,
) -> None:
    custody, (key, *_) = gathered.custody, gathered.keys
    await gathered.deposit(key, token=True)
    custody.chain.head.state.energy_factor = 30_000
    custody.chain.refill_pool()
    assert await gathered.run(gathered.job(), 3) == []
    custody.chain.head.state.energy_factor = 1_000
    custody.chain.refill_pool()
    assert await gathered.run(gathered.job(), 3 * ROUND_STEPS) == [1, 1]
    assert custody.received(key)[1] == 0


async def test_a_sweep_that_runs_out_of_energy_is_paid_for_and_tried_anew_a_few_times(
    gathered: Gathered,
) -> None:
    custody, (key, *_) = gathered.custody, gathered.keys
    await gathered.deposit(key, token=True)
    job = gathered.job()
    for _ in range(60):
        await gathered.run(job, 1)
        made = await gathered.attempts()
        # The factor rises between the trial run and the block, and falls before the next round.
        is_sent = made[-1:] == [("sweep", "signed")]
        custody.chain.head.state.energy_factor = 3_000 if is_sent else 1_000
        if not is_sent:
            custody.chain.refill_pool()
    failed = [one for one in await gathered.attempts() if one == ("sweep", "failed")]
    assert len(failed) == 3
    assert custody.received(key)[1] == DEPOSITED


async def test_a_replica_that_is_behind_lets_a_sweep_wait_and_repeats_none(
    gathered: Gathered,
) -> None:
    custody, (key, *_) = gathered.custody, gathered.keys
    behind = SimulatedNode(custody.chain, lag_blocks=LAG_BLOCKS)
    async with AsyncExitStack() as stack:
        clients = [
            await open_node("a", custody.url, stack),
            await open_node("b", await listen(behind, stack), stack),
        ]
        genesis_hash = custody.adapter.network.genesis_hash
        gathered.nodes = NodeSet(genesis_hash, clients, 1, lambda: 0.0)
        custody.mine(LAG_BLOCKS)
        await gathered.deposit(key, token=True)
        job = gathered.job()
        # One node has the token at the address, the other has not.
        assert await gathered.run(job, 2) == []
        custody.mine(LAG_BLOCKS)
        await gathered.run(job, 4 * LAG_BLOCKS)
    assert await gathered.attempts() == [("top_up", "final"), ("sweep", "final")]
    assert custody.received(key)[1] == 0


async def test_without_a_station_that_takes_no_payouts_nothing_moves(gathered: Gathered) -> None:
    await gathered.deposit(gathered.keys[0], token=True)
    await gathered.custody.database.write("update custody.tron_account set is_draining = false")
    with pytest.raises(Stuck, match="station"):
        await gathered.job().step(await gathered.hold())
    assert await gathered.attempts() == []


async def test_many_addresses_are_helped_within_the_budget_of_a_round(gathered: Gathered) -> None:
    custody = gathered.custody
    for key in gathered.keys:
        await gathered.deposit(key, token=True)
    narrow = type(SETTINGS)(SETTINGS.station, SETTINGS.minimum_atoms, steps_max=2)
    assert await gathered.run(gathered.job(narrow), 6 * ROUND_STEPS) == [2, 2, 1, 1]
    assert sum(custody.received(key)[1] for key in gathered.keys) == 0
