"""Deposits become money in the engine once each, whatever forks and refusals come between."""

import random
from dataclasses import replace

import pytest

from tests.wallets.conftest import NETWORK_ID
from tests.wallets.deposits.memory_blocks import (
    AHEAD,
    MemoryCredits,
    Scan,
    add_tier,
    pays,
)
from wallets.books.postings import read_balances
from wallets.deposits.scanner import Moved
from wallets.errors import Condition, Stuck

ABSENCE, FINAL = 4, 8


@pytest.fixture(autouse=True)
async def _tiers(scan: Scan) -> None:
    await add_tier(scan.connection, 1, 0, 2, 3)
    await scan.connection.execute(
        "update custody.chain set deposit_final_depth = $1, deposit_absence_blocks = $2",
        FINAL,
        ABSENCE,
    )


async def go(scan: Scan, engine: MemoryCredits, blocks: int) -> None:
    """Blocks of nothing, each scanned and answered."""
    for _ in range(blocks):
        scan.chain.mine()
        await scan.catch_up()
        await engine.apply()


async def book(scan: Scan) -> dict[str, int]:
    found = await read_balances(scan.connection, NETWORK_ID)
    return {account: total for (_, account), total in found.items() if total}


async def reason_of(scan: Scan) -> str:
    return str(await scan.connection.fetchval("select reason from custody.deposit"))


async def test_a_deposit_is_credited_withdrawable_and_final_at_its_depths(
    scan: Scan, engine: MemoryCredits
) -> None:
    scan.chain.mine(pays("good"))
    await scan.catch_up()
    assert await book(scan) == {}
    await go(scan, engine, 1)
    assert await scan.states() == {"good": "credited"}
    assert engine.balance == 1_000
    await go(scan, engine, 1)
    assert await scan.states() == {"good": "withdrawable"}
    await go(scan, engine, FINAL)
    assert engine.done == ["credit", "finalize_credit"]
    assert await book(scan) == {"hot": 1_000, "customers": -1_000}


async def test_nothing_follows_a_credit_before_its_answer(
    scan: Scan, engine: MemoryCredits
) -> None:
    scan.chain.mine(pays("good"))
    for _ in range(FINAL * 2):
        scan.chain.mine()
    await scan.catch_up()
    assert await scan.states() == {"good": "credited"}
    await engine.apply()
    await go(scan, engine, 1)
    assert await scan.states() == {"good": "withdrawable"}


async def test_many_small_deposits_wait_as_long_as_a_large_one(
    scan: Scan, engine: MemoryCredits
) -> None:
    await add_tier(scan.connection, 1, 1_500, 4, 5)
    scan.chain.mine(pays("first"), pays("second"))
    await go(scan, engine, 2)
    assert await scan.states() == {"first": "confirming", "second": "confirming"}
    await go(scan, engine, 1)
    assert engine.balance == 2_000


async def test_new_tiers_are_for_new_deposits_only(scan: Scan, engine: MemoryCredits) -> None:
    scan.chain.mine(pays("before"))
    await scan.catch_up()
    await add_tier(scan.connection, 2, 0, 6, 6)
    scan.chain.mine(pays("after"))
    await go(scan, engine, 1)
    assert await scan.states() == {"before": "credited", "after": "confirming"}


async def test_what_was_seen_before_any_tier_takes_the_first(
    scan: Scan, engine: MemoryCredits
) -> None:
    await scan.connection.execute("delete from custody.confirmation_tier")
    scan.chain.mine(pays("early"))
    await go(scan, engine, 5)
    assert await scan.states() == {"early": "confirming"}
    await add_tier(scan.connection, 1, 0, 2, 3)
    await go(scan, engine, 1)
    assert await scan.states() == {"early": "credited"}


async def test_a_deposit_that_comes_back_in_time_is_credited_once(
    scan: Scan, engine: MemoryCredits
) -> None:
    scan.chain.mine(pays("good"))
    await go(scan, engine, 3)
    del scan.chain.blocks[1:]
    await go(scan, engine, ABSENCE)
    assert await scan.states() == {"good": "orphaned"}
    scan.chain.mine(pays("good"))
    await go(scan, engine, 3)
    assert await scan.states() == {"good": "withdrawable"}
    assert engine.done == ["credit"]


async def test_a_deposit_that_stays_away_is_taken_back_and_credited_again_when_mined_again(
    scan: Scan, engine: MemoryCredits
) -> None:
    scan.chain.mine(pays("good"))
    await go(scan, engine, 3)
    del scan.chain.blocks[1:]
    await go(scan, engine, ABSENCE + 1)
    assert await scan.states() == {"good": "reversed"}
    assert (engine.balance, await book(scan)) == (0, {})
    scan.chain.mine(pays("good"))
    await go(scan, engine, 1)
    assert (engine.balance, engine.done) == (1_000, ["credit", "reverse_credit", "credit"])


async def test_a_refused_credit_holds_its_deposit_and_the_chain_goes_on(
    scan: Scan, engine: MemoryCredits
) -> None:
    engine.accounts.clear()
    scan.chain.mine(pays("lost"))
    await go(scan, engine, 1)
    assert await scan.states() == {"lost": "held"}
    assert await reason_of(scan) == "CREDIT_REFUSED_UNKNOWN_ACCOUNT"
    assert not await scan.connection.fetchval("select withdrawals_stopped from custody.chain")
    engine.accounts.add(4096)
    scan.chain.mine(pays("next"))
    await go(scan, engine, 1)
    assert await scan.states() == {"lost": "held", "next": "credited"}


async def test_what_is_in_suspense_is_held_again_after_a_fork_and_never_credited_twice(
    scan: Scan, engine: MemoryCredits
) -> None:
    engine.accounts.clear()
    scan.chain.mine(pays("lost"))
    await go(scan, engine, 1)
    del scan.chain.blocks[1:]
    scan.chain.mine()
    scan.chain.mine(pays("lost"))
    await go(scan, engine, 5)
    assert await scan.states() == {"lost": "held"}
    assert engine.done == ["credit"]


async def test_a_credit_that_credited_nobody_is_not_in_the_book(
    scan: Scan, engine: MemoryCredits
) -> None:
    scan.chain.mine(pays("good"))
    scan.chain.mine()
    await scan.catch_up()
    deposit_id = await scan.connection.fetchval("select deposit_id from custody.deposit")
    engine.deposits[deposit_id] = True
    await engine.apply()
    assert await reason_of(scan) == "CREDIT_REFUSED_DEPOSIT_STATE"
    assert await book(scan) == {}


async def test_suspension_holds_new_deposits_until_it_is_lifted(
    scan: Scan, engine: MemoryCredits
) -> None:
    scan.chain.mine(pays("before"))
    await scan.catch_up()
    await scan.connection.execute("update custody.asset set deposits_suspended = true")
    scan.chain.mine(pays("within"))
    await go(scan, engine, 4)
    assert await scan.states() == {"before": "confirming", "within": "held"}
    await scan.connection.execute("update custody.asset set deposits_suspended = false")
    await go(scan, engine, 1)
    assert await scan.states() == {"before": "credited", "within": "credited"}


async def test_while_a_network_is_suspended_deposits_are_seen_and_credited_afterwards(
    scan: Scan, engine: MemoryCredits
) -> None:
    suspended = replace(scan, scanner=replace(scan.scanner, credits_any=False))
    scan.chain.mine(pays("within"))
    await go(suspended, engine, 4)
    assert await scan.states() == {"within": "confirming"}
    await go(scan, engine, 1)
    assert await scan.states() == {"within": "credited"}


async def test_mined_coins_are_credited_once_they_may_move(
    scan: Scan, engine: MemoryCredits
) -> None:
    scan.chain.mine(pays("mined", is_coinbase=True))
    for _ in range(98):
        scan.chain.mine()
    await scan.catch_up()
    assert await scan.states() == {"mined": "immature"}
    await go(scan, engine, 1)
    assert engine.balance == 1_000


async def test_a_place_that_is_nobodys_is_never_credited(scan: Scan, engine: MemoryCredits) -> None:
    scan.chain.mine(pays("early", key=AHEAD))
    await go(scan, engine, 5)
    assert await scan.states() == {"early": "unclaimed"}
    assert engine.done == []


async def test_a_fork_below_a_final_deposit_waits_for_a_person(
    scan: Scan, engine: MemoryCredits
) -> None:
    scan.chain.mine(pays("good"))
    await go(scan, engine, FINAL + 3)
    del scan.chain.blocks[1:]
    for _ in range(FINAL + 8):
        scan.chain.mine()
    with pytest.raises(Stuck) as raised:
        await scan.catch_up()
    assert raised.value.condition is Condition.REORG_TOO_DEEP
    assert await scan.states() == {"good": "withdrawable"}


async def test_a_chain_that_knows_what_is_final_decides_when_the_engine_forgets(
    scan: Scan, engine: MemoryCredits
) -> None:
    scan.chain.mine(pays("good"))
    await go(scan, engine, FINAL + 3)
    assert engine.done == ["credit", "finalize_credit"]
    scan.chain.final = 0
    scan.chain.mine(pays("later"))
    await go(scan, engine, FINAL * 2)
    assert engine.done[2:] == ["credit"]
    scan.chain.final = len(scan.chain.blocks)
    await go(scan, engine, 1)
    assert engine.done[2:] == ["credit", "finalize_credit"]


@pytest.mark.parametrize("seed", range(6))
async def test_after_any_forks_the_engine_has_what_the_last_chain_pays_us(
    scan: Scan, engine: MemoryCredits, seed: int
) -> None:
    await scan.connection.execute("update custody.chain set deposit_final_depth = 100")
    source = random.Random(seed)
    names = [f"t{number}" for number in range(12)]
    for _ in range(25):
        kept = max(1, len(scan.chain.blocks) - source.choice((0, 0, 1, 2, 5, 9)))
        del scan.chain.blocks[kept:]
        for _ in range(source.randint(1, 4)):
            free = sorted(set(names) - scan.chain.mined())
            chosen = source.sample(free, min(len(free), source.randint(0, 2)))
            scan.chain.mine(*(pays(name, 1_000 + int(name[1:])) for name in chosen))
            if source.random() < 0.5:
                await scan.catch_up()
        await scan.catch_up()
        await engine.apply(source.randint(0, 3))
    for _ in range(ABSENCE + 8):
        scan.chain.mine()
        while await scan.step() is not Moved.NOT:
            pass
        await engine.apply()
    paid = sum(1_000 + int(name[1:]) for name in scan.chain.mined())
    assert engine.balance == paid
    kept_book = {"hot": paid, "customers": -paid}
    assert await book(scan) == {account: total for account, total in kept_book.items() if total}
    states = await scan.states()
    assert {name for name, state in states.items() if state == "withdrawable"} == scan.chain.mined()
    assert not await scan.connection.fetchval("select withdrawals_stopped from custody.chain")
