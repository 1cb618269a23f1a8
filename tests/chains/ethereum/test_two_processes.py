"""Two worker processes pay from the lanes of one chain; one is frozen, and the other is killed."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cambist.client.withdrawals import Wanted
from tests.chains.ethereum.development_node import DevelopmentNode
from tests.chains.ethereum.whole_venue import World, whole_venue
from venue.custody import files
from venue.custody.chain_plan import HeldAsset
from venue.custody.stack import worker_of
from venue.processes import Process
from wallets.ethereum import limits
from wallets.ethereum.addresses import account_at, parse_branch, text_of

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]

SECOND = "worker-ethereum-second"
COUNT = 24
# Whole units.
FUNDED, IN = 100, 60
# Beyond what a lease lasts, with the time that the other one needs to look.
FROZEN_SECONDS = limits.LANE_LEASE_SECONDS + 2 * limits.LANE_RENEWAL_SECONDS


@dataclass(frozen=True)
class TwoWorkers:
    """A venue whose chain has two lanes and two worker processes."""

    world: World
    lanes: tuple[str, str]

    @property
    def ether(self) -> HeldAsset:
        return self.world.custody.plans[0].assets[0]

    @property
    def first(self) -> Process:
        return self.world.stack.processes.running[worker_of(self.world.custody.plans[0])]

    async def start_second(self) -> None:
        custody = self.world.custody
        # Ports of a chain that this venue does not have.
        port, health_port = custody.ports.workers[2:4]
        told = {
            "CAMBIST_WALLETS_INSTANCE": SECOND,
            "CAMBIST_WALLETS_LISTEN_ADDRESS": f"127.0.0.1:{port}",
            "CAMBIST_WALLETS_HEALTH_ADDRESS": f"127.0.0.1:{health_port}",
        }
        environment = {**custody.environment(worker_of(custody.plans[0])), **told}
        processes = self.world.stack.processes
        processes.start(SECOND, ["-m", "wallets", "worker"], environment=environment)
        await self.world.stack.wait_serving(SECOND, health_port)

    async def lane_owners(self) -> list[str]:
        """Of leases that last; each start of a process is another owner."""
        rows = await self.world.rows.fetch(
            "select owner from custody.lease where starts_with(name, 'lane/') "
            "and expires_at > clock_timestamp()"
        )
        return [row["owner"] for row in rows]

    async def count_broadcast(self) -> int:
        """Payments that nodes have, or had."""
        return int(
            await self.world.rows.fetchval(
                "select count(*) from custody.attempt where state not in ('planned', 'signed')"
            )
        )

    def used_nonces(self, lane: str) -> int:
        return int(self.world.node.call("eth_getTransactionCount", lane, "latest"), 16)


@pytest.fixture
async def workers(node: DevelopmentNode, tmp_path: Path) -> AsyncIterator[TwoWorkers]:
    async with whole_venue(node, tmp_path) as world:
        (plan,) = world.custody.plans
        registered = json.loads(files.registration_file(world.custody.folder, plan).read_text())
        keys = {one["branch"]: one["extended_public_key"] for one in registered["branches"]}
        second = account_at(parse_branch(keys["hot"]), 1)
        await world.rows.execute(
            "insert into custody.ethereum_lane values ($1, $2, 'hot', 1, false)",
            plan.network_id,
            second,
        )
        (first,) = world.custody.hot_addresses(plan)
        found = TwoWorkers(world, (first, text_of(second)))
        for lane in found.lanes:
            await world.purse.pay(found.ether, lane, FUNDED * 10**found.ether.asset.decimals)
        await world.mine()
        await found.start_second()
        yield found


async def deposit(workers: TwoWorkers) -> None:
    world, ether = workers.world, workers.ether
    address = await world.client.withdrawals.deposit_address(
        world.account_id, ether.asset.asset_id, "ethereum"
    )
    await world.purse.pay(ether, address, IN * 10**ether.asset.decimals)

    async def is_there() -> bool:
        return await world.deposit_states() == ["withdrawable"]

    await world.mine_until(is_there)


async def withdraw(workers: TwoWorkers, number: int) -> tuple[str, int]:
    """Asks for an amount that is no other's, at an address that nobody used; both."""
    world, ether = workers.world, workers.ether
    target = await world.purse.new_address()
    wanted = Wanted(world.account_id, ether.asset.asset_id, "ethereum", f"1.{number:06}", target)
    await world.client.withdrawals.request(wanted, await world.client.withdrawals.quote(wanted))
    return target, 10**ether.asset.decimals + number * 10 ** (ether.asset.decimals - 6)


async def test_e1_two_processes_pay_each_once_while_one_is_frozen_and_one_is_killed(
    workers: TwoWorkers,
) -> None:
    world = workers.world

    async def have_a_lane_each() -> bool:
        return len(set(await workers.lane_owners())) == len(workers.lanes)

    await world.mine_until(have_a_lane_each)
    await deposit(workers)
    owed = [await withdraw(workers, number) for number in range(COUNT)]

    async def have_begun() -> bool:
        return await workers.count_broadcast() >= COUNT // 4

    await world.mine_until(have_begun)
    workers.first.send(signal.SIGSTOP)
    await asyncio.sleep(FROZEN_SECONDS)

    async def has_one_both_lanes() -> bool:
        owners = await workers.lane_owners()
        return len(owners) == len(workers.lanes) and len(set(owners)) == 1

    await world.mine_until(has_one_both_lanes)
    # What it was about to write when it froze comes too late now.
    workers.first.send(signal.SIGCONT)
    world.stack.processes.kill(SECOND)

    async def are_settled() -> bool:
        return await world.withdrawal_states() == ["settled"] * COUNT

    async def are_half_settled() -> bool:
        return (await world.withdrawal_states()).count("settled") >= COUNT // 2

    await world.mine_until(are_half_settled)
    await workers.start_second()
    await world.mine_until(are_settled)
    for target, amount_atoms in owed:
        assert world.node.balance(target) == amount_atoms
    # Each payment has a nonce, and no nonce is left out or used for anything else.
    used = [workers.used_nonces(lane) for lane in workers.lanes]
    assert sum(used) == COUNT
    assert min(used) > 0
    rows = await world.rows.fetch(
        "select state, count(*) as times from custody.attempt where kind = 'payout' group by state"
    )
    assert [tuple(row) for row in rows] == [("final", COUNT)]
    assert await world.rows.fetchval("select count(*) from custody.owned_input") == 0
    assert await world.rows.fetchval("select stopped_reason from custody.chain") == ""
