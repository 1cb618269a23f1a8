"""Workers of one chain share its lanes by leases, and a plan under a lost lease is refused."""

import asyncio
from dataclasses import dataclass

import pytest

from tests.chains.ethereum.custody import ETHER, Custody, policy_of, settings_of
from tests.chains.ethereum.test_pipeline import StoredApprover, request, states
from tests.chains.real_signer import NETWORK_ID, SEEDS
from tests.wallets.core.memory_chain import SHARD, SOURCE_ID, MemoryEngine
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.errors import Condition
from wallets.ethereum.adapter import Ethereum
from wallets.ethereum.addresses import account_at, parse_branch, text_of
from wallets.ethereum.lane_leases import LaneLeases

pytestmark = pytest.mark.chains


@dataclass
class Worker:
    """A whole worker as far as payouts go: its leases, its adapter, its pipeline."""

    name: str
    leases: LaneLeases
    pipeline: Pipeline

    async def renew(self) -> int:
        """How many lanes it has after it."""
        await self.leases.renew(self.name)
        return len(self.leases._held)


def worker(custody: Custody, name: str) -> Worker:
    leases = LaneLeases(custody.database, NETWORK_ID)
    adapter = Ethereum(
        custody.adapter.network,
        custody.adapter._nodes,
        custody.database,
        settings_of(custody.token),
        leases,
    )
    store = Store(custody.database, NETWORK_ID, name)
    approver = StoredApprover(custody.database)
    return Worker(name, leases, Pipeline(store, adapter, approver, custody.signer))


@pytest.fixture
async def engine(custody: Custody) -> MemoryEngine:
    """The chain has a second lane with ether."""
    await custody.database.write("insert into custody.source values ($1, 1, $2)", SOURCE_ID, SHARD)
    branch = SEEDS.branch_key(policy_of(custody.token).network(NETWORK_ID), "hot")
    second = account_at(parse_branch(branch), 1)
    custody.node.give(text_of(second), 10 * ETHER)
    custody.node.mine()
    await custody.database.write(
        "insert into custody.ethereum_lane values (1, $1, 'hot', 1, false)", second
    )
    return MemoryEngine(custody.database)


async def pass_time(custody: Custody) -> None:
    """Pauses and claims are over; leases are not."""
    await custody.database.write(
        "update custody.payout set not_before = '-infinity', claim_expires_at = '-infinity'"
    )


async def expire_leases(custody: Custody, owner: str) -> None:
    """As when the clock went on while a worker slept."""
    await custody.database.write(
        "update custody.lease set expires_at = '-infinity' where owner = $1", owner
    )


async def step_until(custody: Custody, engine: MemoryEngine, one: Worker, state: str) -> None:
    """By this worker only, without blocks."""
    for _ in range(20):
        if await states(custody.database) == [state]:
            return
        await pass_time(custody)
        await one.pipeline.step()
        await engine.apply()
    raise AssertionError(await states(custody.database))


async def test_two_workers_have_a_lane_each_and_one_has_both_when_the_other_is_gone(
    custody: Custody, engine: MemoryEngine
) -> None:
    first, second = worker(custody, "first"), worker(custody, "second")
    assert await first.renew() == 2
    # The second asks, the first makes room, the second takes it.
    assert await second.renew() == 0
    assert (await first.renew(), await second.renew()) == (1, 1)
    assert first.leases._held.keys().isdisjoint(second.leases._held)
    await second.leases.hand_over("second")
    assert (await first.renew(), second.leases.has_any) == (2, False)
    # A third finds all lanes taken; the first dies, and nobody tells.
    third = worker(custody, "third")
    assert await third.renew() == 0
    await expire_leases(custody, "first")
    assert await third.renew() == 2
    names = await custody.database.read("select name from custody.lease where name like 'lane w%'")
    assert [row["name"] for row in names] == ["lane workers/1/third"]


async def test_a_frozen_worker_s_late_plan_is_refused_and_the_next_one_pays_once(
    custody: Custody, engine: MemoryEngine
) -> None:
    frozen, awake = worker(custody, "frozen"), worker(custody, "awake")
    await frozen.renew()
    await engine.request(request(custody, 1, 1, 10**8))
    await step_until(custody, engine, frozen, "started")
    # It has the approval, and is about to plan when it freezes; the others get its lanes.
    await pass_time(custody)
    await expire_leases(custody, "frozen")
    assert await awake.renew() == 2
    (before,) = await custody.database.read("select fencing_token from custody.payout")
    assert await frozen.pipeline.step()
    assert await states(custody.database) == ["started"]
    assert not await custody.database.read("select from custody.attempt")
    assert not await custody.database.read("select from custody.owned_input")
    # It had the claim and gave it back without a condition: nobody waits for its end.
    (row,) = await custody.database.read(
        "select fencing_token, claimed_by, condition from custody.payout"
    )
    assert (row["fencing_token"] - before["fencing_token"], row["claimed_by"]) == (1, "")
    assert row["condition"] == ""
    await step_until(custody, engine, awake, "broadcasting")
    for _ in range(8):
        custody.node.mine()
        await pass_time(custody)
        await awake.pipeline.step()
        await engine.apply()
    assert await states(custody.database) == ["settled"]
    assert custody.node.balance(custody.payout(1, 1).destination.text) == ETHER


async def test_a_worker_without_lanes_leaves_plans_to_others_and_follows_what_is_planned(
    custody: Custody, engine: MemoryEngine
) -> None:
    planner, other = worker(custody, "planner"), worker(custody, "other")
    await planner.renew()
    await engine.request(request(custody, 1, 1, 10**8))
    await step_until(custody, engine, other, "started")
    await pass_time(custody)
    assert not await other.pipeline.step()
    await step_until(custody, engine, planner, "built")
    await step_until(custody, engine, other, "broadcasting")


async def test_what_only_another_worker_s_lane_can_pay_is_left_to_it(
    custody: Custody, engine: MemoryEngine
) -> None:
    poor, rich = worker(custody, "poor"), worker(custody, "rich")
    await poor.renew()
    await rich.renew()
    await poor.renew()
    await rich.renew()
    (account,) = poor.leases._held
    custody.node.give(text_of(account), ETHER // 2)
    custody.node.mine()
    await engine.request(request(custody, 1, 1, 10**8))
    await step_until(custody, engine, poor, "started")
    for _ in range(3):
        await pass_time(custody)
        await poor.pipeline.step()
        assert await states(custody.database) == ["started"]
    (row,) = await custody.database.read("select condition from custody.payout")
    assert row["condition"] == ""
    (account,) = rich.leases._held
    custody.node.give(text_of(account), ETHER // 2)
    custody.node.mine()
    await pass_time(custody)
    await poor.pipeline.step()
    (row,) = await custody.database.read("select condition from custody.payout")
    assert row["condition"] == Condition.HOT_WALLET_UNFUNDED
    custody.node.give(text_of(account), 2 * ETHER)
    custody.node.mine()
    await step_until(custody, engine, rich, "built")


async def test_e1_two_workers_with_leases_pay_all_and_no_lane_has_two_planners(
    custody: Custody, engine: MemoryEngine
) -> None:
    numbers = range(1, 41)
    for number in numbers:
        await engine.request(request(custody, number, 1, 10**6))
    workers = [worker(custody, "first"), worker(custody, "second")]
    for _ in range(200):
        await pass_time(custody)
        for one in workers:
            await one.renew()
        await asyncio.gather(*(one.pipeline.step() for one in workers * 4))
        await engine.apply()
        if set(await states(custody.database)) == {"settled"}:
            break
        custody.node.mine()
    assert set(engine.states.values()) == {"settled"}
    for number in numbers:
        assert custody.node.balance(custody.payout(number, 1).destination.text) == 10**16
    rows = await custody.database.read(
        "select account, branch from custody.ethereum_lane order by path_index"
    )
    counts = [
        int(custody.node.call("eth_getTransactionCount", text_of(row["account"]), "latest"), 16)
        for row in rows
    ]
    assert sum(counts) == len(numbers)
    assert min(counts) > 0
