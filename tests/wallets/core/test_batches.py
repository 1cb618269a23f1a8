"""Payouts that share a transaction: each is paid once and settled, whatever becomes of it."""

from random import Random

import pytest

from runtime.errors import Unavailable
from tests.wallets.core.conftest import ASSET_ID, Venue, request
from tests.wallets.core.memory_chain import FEE_ATOMS, RAISE_ATOMS
from tests.wallets.core.test_pipeline import AMOUNT, CHARGED, book_of
from wallets.contract import Batching
from wallets.errors import Fenced

COUNT = 4


async def request_all(venue: Venue, count: int = COUNT) -> None:
    venue.chain.batching = Batching(count)
    for number in range(1, count + 1):
        await venue.engine.request(request(number))


async def run_to(venue: Venue, state: str, *, mines: bool = False) -> None:
    """Until all payouts are there."""
    for _ in range(60):
        if set(await venue.states()) == {state}:
            return
        await venue.run(venue.worker(), 1, mines=mines)
    raise AssertionError(await venue.states())


def check_all_paid_once(venue: Venue, count: int) -> None:
    ids = {request(number).withdrawal_id for number in range(1, count + 1)}
    assert venue.chain.paid() == {one: [AMOUNT] for one in ids}
    assert venue.engine.states == dict.fromkeys(ids, "settled")


async def check_book(venue: Venue, count: int, fee_atoms: int = FEE_ATOMS) -> None:
    assert await book_of(venue) == {
        (ASSET_ID, "hot"): -count * AMOUNT - fee_atoms,
        (ASSET_ID, "customers"): count * (AMOUNT + CHARGED),
        (ASSET_ID, "fees_charged"): -count * CHARGED,
        (ASSET_ID, "network_cost"): fee_atoms,
    }


async def start_all(venue: Venue) -> None:
    """All are started, so that the next build finds them all."""
    window, venue.chain.batching = venue.chain.batching, Batching(200, window_seconds=3_600)
    worker = venue.worker()
    for _ in range(60):
        if set(await venue.states()) == {"started"}:
            break
        # Those that wait for others do so for a while.
        await worker.step()
        await venue.engine.apply()
    assert set(await venue.states()) == {"started"}
    venue.chain.batching = window
    await venue.pass_time()


async def test_all_that_are_ready_go_out_in_one_transaction_and_settle_together(
    venue: Venue,
) -> None:
    await request_all(venue)
    await start_all(venue)
    for state in ("built", "signed", "broadcasting"):
        await venue.run(venue.worker(), 1, mines=False)
        assert set(await venue.states()) == {state}
    await run_to(venue, "settled", mines=True)
    await venue.engine.apply()
    check_all_paid_once(venue, COUNT)
    await check_book(venue, COUNT)
    assert len(venue.signer.log) == 1
    assert await venue.connection.fetchval("select count(*) from custody.owned_input") == 0


async def test_a_batch_is_never_larger_than_it_may_be(venue: Venue) -> None:
    await request_all(venue)
    venue.chain.batching = Batching(3)
    await start_all(venue)
    await run_to(venue, "settled", mines=True)
    await venue.engine.apply()
    check_all_paid_once(venue, COUNT)
    await check_book(venue, COUNT, 2 * FEE_ATOMS)
    assert len(venue.signer.log) == 2


async def test_the_first_waits_for_others_until_the_window_is_over(venue: Venue) -> None:
    await request_all(venue, 2)
    venue.chain.batching = Batching(3, window_seconds=600)
    await start_all(venue)
    await venue.run(venue.worker(), 4, mines=False)
    assert await venue.states() == ["started"] * 2
    await venue.connection.execute(
        "update custody.payout set changed_at = changed_at - interval '1 hour'"
    )
    await venue.run(venue.worker(), 1, mines=False)
    assert await venue.states() == ["built"] * 2
    await run_to(venue, "settled", mines=True)
    await venue.engine.apply()
    check_all_paid_once(venue, 2)


async def test_what_is_not_enough_for_all_pays_the_oldest(venue: Venue) -> None:
    await request_all(venue)
    await start_all(venue)
    venue.chain.payouts_max = 1
    await venue.run(venue.worker(), 1, mines=False)
    assert sorted(await venue.states()) == ["built"] + ["started"] * (COUNT - 1)
    built = await venue.connection.fetchval(
        "select withdrawal_id from custody.payout where state = 'built'"
    )
    assert built == request(1).withdrawal_id
    assert not await venue.connection.fetchval(
        "select count(*) from custody.payout where claimed_by <> ''"
    )
    await run_to(venue, "settled", mines=True)
    await venue.engine.apply()
    check_all_paid_once(venue, COUNT)


async def test_the_death_of_a_batch_is_proven_for_each_of_its_payouts(venue: Venue) -> None:
    await request_all(venue)
    await start_all(venue)
    await run_to(venue, "signed")
    venue.chain.steal("coin:0")
    await run_to(venue, "settled", mines=True)
    await venue.engine.apply()
    check_all_paid_once(venue, COUNT)
    ids = {request(number).withdrawal_id for number in range(1, COUNT + 1)}
    assert venue.approver.retries == ids
    assert (
        await venue.connection.fetchval(
            "select count(*) from custody.attempt where state = 'dead' and death_proof is not null"
        )
        == 1
    )


@pytest.mark.parametrize("is_older_mined", [False, True])
async def test_a_raised_fee_is_that_of_the_whole_batch(venue: Venue, is_older_mined: bool) -> None:
    await request_all(venue)
    await start_all(venue)
    await run_to(venue, "broadcasting")
    await venue.run(venue.worker(), 1, mines=False)
    (older,) = venue.chain.pool.values()
    await venue.pass_patience()
    await venue.run(venue.worker(), 3, mines=False)
    (newer,) = venue.chain.pool.values()
    assert older != newer
    if is_older_mined:
        venue.chain.mine_only(older)
    await run_to(venue, "settled", mines=True)
    await venue.engine.apply()
    check_all_paid_once(venue, COUNT)
    await check_book(venue, COUNT, FEE_ATOMS + RAISE_ATOMS * (not is_older_mined))


async def test_a_reorganisation_reopens_all_and_settles_all_again(venue: Venue) -> None:
    await request_all(venue)
    await start_all(venue)
    await run_to(venue, "settled", mines=True)
    await venue.engine.apply()
    venue.chain.reorganise(len(venue.chain.blocks))
    await venue.run(venue.worker(), 1, mines=False)
    assert set(await venue.states()) == {"broadcasting"}
    assert await book_of(venue) == {}
    await run_to(venue, "settled", mines=True)
    await venue.engine.apply()
    check_all_paid_once(venue, COUNT)
    await check_book(venue, COUNT)
    assert len(venue.signer.log) == 1


async def test_of_two_workers_that_hold_payouts_of_one_batch_one_is_fenced(venue: Venue) -> None:
    await request_all(venue, 2)
    await start_all(venue)
    await run_to(venue, "built")
    first, second = venue.worker("first"), venue.worker("second")
    mine = await first._store.claim()
    await venue.connection.execute("update custody.payout set claim_expires_at = '-infinity'")
    await venue.connection.execute(
        "update custody.payout set not_before = 'infinity' where claimed_by = 'first'"
    )
    other = await second._store.claim()
    assert mine is not None
    assert other is not None
    assert mine.withdrawal_id != other.withdrawal_id
    await first._advance(mine, await first._store.read(mine))
    with pytest.raises(Fenced):
        await second._advance(other, await second._store.read(other))
    assert await venue.states() == ["signed"] * 2
    assert len(venue.signer.log) == 1


@pytest.mark.parametrize("seed", range(6))
async def test_however_workers_and_blocks_take_turns_each_is_paid_once(
    venue: Venue, seed: int
) -> None:
    random = Random(seed)
    await request_all(venue, 6)
    venue.chain.batching = Batching(3)
    workers = [venue.worker(str(number)) for number in range(3)]
    for _ in range(160):
        if random.random() < 0.8:
            await venue.pass_time()
        if random.random() < 0.1:
            await venue.pass_patience()
        venue.chain.loses_replies = random.random() < 0.1
        if random.random() < 0.03 and venue.chain.blocks:
            venue.chain.reorganise(1)
        try:
            await random.choice(workers).step()
        except (Fenced, Unavailable):
            continue
        await venue.engine.apply()
        if random.random() < 0.3:
            venue.chain.mine()
    venue.chain.loses_replies = False
    for _ in range(60):
        await venue.run(workers[0], 1)
    check_all_paid_once(venue, 6)


async def test_a_large_payout_that_waits_for_coins_is_not_overtaken_for_ever(
    venue: Venue,
) -> None:
    large, small, late = (request(number).withdrawal_id for number in (1, 2, 3))
    venue.chain.too_large = {large}
    await venue.engine.request(request(1))
    await venue.run(venue.worker(), 4)
    await venue.engine.request(request(2))
    for _ in range(8):
        # The large one has its pause, and the other one does not wait for it.
        await venue.worker().step()
        await venue.engine.apply()
        venue.chain.mine()
        await venue.connection.execute(
            "update custody.payout set not_before = '-infinity' where withdrawal_id = $1", small
        )
    await venue.engine.apply()
    assert venue.engine.states == {large: "in flight", small: "settled"}
    await venue.connection.execute(
        "update custody.payout set changed_at = changed_at - interval '11 minutes' "
        "where state = 'started'"
    )
    await venue.engine.request(request(3))
    for _ in range(8):
        await venue.worker().step()
        await venue.engine.apply()
        venue.chain.mine()
    states = await venue.connection.fetch("select withdrawal_id, state from custody.payout")
    assert dict(map(tuple, states)) == {large: "started", small: "settled", late: "started"}
    venue.chain.too_large = set()
    await venue.run(venue.worker(), 1)
    first = await venue.connection.fetchval(
        "select withdrawal_id from custody.attempt_output order by attempt_id desc limit 1"
    )
    assert first == large
    await venue.run(venue.worker(), 20)
    check_all_paid_once(venue, 3)


@pytest.mark.parametrize("seed", range(4))
async def test_however_inputs_are_stolen_from_batches_each_payout_is_paid_once(
    venue: Venue, seed: int
) -> None:
    random = Random(seed)
    await request_all(venue, 6)
    venue.chain.batching = Batching(4)
    workers = [venue.worker(str(number)) for number in range(2)]
    stolen: set[str] = set()
    for _ in range(140):
        await venue.pass_time()
        owned = await venue.connection.fetchval("select max(input) from custody.owned_input")
        if len(stolen) < 3 and owned not in venue.chain.spent() | {None} and random.random() < 0.1:
            venue.chain.steal(owned)
            stolen.add(owned)
        try:
            await random.choice(workers).step()
        except (Fenced, Unavailable):
            continue
        await venue.engine.apply()
        if random.random() < 0.3:
            venue.chain.mine()
    for _ in range(40):
        await venue.run(workers[0], 1)
    assert stolen
    check_all_paid_once(venue, 6)
    dead = await venue.connection.fetchval(
        "select count(*) from custody.attempt where state = 'dead' and death_proof is null"
    )
    assert dead == 0
