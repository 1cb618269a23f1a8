"""A worker dies before or after any call that the pipeline awaits; the next one does the rest."""

import ast
import contextlib
import inspect
from typing import Any

from tests.wallets.core.conftest import Venue, nothing, request
from tests.wallets.core.memory_chain import FEE_ATOMS, RAISE_ATOMS
from tests.wallets.core.test_batches import check_all_paid_once
from tests.wallets.core.test_pipeline import check_paid_once
from wallets.contract import Batching
from wallets.core import pipeline
from wallets.core.pipeline import Pipeline

PORTS = ("_store", "_chain", "_approver", "_signer")


class Died(BaseException):
    """The worker is gone; it cleans nothing up."""


class Countdown:
    """Dies at the n-th point; a call has two: before it, and after it with its answer lost."""

    def __init__(self, points: int) -> None:
        self.left = points
        self.names: list[str] = []

    def pass_point(self, name: str) -> None:
        self.left -= 1
        self.names.append(name)
        if self.left == 0:
            raise Died(name)


class Mortal:
    """Stands before a port of the pipeline."""

    def __init__(self, port: Any, countdown: Countdown) -> None:
        self._port = port
        self._countdown = countdown

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*arguments: Any, **named: Any) -> Any:
            self._countdown.pass_point(f"before {name}")
            answer = await found(*arguments, **named)
            self._countdown.pass_point(f"after {name}")
            return answer

        return call


def mortal(worker: Pipeline, countdown: Countdown) -> Pipeline:
    for port in PORTS:
        setattr(worker, port, Mortal(getattr(worker, port), countdown))
    return worker


def awaited_calls() -> set[str]:
    """Names of all calls on ports that stand behind an `await` in the pipeline's source."""
    names = set()
    for node in ast.walk(ast.parse(inspect.getsource(pipeline))):
        if not isinstance(node, ast.Await):
            continue
        call = node.value
        assert isinstance(call, ast.Call)
        assert isinstance(call.func, ast.Attribute)
        owner = call.func.value
        if isinstance(owner, ast.Name) and owner.id == "self":
            continue  # A method of the pipeline itself: its own awaits are looked at here too.
        assert isinstance(owner, ast.Attribute)
        assert owner.attr in PORTS, f"{ast.unparse(call)} has no crash point"
        names.add(call.func.attr)
    return names


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


async def steal_from_both(venue: Venue) -> None:
    """The first transaction for both of them dies."""
    await let_others_pass(venue)
    await steal(venue)


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
    # The window of the one that is left is over.
    await venue.connection.execute(
        "update custody.payout set changed_at = changed_at - interval '2 hours' "
        "where state = 'started' and exists (select from custody.payout where state = 'cancelled')"
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
}
# Payouts of a world; together they wait for each other.
TOGETHER = 2
ROUNDS = 24


async def finish(venue: Venue, worker: Pipeline) -> None:
    """Runs until the engine's side is settled or released, at most `ROUNDS` rounds."""
    for _ in range(ROUNDS):
        await venue.run(worker, 1)
        if set(venue.engine.states.values()) <= {"settled", "released"}:
            break


async def live(venue: Venue, world: str, points: int) -> list[str]:
    """One worker in a fresh world until it dies at a point; the points that it passed."""
    await venue.begin_anew()
    venue.disturb = WORLDS[world]
    where = "nowhere" if world == "refused" else "to-alice"
    await venue.engine.request(request(destination=where))
    if world.endswith("together"):
        venue.chain.batching = Batching(TOGETHER, window_seconds=3_600)
        await venue.engine.request(request(TOGETHER))
    countdown = Countdown(points)
    worker = mortal(venue.worker("first"), countdown)
    with contextlib.suppress(Died):
        await finish(venue, worker)
        # Now the watch after settlement, which finds the reorganisation where there is one.
        await venue.run(worker, 2)
    return countdown.names


def choose(names: list[str], reached: set[str]) -> list[int]:
    """First and last place of each point that no earlier world has shown."""
    last = {name: place for place, name in enumerate(names, start=1)}
    first = {name: names.index(name) + 1 for name in names}
    fresh = set(names) - reached
    return sorted({places[name] for places in (first, last) for name in fresh})


def check_one_dropped(venue: Venue) -> None:
    """The signer's word decides, whichever worker died: the money went one way for each."""
    dropped = request(TOGETHER).withdrawal_id
    is_paid = dropped in venue.chain.paid()
    assert venue.engine.states[dropped] == ("settled" if is_paid else "released")
    assert venue.engine.states[request().withdrawal_id] == "settled"
    assert all(len(amounts) == 1 for amounts in venue.chain.paid().values())
    assert is_paid == (dropped not in venue.signer.closed)


async def die_everywhere(venue: Venue, world: str, reached: set[str]) -> None:
    """A fresh world for each chosen point; a second worker always ends with one payment."""
    names = await live(venue, world, points=10_000)
    # In the dear world calls that others show too stand beside an attempt that may be mined.
    shown = set() if world == "dear" else reached
    for points in choose(names, shown):
        reached.add((await live(venue, world, points))[-1])
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
        elif world.endswith("together"):
            check_all_paid_once(venue, TOGETHER)
        else:
            await check_paid_once(venue, FEE_ATOMS + RAISE_ATOMS * (world == "dear"))


async def test_a_worker_may_die_at_every_awaited_call(venue: Venue) -> None:
    # One test, not one per world: what was reached is looked at in the end, in one process.
    reached: set[str] = set()
    for world in WORLDS:
        await die_everywhere(venue, world, reached)
    names = awaited_calls()
    expected = {f"{when} {name}" for name in names for when in ("before", "after")}
    assert expected - reached == set()
