"""A withdrawal that its customer cancels leaves its batch while nobody has signed, never after."""

from tests.wallets.core.conftest import Venue, request
from tests.wallets.core.memory_chain import FEE_ATOMS
from tests.wallets.core.test_batches import COUNT, check_book, request_all, run_to, start_all
from tests.wallets.core.test_pipeline import AMOUNT

WISH = request(2).withdrawal_id


async def want_back(venue: Venue, withdrawal_id: bytes = WISH) -> None:
    await venue.connection.execute(
        "update custody.payout set cancel_requested = true where withdrawal_id = $1", withdrawal_id
    )


async def finish(venue: Venue) -> None:
    for _ in range(100):
        if set(venue.engine.states.values()) <= {"settled", "released"}:
            return
        await venue.run(venue.worker(), 1)
    raise AssertionError(await venue.states())


def check_paid_or_back(venue: Venue, back: set[bytes]) -> None:
    paid = {request(number).withdrawal_id for number in range(1, COUNT + 1)} - back
    assert venue.chain.paid() == {one: [AMOUNT] for one in paid}
    expected = dict.fromkeys(paid, "settled") | dict.fromkeys(back, "released")
    assert venue.engine.states == expected


def check_others_paid(venue: Venue) -> None:
    check_paid_or_back(venue, {WISH})
    assert WISH in venue.signer.closed


async def test_what_is_started_is_never_planned_and_its_money_goes_back(venue: Venue) -> None:
    await request_all(venue)
    await start_all(venue)
    await want_back(venue)
    await finish(venue)
    check_others_paid(venue)
    await check_book(venue, COUNT - 1)


async def test_what_is_planned_is_taken_out_and_the_others_go_without_it(venue: Venue) -> None:
    await request_all(venue)
    await start_all(venue)
    await venue.run(venue.worker(), 1, mines=False)
    assert set(await venue.states()) == {"built"}
    await want_back(venue)
    await venue.run(venue.worker(), 1, mines=False)
    assert sorted(await venue.states()) == ["cancelled", *["started"] * (COUNT - 1)]
    assert await venue.connection.fetchval("select count(*) from custody.owned_input") == 0
    # The others are planned together again, or as they are approved anew; each is paid once.
    await finish(venue)
    check_others_paid(venue)
    fees = FEE_ATOMS * len(venue.signer.log)
    await check_book(venue, COUNT - 1, fees)


async def test_what_the_signer_signed_is_paid_though_nobody_heard_its_answer(venue: Venue) -> None:
    await request_all(venue)
    await start_all(venue)
    await venue.run(venue.worker(), 1, mines=False)
    row = await venue.connection.fetchrow("select intent_id, intent from custody.attempt_plan")
    assert row is not None
    venue.signer.log[row["intent_id"]] = row["intent"]
    await want_back(venue)
    await finish(venue)
    assert set(venue.engine.states.values()) == {"settled"}
    assert venue.chain.paid()[WISH] == [AMOUNT]


async def test_what_is_in_a_block_is_paid_whatever_is_wished_later(venue: Venue) -> None:
    await request_all(venue)
    await start_all(venue)
    await run_to(venue, "broadcasting")
    venue.chain.mine()
    await want_back(venue)
    await finish(venue)
    assert set(venue.engine.states.values()) == {"settled"}
    assert venue.signer.closed == set()


async def test_what_was_signed_and_is_proven_dead_can_be_cancelled(venue: Venue) -> None:
    await request_all(venue)
    await start_all(venue)
    await run_to(venue, "signed")
    venue.chain.steal("coin:0")
    await want_back(venue)
    await finish(venue)
    assert venue.engine.states[WISH] == "released"
    assert WISH not in venue.chain.paid()
    assert len(venue.chain.paid()) == COUNT - 1
