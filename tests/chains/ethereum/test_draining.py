"""Many open withdrawals leave over eight lanes, each once, whoever is killed meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tests.chains.ethereum.development_node import DevelopmentNode
from tests.chains.ethereum.whole_venue import World, whole_venue
from tests.wallets.scale.draining import ACCOUNTS, COUNT, Draining, Paying
from venue.custody.listing import ETHER, ETHEREUM

pytestmark = [pytest.mark.chains, pytest.mark.slow, pytest.mark.timeout(300 + 3 * COUNT)]

LANES = 8
UNIT = 10**15
FEE = ETHEREUM.withdrawal_fee_atoms
PAID = sum(UNIT + number for number in range(COUNT))
DEPOSITED = PAID + COUNT * FEE + UNIT
# Of a lane: a hundred ether pay for the gas of all.
FUNDED = PAID + 100 * 10**18
TARGETS = 8


@pytest.fixture
async def world(
    node: DevelopmentNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    monkeypatch.setenv("CAMBIST_WALLETS_STEPS", "8")
    async with whole_venue(node, tmp_path, lane_count=LANES, accounts=ACCOUNTS) as found:
        for hot in lanes(found):
            await found.purse.pay(ETHEREUM, hot, FUNDED)
        await found.mine()
        yield found


def lanes(world: World) -> list[str]:
    """The accounts that pay."""
    return world.custody.hot_addresses(world.custody.plans[0])


def held(world: World, address: str) -> int:
    """In wei."""
    return int(world.node.call("eth_getBalance", address, "latest"), 16)


def sent(world: World) -> int:
    """Transactions of all lanes that the node has, in a block or not."""
    method, pending = "eth_getTransactionCount", "pending"
    return sum(int(world.node.call(method, lane, pending), 16) for lane in lanes(world))


async def paying(world: World) -> Paying:
    """Targets that nobody used."""

    async def count_taken() -> int:
        return await asyncio.to_thread(sent, world)

    texts = tuple([await world.purse.new_address() for _ in range(TARGETS)])
    return Paying("ethereum", ETHER, UNIT, texts, world.mine, count_taken)


async def test_open_withdrawals_leave_over_lanes_while_everything_is_killed_once(
    world: World,
) -> None:
    draining = Draining(world, await paying(world), COUNT)
    deposits = world.client.withdrawals
    ours = [
        await deposits.deposit_address(account_id, ETHER.asset_id, "ethereum")
        for account_id in draining.accounts
    ]
    for at, address in enumerate(ours):
        amount = draining.paying.spent(at, COUNT, FEE) + (0 if at else UNIT)
        await world.purse.pay(ETHEREUM, address, amount)
    await world.mine_until(draining.are_there)
    await draining.open_all()
    await draining.drain()
    assert draining.killed == [draining.worker, "signer", "matching", "postgres"]

    await world.mine_until(partial(draining.are_spent, UNIT))
    # One transaction for each, and to each target what it was owed to the last wei.
    assert await asyncio.to_thread(sent, world) == COUNT
    for at, text in enumerate(draining.paying.targets):
        assert held(world, text) == draining.paying.owed(at, COUNT)
    ask = draining.ask
    # A nonce that was planned twice has one owner; a plan that nobody signed has none.
    assert await ask("select count(*) from custody.attempt where state = 'final'") == COUNT
    assert await ask("select count(*) from custody.attempt where state <> 'final'") == 0
    used = "select count(distinct split_part(anchor, ':', 1)) from custody.conflict_group"
    assert await ask(used) == LANES
    sums = "select sum(amount_atoms) from custody.posting where account = "
    cost = int(await ask(sums + "'network_cost'"))
    assert sum(held(world, lane) for lane in lanes(world)) == LANES * FUNDED - PAID - cost
    assert sum(held(world, address) for address in ours) == DEPOSITED
    assert int(await ask(sums + "'customers'")) == PAID + COUNT * FEE - DEPOSITED
    assert await ask("select stopped_reason from custody.chain") == ""
