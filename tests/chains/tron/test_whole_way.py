"""Money goes the whole way on TRON: TRX and a token come in, a balance, and out again."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random

import pytest

from cambist.client.withdrawals import Wanted
from tests.chains.killing import killing
from tests.chains.tron.whole_venue import CUSTOMER, World, whole_venue
from venue.custody.listing import TOKEN, TRON, TRON_TOKEN, TRX
from wallets.tron.addresses import address_of, parse_address

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]

UNIT = 10**6
FUNDED = 1_000 * UNIT
IN_ATOMS, OUT_ATOMS = 500 * UNIT, 200 * UNIT
TARGET = b"\x41" + b"\x33" * 20
LEFT = {
    held.asset.asset_id: IN_ATOMS - OUT_ATOMS - held.withdrawal_fee_atoms
    for held in (TRON, TRON_TOKEN)
}
# On the way in, and as many on the way out.
KILLS = 4


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with whole_venue(tmp_path) as found:
        hot = await found.rows.fetchval("select account from custody.tron_account")
        found.give(hot, FUNDED, FUNDED)
        found.give(CUSTOMER, FUNDED, FUNDED)
        for _ in range(5):
            found.chain.make_block()
        yield found


async def deposit(world: World) -> bytes:
    """Sends TRX and tokens to one address of the account; the address."""
    text = await world.client.withdrawals.deposit_address(world.account_id, TRX.asset_id, "tron")
    key = parse_address(text).key
    await world.send(key, IN_ATOMS, token=False)
    await world.send(key, IN_ATOMS, token=True)
    return key


async def withdraw(world: World) -> None:
    for asset_id in LEFT:
        wanted = Wanted(world.account_id, asset_id, "tron", "200", address_of(TARGET))
        quote = await world.client.withdrawals.quote(wanted)
        await world.client.withdrawals.request(wanted, quote)


async def check_end(world: World, ours: bytes) -> None:
    """One credit, one payment, and every book agrees to the last atom."""

    async def is_settled_in_the_engine() -> bool:
        found = [await world.balance(asset_id) for asset_id in LEFT]
        return found == [(left, 0, 0) for left in LEFT.values()]

    async def is_told_to_custody() -> bool:
        unanswered = "select from custody.outbox where answer_reason is null"
        return not await world.rows.fetch(unanswered)

    await world.mine_until(is_settled_in_the_engine)
    await world.mine_until(is_told_to_custody)
    assert world.held(TARGET) == (OUT_ATOMS, OUT_ATOMS)
    assert world.held(ours) == (IN_ATOMS, IN_ATOMS)
    cost = (await world.book(TRX.asset_id))["network_cost"]
    (hot,) = await world.rows.fetch("select account from custody.tron_account")
    assert world.held(hot["account"]) == (FUNDED - OUT_ATOMS - cost, FUNDED - OUT_ATOMS)
    for held in (TRON, TRON_TOKEN):
        costs = cost if held is TRON else 0
        book = await world.book(held.asset.asset_id)
        book.pop("network_cost", None)
        # Reconciliation finds what the hot account began with, if it looked before any block.
        found = -book.pop("unclaimed", 0)
        assert found in (0, FUNDED)
        assert book == {
            "hot": IN_ATOMS - OUT_ATOMS + found - costs,
            "customers": OUT_ATOMS + held.withdrawal_fee_atoms - IN_ATOMS,
            "fees_charged": -held.withdrawal_fee_atoms,
        }
    kinds = await world.rows.fetch(
        "select kind, answer_reason from custody.outbox where kind <> 'finalize_credit' order by 1"
    )
    wanted = [(kind, 0) for kind in ("credit", "credit", "settle", "settle", "start", "start")]
    assert [tuple(row) for row in kinds] == wanted
    assert await world.rows.fetchval("select stopped_reason from custody.chain") == ""


def all_are(look: Callable[[], Awaitable[list[str]]], state: str) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        return await look() == [state, state]

    return is_so


async def test_trx_and_a_token_come_in_are_credited_and_go_out_again(world: World) -> None:
    ours = await deposit(world)
    world.chain.make_block()
    assert world.held(ours) == (IN_ATOMS, IN_ATOMS)
    # In a block, and not solid.
    assert await world.deposit_states() == []
    await world.mine_until(all_are(world.deposit_states, "withdrawable"))
    assert await world.balance(TOKEN.asset_id) == (IN_ATOMS, 0, 0)
    await withdraw(world)
    await world.mine_until(all_are(world.withdrawal_states, "settled"))
    await check_end(world, ours)


async def test_a_worker_that_is_killed_again_and_again_credits_and_pays_once(world: World) -> None:
    source = Random(7)

    ours = await deposit(world)
    await world.mine_until(
        killing(world, all_are(world.deposit_states, "withdrawable"), KILLS, source)
    )
    await withdraw(world)
    await world.mine_until(
        killing(world, all_are(world.withdrawal_states, "settled"), KILLS, source)
    )
    await check_end(world, ours)
