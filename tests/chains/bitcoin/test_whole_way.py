"""Money goes the whole way: coins in, a balance, coins out, through every process there is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from cambist.client.errors import Unavailable
from cambist.client.withdrawals import Wanted
from tests.chains.bitcoin.regtest import Regtest
from tests.chains.bitcoin.whole_venue import ASSET_ID, COIN, World, until, whole_venue
from tests.chains.killing import killing
from venue.custody.bitcoin_plan import CREDIT_DEPTH
from venue.custody.listing import ASSET, BITCOIN
from venue.custody.stack import APPROVER, SIGNER
from venue.stack import MATCHING

pytestmark = [pytest.mark.chains, pytest.mark.timeout(600)]

# On the way in, and as many on the way out.
KILLS = 6
# Kinds of processes that are killed in turn.
KINDS = 4
WITHDRAWAL_FEE_ATOMS = BITCOIN.withdrawal_fee_atoms
IN_ATOMS, OUT_ATOMS = COIN // 2, COIN // 5


@pytest.fixture
async def world(regtest: Regtest, tmp_path: Path) -> AsyncIterator[World]:
    async with whole_venue(regtest, tmp_path) as found:
        yield found


async def deposit(world: World) -> str:
    """Sends coins to an address of the account, and mines them; the address."""
    address = await world.client.withdrawals.deposit_address(world.account_id, ASSET_ID, "bitcoin")
    amount = f"{IN_ATOMS / COIN:.8f}"
    await asyncio.to_thread(world.regtest.call, "sendtoaddress", address, amount)
    await world.mine()
    return address


async def withdraw(world: World) -> str:
    """Asks for coins at an address of the miner's; the address."""
    target = str(await asyncio.to_thread(world.regtest.call, "getnewaddress"))
    wanted = Wanted(world.account_id, ASSET_ID, "bitcoin", f"{OUT_ATOMS / COIN:.8f}", target)
    quote = await world.client.withdrawals.quote(wanted)
    await world.client.withdrawals.request(wanted, quote)
    return target


UNANSWERED = "select exists (select from custody.outbox where answer_reason is null)"


async def check_end(world: World, target: str) -> None:
    """One credit, one payment, and every book agrees to the last atom."""
    left = IN_ATOMS - OUT_ATOMS - WITHDRAWAL_FEE_ATOMS

    async def is_settled_in_the_engine() -> bool:
        return await world.balance() == (left, 0, 0)

    async def is_answered() -> bool:
        return not await world.rows.fetchval(UNANSWERED)

    await until(is_settled_in_the_engine)
    # The worker reads it in the journal a little later.
    await until(is_answered)
    received = await asyncio.to_thread(world.regtest.call, "listreceivedbyaddress", 1)
    paid = [one for one in received if one["address"] == target]
    assert [(len(one["txids"]), round(one["amount"] * COIN)) for one in paid] == [(1, OUT_ATOMS)]
    book = await world.book()
    cost = book["network_cost"]
    assert book == {
        "hot": IN_ATOMS - OUT_ATOMS - cost,
        "customers": OUT_ATOMS + WITHDRAWAL_FEE_ATOMS - IN_ATOMS,
        "fees_charged": -WITHDRAWAL_FEE_ATOMS,
        "network_cost": cost,
    }
    assert await world.coins_atoms() == book["hot"]
    kinds = await world.rows.fetch(
        "select kind, answer_reason from custody.outbox where kind <> 'finalize_credit' order by 1"
    )
    assert [tuple(row) for row in kinds] == [("credit", 0), ("settle", 0), ("start", 0)]
    assert await world.rows.fetchval("select stopped_reason from custody.chain") == ""


async def test_coins_come_in_are_credited_and_go_out_again(world: World) -> None:
    address = await deposit(world)
    assert await world.command("deposit", ASSET.symbol, "bitcoin") == address

    async def is_seen() -> bool:
        return await world.deposit_state() == "confirming"

    await until(is_seen)
    assert await world.balance() == (0, 0, 0)
    await world.mine(CREDIT_DEPTH - 1)

    async def is_credited() -> bool:
        return await world.balance() == (IN_ATOMS, 0, 0)

    await until(is_credited)
    await world.mine_until(world.deposit_state, "withdrawable")
    target = await withdraw(world)
    assert (await world.balance())[1] + (await world.balance())[2] == OUT_ATOMS + (
        WITHDRAWAL_FEE_ATOMS
    )
    await world.mine_until(world.withdrawal_state, "settled")
    await check_end(world, target)


async def test_a_worker_that_is_killed_again_and_again_pays_and_credits_once(
    world: World,
) -> None:
    source = Random(11)

    await deposit(world)
    await world.mine_until(killing(world, world.deposit_state, KILLS, source), "withdrawable")
    target = await withdraw(world)
    await world.mine_until(killing(world, world.withdrawal_state, KILLS, source), "settled")
    await check_end(world, target)


async def test_signer_approver_and_matching_that_are_killed_too_pay_and_credit_once(
    world: World,
) -> None:
    source = Random(12)
    processes, custody = world.stack.processes, world.custody

    def restart(name: str, start: Callable[[], object]) -> None:
        processes.kill(name)
        start()

    kills: Iterator[Callable[[], None]] = cycle(
        (
            partial(restart, MATCHING, world.stack.start_matching),
            partial(restart, SIGNER, partial(custody.start_process, SIGNER)),
            partial(restart, APPROVER, partial(custody.start_process, APPROVER)),
            world.kill_worker,
        )
    )

    def kill() -> None:
        next(kills)()

    def killing_any(look: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
        return killing(world, patient(look), 2 * KINDS, source, kill)

    await deposit(world)
    await world.mine_until(killing_any(world.deposit_state), "withdrawable")
    target = await patient(partial(withdraw, world))()
    await world.mine_until(killing_any(world.withdrawal_state), "settled")
    await check_end(world, target)


def patient(look: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
    """Asks again while what was killed comes up; it changed nothing then."""

    async def ask() -> str:
        while True:
            try:
                return await look()
            except Unavailable:
                await asyncio.sleep(0.5)

    return ask
