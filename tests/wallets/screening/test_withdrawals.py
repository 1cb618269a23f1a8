"""No verdict, no approval; one answer per withdrawal; what is held waits for two persons."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from runtime.clock import ManualClock
from runtime.errors import Unavailable
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.core.conftest import Venue, request
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.errors import Fenced, Rejected
from wallets.screening import held, limits
from wallets.screening.switch import require
from wallets.screening.verdicts import Answer, Question, Subject, Verdict
from wallets.screening.withdrawals import Screened
from wallets.service import cancelling

PEOPLE = ("anna", "boris")
ID = request().withdrawal_id


@dataclass
class Screen:
    """Says one thing of all, or is away."""

    verdict: Verdict = Verdict.ACCEPT
    is_away: bool = False
    asked: list[Question] = field(default_factory=list)

    async def judge(self, question: Question) -> Answer:
        self.asked.append(question)
        if self.is_away:
            raise Unavailable("away")
        return Answer(self.verdict, "SANCTIONED", "case 7")


@dataclass
class World:
    """A venue whose network screens withdrawals."""

    venue: Venue
    screen: Screen = field(default_factory=Screen)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        database = self.venue.database
        screened = Screened(database, self.venue.approver, self.screen, self.clock)
        store = Store(database, NETWORK_ID, "worker")
        self.worker = Pipeline(store, self.venue.chain, screened, self.venue.signer)

    async def go(self, rounds: int = 12) -> None:
        for _ in range(rounds):
            # What was held meanwhile is no longer the worker's.
            with contextlib.suppress(Fenced):
                await self.venue.run(self.worker, 1)

    async def payout(self) -> tuple[str, str, str]:
        row = await self.venue.connection.fetchrow(
            "select state, condition, reason from custody.payout"
        )
        assert row is not None
        return row["state"], row["condition"], row["reason"]


@pytest.fixture
async def world(venue: Venue) -> World:
    await require(venue.database, NETWORK_ID, Subject.WITHDRAWAL, PEOPLE, on=True)
    return World(venue)


async def test_an_accepted_withdrawal_is_asked_about_once_and_paid(world: World) -> None:
    await world.venue.engine.request(request())
    await world.go()
    assert await world.venue.states() == ["settled"]
    assert world.screen.asked == [
        Question(Subject.WITHDRAWAL, ID, "bitcoin", "regtest", "to-alice", 4096, "MEM", 50_000)
    ]


async def test_without_an_answer_a_withdrawal_waits_and_its_money_stays_held(world: World) -> None:
    world.screen.is_away = True
    await world.venue.engine.request(request())
    await world.go(6)
    assert await world.payout() == ("requested", "ScreeningUnavailable", "")
    assert world.venue.engine.states == {ID: "held"}
    assert world.venue.approver.asked_count == 0
    # Nobody is asked until the pause is over: steps do not wait for one time limit after another.
    assert len(world.screen.asked) == 1
    world.screen.is_away = False
    world.clock.monotonic_time_ns += int(limits.SILENCE_SECONDS * 1_000_000_000)
    await world.go()
    assert await world.venue.states() == ["settled"]


async def test_where_nobody_can_be_asked_nothing_is_approved(world: World) -> None:
    world.worker = Pipeline(
        Store(world.venue.database, NETWORK_ID, "worker"),
        world.venue.chain,
        Screened(world.venue.database, world.venue.approver, None, world.clock),
        world.venue.signer,
    )
    await world.venue.engine.request(request())
    await world.go(3)
    assert await world.payout() == ("requested", "ScreeningUnavailable", "")


async def test_a_rejected_withdrawal_is_rejected_by_name_and_its_money_goes_back(
    world: World,
) -> None:
    world.screen.verdict = Verdict.REJECT
    await world.venue.engine.request(request())
    await world.go()
    assert await world.payout() == ("rejected", "", "SCREENING_SANCTIONED")
    assert world.venue.engine.states == {ID: "released"}
    assert world.venue.approver.asked_count == 0


async def test_a_held_withdrawal_waits_for_two_persons_and_is_then_paid(world: World) -> None:
    world.screen.verdict = Verdict.HOLD
    await world.venue.engine.request(request())
    await world.go()
    assert await world.payout() == ("held", "", "SCREENING_SANCTIONED")
    assert world.venue.engine.states == {ID: "held"}
    (one,) = await held.read_held(world.venue.database, NETWORK_ID)
    assert (one.withdrawal_id, one.destination, one.amount_atoms) == (ID, "to-alice", 50_000)
    assert (one.reason, one.reference) == ("SCREENING_SANCTIONED", "case 7")
    await held.release(world.venue.database, NETWORK_ID, ID, PEOPLE)
    await world.go()
    assert await world.venue.states() == ["settled"]
    assert len(world.screen.asked) == 1
    reasons = await world.venue.connection.fetch(
        "select reason from custody.event where kind = 'payout' and actor = 'people'"
    )
    assert [row["reason"] for row in reasons] == ["released by anna and boris"]


async def test_two_persons_refuse_a_held_withdrawal_and_its_money_goes_back(world: World) -> None:
    world.screen.verdict = Verdict.HOLD
    await world.venue.engine.request(request())
    await world.go(3)
    await held.refuse(world.venue.database, NETWORK_ID, ID, PEOPLE)
    await world.go(3)
    assert await world.payout() == ("rejected", "", "SCREENING_SANCTIONED")
    assert world.venue.engine.states == {ID: "released"}


async def test_its_account_may_cancel_what_is_held(world: World) -> None:
    world.screen.verdict = Verdict.HOLD
    await world.venue.engine.request(request())
    await world.go(3)
    assert await cancelling.cancel(world.venue.database, 4096, ID) == "cancelled"
    await world.go(3)
    assert world.venue.engine.states == {ID: "released"}
    with pytest.raises(Rejected, match="WITHDRAWAL_STATE"):
        await held.release(world.venue.database, NETWORK_ID, ID, PEOPLE)


async def test_nobody_is_asked_where_the_network_requires_no_verdict(world: World) -> None:
    await require(world.venue.database, NETWORK_ID, Subject.WITHDRAWAL, PEOPLE, on=False)
    await world.venue.engine.request(request())
    await world.go()
    assert await world.venue.states() == ["settled"]
    assert world.screen.asked == []


async def test_an_answer_that_comes_after_another_workers_changes_nothing(world: World) -> None:
    await world.venue.engine.request(request())

    class Late(Screen):
        async def judge(self, question: Question) -> Answer:
            await world.worker.step()
            self.verdict = Verdict.HOLD
            return await super().judge(question)

    late = Screened(world.venue.database, world.venue.approver, Late(), world.clock)
    with contextlib.suppress(Fenced):
        await late.approve(ID, 1, ())
    assert await world.payout() == ("approved", "", "")
    verdict = await world.venue.connection.fetchval("select verdict from custody.payout_screening")
    assert verdict == "accept"


Decision = Callable[[World, tuple[str, ...]], Awaitable[None]]


async def release(world: World, people: tuple[str, ...]) -> None:
    await held.release(world.venue.database, NETWORK_ID, ID, people)


async def refuse(world: World, people: tuple[str, ...]) -> None:
    await held.refuse(world.venue.database, NETWORK_ID, ID, people)


@pytest.mark.parametrize("decide", [release, refuse])
@pytest.mark.parametrize(
    ("people", "reason"),
    [
        (("anna",), "TWO_PERSONS"),
        (("anna", "Anna "), "TWO_PERSONS"),
        (PEOPLE, "WITHDRAWAL_STATE"),
    ],
)
async def test_a_decision_that_may_not_be_is_refused_by_name(
    world: World, decide: Decision, people: tuple[str, ...], reason: str
) -> None:
    await world.venue.engine.request(request())
    with pytest.raises(Rejected) as raised:
        await decide(world, people)
    assert raised.value.reason == reason
    assert await world.venue.states() == ["requested"]
