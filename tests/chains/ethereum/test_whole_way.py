"""Money goes the whole way on Ethereum: ether and a token come in, a balance, and out again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from cambist.client.withdrawals import Wanted
from tests.chains.ethereum.development_node import DevelopmentNode
from tests.chains.ethereum.whole_venue import World, whole_venue
from tests.chains.killing import killing
from venue.custody.chain_plan import HeldAsset

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]

# Whole units.
FUNDED, IN, OUT = 1_000, 500, 200
# On the way in, and as many on the way out.
KILLS = 4


def atoms(held: HeldAsset, units: int) -> int:
    return int(units * 10**held.asset.decimals)


def assets(world: World) -> Sequence[HeldAsset]:
    return world.custody.plans[0].assets


@pytest.fixture
async def world(node: DevelopmentNode, tmp_path: Path) -> AsyncIterator[World]:
    async with whole_venue(node, tmp_path) as found:
        (hot,) = found.custody.hot_addresses(found.custody.plans[0])
        for held in assets(found):
            await found.purse.pay(held, hot, atoms(held, FUNDED))
        await found.mine()
        yield found


async def deposit(world: World) -> str:
    """Sends ether and tokens to one address of the account; the address."""
    address = ""
    for held in assets(world):
        address = await world.client.withdrawals.deposit_address(
            world.account_id, held.asset.asset_id, "ethereum"
        )
        await world.purse.pay(held, address, atoms(held, IN))
    return address


async def withdraw(world: World) -> str:
    """Asks for both at an address that nobody used; the address."""
    target = await world.purse.new_address()
    for held in assets(world):
        wanted = Wanted(world.account_id, held.asset.asset_id, "ethereum", str(OUT), target)
        quote = await world.client.withdrawals.quote(wanted)
        await world.client.withdrawals.request(wanted, quote)
    return target


async def check_end(world: World, ours: str, target: str) -> None:
    """One credit, one payment, and every book agrees to the last atom."""
    (hot,) = world.custody.hot_addresses(world.custody.plans[0])
    left = [(atoms(held, IN - OUT) - held.withdrawal_fee_atoms, 0, 0) for held in assets(world)]

    async def is_settled_in_the_engine() -> bool:
        return [await world.balance(held.asset.asset_id) for held in assets(world)] == left

    await world.mine_until(is_settled_in_the_engine)
    ether, _ = assets(world)
    for held in assets(world):
        book = await world.book(held.asset.asset_id)
        cost = book.pop("network_cost", 0)
        assert bool(cost) == (held is ether)
        # Reconciliation finds what the hot account began with, once that is deep.
        found = -book.pop("unclaimed", 0)
        assert found in (0, atoms(held, FUNDED))
        assert book == {
            "hot": atoms(held, IN - OUT) + found - cost,
            "customers": held.withdrawal_fee_atoms - atoms(held, IN - OUT),
            "fees_charged": -held.withdrawal_fee_atoms,
        }
        places = [(target, OUT), (ours, IN)]
        for address, units in places:
            assert await world.purse.received_atoms(held, address) == atoms(held, units)
        assert await world.purse.received_atoms(held, hot) == atoms(held, FUNDED - OUT) - cost
    kinds = await world.rows.fetch(
        "select kind, answer_reason from custody.outbox where kind <> 'finalize_credit' order by 1"
    )
    wanted = [(kind, 0) for kind in ("credit", "credit", "settle", "settle", "start", "start")]
    assert [tuple(row) for row in kinds] == wanted
    await world.custody.command("reconcile")
    assert await world.rows.fetchval("select stopped_reason from custody.chain") == ""


def all_are(look: Callable[[], Awaitable[list[str]]], state: str) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return await look() == [state, state]

    return is_so


async def test_ether_and_a_token_come_in_are_credited_and_go_out_again(world: World) -> None:
    ours = await deposit(world)
    # In no block.
    assert await world.deposit_states() == []
    await world.mine_until(all_are(world.deposit_states, "withdrawable"))
    for held in assets(world):
        assert await world.balance(held.asset.asset_id) == (atoms(held, IN), 0, 0)
    target = await withdraw(world)
    await world.mine_until(all_are(world.withdrawal_states, "settled"))
    await check_end(world, ours, target)


async def test_a_worker_that_is_killed_again_and_again_credits_and_pays_once(world: World) -> None:
    source = Random(5)

    ours = await deposit(world)
    credited = all_are(world.deposit_states, "withdrawable")
    await world.mine_until(killing(world, credited, KILLS, source))
    target = await withdraw(world)
    settled = all_are(world.withdrawal_states, "settled")
    await world.mine_until(killing(world, settled, KILLS, source))
    await check_end(world, ours, target)
