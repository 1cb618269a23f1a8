"""A payout whose fee is raised is paid once, by whichever of its attempts was mined."""

import pytest

from tests.wallets.core.conftest import Venue, request
from tests.wallets.core.memory_chain import FEE_ATOMS, RAISE_ATOMS, MemoryChain
from tests.wallets.core.test_pipeline import book_of, check_paid_once
from wallets.contract import Attempt, BumpSchedule, Confirmation, ConfirmationState, TransactionId
from wallets.errors import Broken


async def attempts(venue: Venue) -> list[tuple[str, bytes, str]]:
    rows = await venue.connection.fetch(
        "select state, raw, coalesce(death_proof, '') as proof from custody.attempt "
        "order by attempt_id"
    )
    return [(row["state"], row["raw"], row["proof"]) for row in rows]


async def states_of(venue: Venue) -> list[str]:
    return [state for state, _, _ in await attempts(venue)]


async def condition_of(venue: Venue) -> str:
    return str(await venue.connection.fetchval("select condition from custody.payout"))


async def broadcast(venue: Venue) -> None:
    """One attempt is in the pool, and nobody mines."""
    await venue.engine.request(request())
    await venue.run(venue.worker(), 6, mines=False)
    assert await states_of(venue) == ["broadcast"]


async def bump(venue: Venue) -> None:
    """A look that plans, one that signs, one that sends."""
    await venue.pass_patience()
    await venue.run(venue.worker(), 1, mines=False)
    await venue.run(venue.worker(), 2, mines=False)


async def test_what_is_unmined_for_long_is_bumped_and_settles_once(venue: Venue) -> None:
    await broadcast(venue)
    await venue.run(venue.worker(), 4, mines=False)
    assert await states_of(venue) == ["broadcast"], "too early for a bump"
    await bump(venue)
    (older, newer) = [raw for _, raw, _ in await attempts(venue)]
    assert list(venue.chain.pool.values()) == [newer] != [older]
    await venue.run(venue.worker(), 5)
    await check_paid_once(venue, FEE_ATOMS + RAISE_ATOMS)
    assert await states_of(venue) == ["dead", "final"]
    assert (await attempts(venue))[0][2], "the older one is dead with a proof"
    assert await venue.connection.fetchval("select count(*) from custody.owned_input") == 0


@pytest.mark.parametrize("tells_siblings", [True, False])
async def test_the_older_one_mined_instead_also_settles_once(
    venue: Venue, tells_siblings: bool
) -> None:
    venue.chain.tells_siblings = tells_siblings
    await broadcast(venue)
    await bump(venue)
    venue.chain.mine_only((await attempts(venue))[0][1])
    await venue.run(venue.worker(), 1, mines=False)
    assert await states_of(venue) == ["mined", "broadcast"]
    await venue.run(venue.worker(), 6)
    await check_paid_once(venue)
    assert await states_of(venue) == ["final", "dead"]


async def test_one_mined_while_the_bump_is_only_planned_settles_once(venue: Venue) -> None:
    await broadcast(venue)
    await venue.pass_patience()
    await venue.run(venue.worker(), 1, mines=False)
    assert await states_of(venue) == ["broadcast", "planned"]
    venue.chain.mine()
    await venue.run(venue.worker(), 6)
    await check_paid_once(venue)
    assert await states_of(venue) == ["final", "dead"]
    assert len(venue.signer.log) == 1


async def test_bumps_end_by_name_and_what_was_sent_still_settles(venue: Venue) -> None:
    await broadcast(venue)
    for _ in range(6):
        await bump(venue)
    assert await states_of(venue) == ["broadcast"] * 3
    assert await condition_of(venue) == "AtCeiling"
    await venue.run(venue.worker(), 5)
    await check_paid_once(venue, FEE_ATOMS + 2 * RAISE_ATOMS)


async def test_no_bump_costs_more_than_was_approved(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryChain, "bump_schedule", BumpSchedule(600, 20))
    await broadcast(venue)
    for _ in range(8):
        await bump(venue)
    assert await condition_of(venue) == "AtCeiling"
    # 7, 9, 11 and 13 atoms; 14 were approved.
    assert await states_of(venue) == ["broadcast"] * 4


async def test_a_chain_without_a_schedule_is_never_bumped(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(MemoryChain, "bump_schedule")
    await broadcast(venue)
    for _ in range(3):
        await bump(venue)
    assert await states_of(venue) == ["broadcast"]


async def test_all_die_together_and_the_next_attempt_cites_each(venue: Venue) -> None:
    await broadcast(venue)
    await bump(venue)
    venue.chain.steal("coin:0")
    await venue.run(venue.worker(), 12)
    await check_paid_once(venue)
    assert await states_of(venue) == ["dead", "dead", "final"]
    assert len(venue.approver.dead) == 2
    assert all(death.proof for death in venue.approver.dead)


@pytest.mark.parametrize("tells_siblings", [True, False])
async def test_after_a_reorganisation_the_sibling_may_be_the_one_that_is_mined(
    venue: Venue, tells_siblings: bool
) -> None:
    venue.chain.tells_siblings = tells_siblings
    await broadcast(venue)
    await bump(venue)
    older = (await attempts(venue))[0][1]
    await venue.run(venue.worker(), 5)
    assert await states_of(venue) == ["dead", "final"]
    venue.chain.reorganise(len(venue.chain.blocks))
    venue.chain.mine_only(older)
    await venue.run(venue.worker(), 1, mines=False)
    assert await book_of(venue) == {}
    assert await states_of(venue) == ["broadcast", "broadcast"]
    await venue.run(venue.worker(), 6)
    await check_paid_once(venue)
    assert await states_of(venue) == ["final", "dead"]


async def test_an_answer_about_a_stranger_stops_the_worker(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def confirm(attempt: Attempt) -> Confirmation:
        stranger = TransactionId("s" * 64)
        return Confirmation(ConfirmationState.FINAL, stranger, None, 9, 1, b"p")

    await broadcast(venue)
    monkeypatch.setattr(venue.chain, "confirm", confirm)
    with pytest.raises(Broken):
        await venue.run(venue.worker(), 1)
    assert await venue.states() == ["broadcasting"]
