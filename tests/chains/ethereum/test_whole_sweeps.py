"""Deposits on Ethereum are gathered by a worker process that is killed again and again."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.chains.ethereum.development_node import DevelopmentNode
from tests.chains.ethereum.whole_venue import World, whole_venue
from tests.chains.killing import killing
from venue.custody import files
from wallets.ethereum.addresses import account_at, parse_branch, text_of

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]

GWEI = 10**9
FUNDED, IN = 100, 50
KILLS = 3


async def register_station(world: World) -> str:
    """A second hot account that takes no payouts, and sweeps by it in the worker's chain file."""
    (plan,) = world.custody.plans
    registered = json.loads(files.registration_file(world.custody.folder, plan).read_text("utf-8"))
    keys = {one["branch"]: one["extended_public_key"] for one in registered["branches"]}
    station = account_at(parse_branch(keys["hot"]), 1)
    await world.rows.execute(
        "insert into custody.ethereum_lane values ($1, $2, 'hot', 1, true)",
        plan.network_id,
        station,
    )
    ether, token = plan.assets
    path = files.chain_file(world.custody.folder, plan)
    content = json.loads(path.read_text("utf-8"))
    content["sweeps"] = {
        "gas_station": text_of(station),
        "calm_per_gas_atoms": 20 * GWEI,
        "minimum_atoms": {
            "": 10**ether.asset.decimals // 10,
            "0x" + token.contract: 10**token.asset.decimals,
        },
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    world.kill_worker()
    return text_of(station)


@pytest.fixture
async def world(node: DevelopmentNode, tmp_path: Path) -> AsyncIterator[World]:
    async with whole_venue(node, tmp_path) as found:
        ether, _ = found.custody.plans[0].assets
        station = await register_station(found)
        await found.purse.pay(ether, station, FUNDED * 10**ether.asset.decimals)
        await found.mine()
        yield found


async def test_e15_deposits_are_gathered_once_by_workers_that_die(world: World) -> None:
    (plan,) = world.custody.plans
    ether, token = plan.assets
    (hot,) = world.custody.hot_addresses(plan)
    token_address, both_address = [
        await world.client.withdrawals.deposit_address(
            world.account_id, ether.asset.asset_id, "ethereum", request_id=request_id
        )
        for request_id in (b"one", b"two")
    ]
    await world.purse.pay(token, token_address, IN * 10**token.asset.decimals)
    for held in (token, ether):
        await world.purse.pay(held, both_address, IN * 10**held.asset.decimals)

    async def are_gathered() -> bool:
        deposits = await world.rows.fetch("select is_gathered from custody.deposit")
        states = await world.rows.fetch(
            "select from custody.attempt where state not in ('final', 'dead')"
        )
        return len(deposits) == 3 and all(row["is_gathered"] for row in deposits) and not states

    await world.mine_until(killing(world, are_gathered, KILLS, Random(15)))
    kinds = await world.rows.fetch(
        "select kind, count(*) as times from custody.attempt where state = 'final' "
        "group by kind order by kind"
    )
    # One address had no ether for its token's gas; each of three holdings was swept once.
    assert [tuple(row) for row in kinds] == [("sweep", 3), ("top_up", 1)]
    moved = await world.rows.fetch(
        "select t.asset_id, sum(t.amount_atoms)::text as atoms from custody.treasury_transfer t "
        "join custody.attempt a using (attempt_id) where a.kind = 'sweep' and a.state = 'final' "
        "group by t.asset_id"
    )
    atoms = {row["asset_id"]: int(row["atoms"]) for row in moved}
    assert atoms[token.asset.asset_id] == 2 * IN * 10**token.asset.decimals
    assert world.node.balance(hot) == atoms[ether.asset.asset_id]
    assert len(await world.deposit_states()) == 3
    assert await world.rows.fetchval("select stopped_reason from custody.chain") == ""
    costs = await world.rows.fetchval("select sum(cost_atoms) from custody.gathering_cost")
    assert costs == (await world.book(ether.asset.asset_id))["network_cost"]
