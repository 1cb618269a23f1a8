"""A worker dies before or after any call that the pipeline awaits; the next one does the rest."""

from functools import partial

import pytest

from tests.wallets.core.conftest import Venue, nothing, request
from tests.wallets.core.memory_chain import FEE_ATOMS, RAISE_ATOMS
from tests.wallets.core.test_batches import check_all_paid_once
from tests.wallets.core.test_pipeline import AMOUNT, check_paid_once
from tests.wallets.crash_points import Countdown, Sites, die_everywhere
from wallets.contract import Batching
from wallets.core import pipeline
from wallets.core.pipeline import Pipeline

# Many short lives, one after the other.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

PORTS = ("_store", "_chain", "_approver", "_signer")


WHENS = ("before", "after")
SITES = Sites(pipeline, name=lambda site: site.call)


def mortal(worker: Pipeline, countdown: Countdown) -> Pipeline:
    for port in PORTS:
        setattr(worker, port, countdown.before(getattr(worker, port)))
    return worker


async def steal(venue: Venue) -> None:
    """Somebody else spends the first coin once it is in a signed attempt."""
    if set(await venue.states()) == {"signed"} and "coin:0" not in venue.chain.spent():
        venue.chain.steal("coin:0")


async def reorganise(venue: Venue) -> None:
    """The chain loses all its blocks once, after the payout was settled."""
    settled = await venue.connection.fetchval(
        "select count(*) from custody.outbox where kind = 'settle' and answer_reason is not null"
    )
    if settled == 1 and await venue.states() == ["settled"]:
        venue.chain.reorganise(len(venue.chain.blocks))


async def lose_a_block(venue: Venue) -> None:
    """The block with the payment goes while the payout confirms."""
    if await venue.states() == ["confirming"] and len(venue.signer.log) == 1:
        venue.signer.log[b"a reorganisation happened"] = b""
        venue.chain.reorganise(len(venue.chain.blocks))


async def fund_late(venue: Venue) -> None:
    """The hot wallet is empty until the payout says so."""
    conditions = await venue.connection.fetch("select condition from custody.payout")
    waits = [row["condition"] for row in conditions] == ["HotWalletUnfunded"]
    attempts = await venue.connection.fetchval("select count(*) from custody.attempt")
    venue.chain.refuses_builds = not (waits or attempts)


async def be_dear(venue: Venue) -> None:
    """Miners take nothing at the first price, and time is long."""
    venue.chain.least_fee_atoms = FEE_ATOMS + RAISE_ATOMS
    await venue.pass_patience()


async def let_others_pass(venue: Venue) -> None:
    """Rounds have no pauses in them: who waits for others would be the only one that is claimed."""
    await venue.connection.execute(
        "update custody.payout set priority = case when state = 'started' then -1 else 0 end"
    )


async def let_approvals_expire(venue: Venue) -> None:
    """The first approval has run out when its plan is to be signed."""
    venue.signer.believes = lambda: venue.approver.asked_count > 1


async def end_window(venue: Venue, state: str) -> None:
    """The one that is left has waited for others long enough."""
    await venue.connection.execute(
        "update custody.payout set changed_at = changed_at - interval '2 hours' "
        "where state = 'started' and exists (select from custody.payout where state = $1)",
        state,
    )


async def steal_from_both(venue: Venue) -> None:
    """The first transaction for both of them dies."""
    await let_others_pass(venue)
    await steal(venue)
    await end_window(venue, "settled")


async def want_it_back(venue: Venue) -> None:
    """The customer cancels once the engine has started it."""
    await venue.connection.execute(
        "update custody.payout set cancel_requested = true where state = 'started'"
    )


async def drop_one(venue: Venue) -> None:
    """One of them is cancelled while both are planned together."""
    await let_others_pass(venue)
    await venue.connection.execute(
        "update custody.payout set cancel_requested = true where state = 'built' "
        "and withdrawal_id = $1",
        request(TOGETHER).withdrawal_id,
    )
    await end_window(venue, "cancelled")


async def drop_one_that_was_sent(venue: Venue) -> None:
    """One of them is cancelled while nobody mines the first transaction for both of them."""
    await let_others_pass(venue)
    venue.chain.least_fee_atoms = FEE_ATOMS + RAISE_ATOMS
    await venue.connection.execute(
        "update custody.payout set cancel_requested = true where state = 'broadcasting' "
        "and withdrawal_id = $1",
        request(TOGETHER).withdrawal_id,
    )


WORLDS = {
    "quiet": nothing,
    "stolen": steal,
    "reorganised": reorganise,
    "lost_block": lose_a_block,
    "late": fund_late,
    "dear": be_dear,
    "expired": let_approvals_expire,
    "refused": nothing,
    "together": let_others_pass,
    "stolen_together": steal_from_both,
    "cancelled": want_it_back,
    "dropped_together": drop_one,
    "sent_and_dropped_together": drop_one_that_was_sent,
}
# Where calls that others show too stand beside an attempt that may be mined, and which.
DROPS = ("build", "plan_bump", "sign", "write_ahead_bump", "leave", "close")
ANEW = {
    "dear": SITES.expected(),
    "sent_and_dropped_together": {f"{when} {name}" for name in DROPS for when in WHENS},
}
# Those in which a claim is kept from step to step, and the calls under it.
STRIDES = ("quiet", "expired", "cancelled", "together")
STRIDDEN = (
    *("claim", "read", "obstacles", "approve", "gather", "build", "plan", "sign", "write_ahead"),
    *("broadcast", "confirm", "settle", "wait", "cancel", "close"),
)
# Payouts of a world; together they wait for each other.
TOGETHER = 2
ROUNDS = 24


async def finish(venue: Venue, worker: Pipeline) -> None:
    """Runs until the engine's side is settled or released, at most `ROUNDS` rounds."""
    for _ in range(ROUNDS):
        await venue.run(worker, 1)
        if set(venue.engine.states.values()) <= {"settled", "released"}:
            break


async def live(venue: Venue, world: str, countdown: Countdown) -> None:
    """One worker in a fresh world until it is done, or dies at a point."""
    await venue.begin_anew()
    venue.disturb = WORLDS[world]
    where = "nowhere" if world == "refused" else "to-alice"
    await venue.engine.request(request(destination=where))
    if world.endswith("together"):
        venue.chain.batching = Batching(TOGETHER, window_seconds=3_600)
        await venue.engine.request(request(TOGETHER))
    worker = mortal(venue.worker("first"), countdown)
    await finish(venue, worker)
    # Now the watch after settlement, which finds the reorganisation where there is one.
    await venue.run(worker, 2)


def check_one_dropped(venue: Venue) -> None:
    """The signer's word decides, whichever worker died: the money went one way for each."""
    dropped = request(TOGETHER).withdrawal_id
    is_paid = dropped in venue.chain.paid()
    assert venue.engine.states[dropped] == ("settled" if is_paid else "released")
    assert venue.engine.states[request().withdrawal_id] == "settled"
    assert all(len(amounts) == 1 for amounts in venue.chain.paid().values())
    assert is_paid == (dropped not in venue.signer.closed)


async def go_on(venue: Venue, world: str) -> None:
    """A second worker always ends with one payment."""
    await finish(venue, venue.worker("second"))
    await venue.run(venue.worker("second"), 2)
    await finish(venue, venue.worker("second"))
    if world == "refused":
        assert await venue.states() == ["rejected"]
        assert venue.engine.states == {request().withdrawal_id: "released"}
    elif world == "cancelled":
        assert await venue.states() == ["cancelled"]
        assert venue.engine.states == {request().withdrawal_id: "released"}
        assert venue.chain.paid() == {}
    elif world == "dropped_together":
        check_one_dropped(venue)
    elif world == "sent_and_dropped_together":
        assert list(venue.chain.paid().values()) == [[AMOUNT]]
        assert sorted(venue.engine.states.values()) == ["released", "settled"]
        assert venue.engine.states[request(TOGETHER).withdrawal_id] == "released"
    elif world.endswith("together"):
        check_all_paid_once(venue, TOGETHER)
    else:
        await check_paid_once(venue, FEE_ATOMS + RAISE_ATOMS * (world == "dear"))


async def test_a_worker_may_die_at_every_awaited_call(venue: Venue) -> None:
    # One test, not one per world: what was reached is looked at in the end, in one process.
    reached: set[str] = set()
    for world in WORLDS:
        shown = reached - ANEW.get(world, set())
        await die_everywhere(
            SITES, partial(live, venue, world), partial(go_on, venue, world), reached, shown
        )
    assert SITES.expected() - reached == set()


async def test_a_worker_that_goes_on_under_one_claim_may_die_at_every_call_on_the_way(
    venue: Venue,
) -> None:
    venue.strides = True
    reached: set[str] = set()
    for world in STRIDES:
        await die_everywhere(
            SITES, partial(live, venue, world), partial(go_on, venue, world), reached
        )
    passed = {f"{when} {name}" for name in STRIDDEN for when in WHENS}
    assert passed - reached == set()
