"""A payout leaves a batch that was sent: paid by the old transaction, or back when that is dead."""

from random import Random

import pytest

from tests.wallets.core.conftest import Venue, request
from tests.wallets.core.memory_chain import FEE_ATOMS, RAISE_ATOMS, inputs_of
from tests.wallets.core.test_batches import (
    COUNT,
    check_all_paid_once,
    check_book,
    request_all,
    run_to,
    start_all,
)
from tests.wallets.core.test_cancels import WISH, check_paid_or_back, finish, want_back
from tests.wallets.core.test_pipeline import AMOUNT, CHARGED, book_of
from wallets.contract import BumpSchedule, WithdrawalId


async def state_of_wish(venue: Venue) -> str:
    query = "select state from custody.payout where withdrawal_id = $1"
    return str(await venue.connection.fetchval(query, WISH))


async def raws(venue: Venue) -> list[bytes]:
    rows = await venue.connection.fetch("select raw from custody.attempt order by attempt_id")
    return [row["raw"] for row in rows]


async def send(venue: Venue) -> None:
    await request_all(venue)
    await start_all(venue)
    await run_to(venue, "broadcasting")


async def drop(venue: Venue) -> None:
    """Planned without it, signed, and sent."""
    await send(venue)
    await want_back(venue)
    await venue.run(venue.worker(), 1, mines=False)
    assert sorted(await venue.states()) == [*["broadcasting"] * (COUNT - 1), "cancelling"]
    await venue.run(venue.worker(), 2 * COUNT, mines=False)
    assert list(venue.chain.pool.values()) == [(await raws(venue))[-1]]


async def test_its_money_goes_back_once_the_old_transaction_is_dead_and_not_before(
    venue: Venue,
) -> None:
    await drop(venue)
    venue.chain.mine()
    await venue.run(venue.worker(), 2 * COUNT, mines=False)
    assert await state_of_wish(venue) == "cancelling"
    assert venue.engine.states[WISH] == "in flight"
    await finish(venue)
    check_paid_or_back(venue, {WISH})
    await check_book(venue, COUNT - 1, FEE_ATOMS + RAISE_ATOMS)
    proofs = await venue.connection.fetch("select state, death_proof from custody.attempt")
    assert {(row["state"], bool(row["death_proof"])) for row in proofs} == {
        ("dead", True),
        ("final", False),
    }
    assert await venue.connection.fetchval("select count(*) from custody.owned_input") == 0


@pytest.mark.parametrize("rounds", [1, 2 * COUNT])
async def test_the_old_transaction_mined_instead_pays_all(venue: Venue, rounds: int) -> None:
    await send(venue)
    await want_back(venue)
    await venue.run(venue.worker(), rounds, mines=False)
    assert await state_of_wish(venue) == "cancelling"
    venue.chain.mine_only((await raws(venue))[0])
    await finish(venue)
    check_all_paid_once(venue, COUNT)
    await check_book(venue, COUNT)


async def test_when_all_want_it_back_nobody_is_dropped(venue: Venue) -> None:
    await send(venue)
    await venue.connection.execute("update custody.payout set cancel_requested = true")
    await finish(venue)
    check_all_paid_once(venue, COUNT)
    assert len(venue.signer.log) == 1


async def test_without_room_for_a_dearer_one_it_waits_by_name_and_all_are_paid(
    venue: Venue,
) -> None:
    venue.chain.bump_schedule = BumpSchedule(600, 0)
    await send(venue)
    await want_back(venue)
    await venue.run(venue.worker(), 1, mines=False)
    assert await venue.connection.fetchval("select max(condition) from custody.payout") == (
        "AtCeiling"
    )
    await finish(venue)
    check_all_paid_once(venue, COUNT)


async def test_what_a_stranger_ends_lets_it_go_and_the_others_are_paid_anew(venue: Venue) -> None:
    await drop(venue)
    venue.chain.steal("coin:0")
    await finish(venue)
    check_paid_or_back(venue, {WISH})


async def test_two_leave_one_after_the_other(venue: Venue) -> None:
    await drop(venue)
    other = request(3).withdrawal_id
    await want_back(venue, other)
    await venue.run(venue.worker(), 2 * COUNT, mines=False)
    assert sorted(await venue.states()) == [*["broadcasting"] * 2, *["cancelling"] * 2]
    await finish(venue)
    check_paid_or_back(venue, {WISH, other})
    await check_book(venue, COUNT - 2, FEE_ATOMS + 2 * RAISE_ATOMS)


async def test_settled_by_the_old_one_and_after_a_reorganisation_dropped_by_the_new_one(
    venue: Venue,
) -> None:
    await drop(venue)
    old, new = await raws(venue)
    venue.chain.mine_only(old)
    await finish(venue)
    check_all_paid_once(venue, COUNT)
    venue.chain.reorganise(len(venue.chain.blocks))
    venue.chain.mine_only(new)
    await venue.run(venue.worker(), 2 * COUNT)
    await finish(venue)
    check_paid_or_back(venue, {WISH})


async def live(venue: Venue, source: Random) -> None:
    """Wishes, bumps, blocks of whatever was ever sent, and small reorganisations, by chance."""
    for _ in range(20):
        event = source.random()
        if event < 0.15:
            number = source.randint(1, COUNT)
            await want_back(venue, WithdrawalId(request(number).withdrawal_id))
        elif event < 0.3:
            await venue.pass_patience()
        elif event < 0.4:
            sent = [raw for raw in await raws(venue) if raw]
            spent = venue.chain.spent()
            free = [raw for raw in sent if not spent & set(inputs_of(raw))]
            if free:
                venue.chain.mine_only(source.choice(free))
        elif event < 0.45 and venue.chain.blocks:
            venue.chain.reorganise(1)
        await venue.run(venue.worker(), source.randint(1, 6), mines=source.random() < 0.2)


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_each_is_paid_once_or_has_its_money_back(
    venue: Venue, seed: int
) -> None:
    source = Random(seed)
    await send(venue)
    await live(venue, source)
    await finish(venue)
    back = {one for one, state in venue.engine.states.items() if state == "released"}
    check_paid_or_back(venue, back)
    paid = COUNT - len(back)
    book = await book_of(venue)
    assert book.get((1, "customers"), 0) == paid * (AMOUNT + CHARGED)
    assert book.get((1, "hot"), 0) == -paid * AMOUNT - book.get((1, "network_cost"), 0)
