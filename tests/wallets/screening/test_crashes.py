"""A worker, or a person's command, is killed at every point of the gate; the next does the rest.

Each life is a process of its own that dies of SIGKILL, and what it leaves is what Postgres keeps.
The next screening would say the opposite: an answer that was stored is never asked for again.
"""

import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from runtime.clock import ManualClock
from tests.wallets.conftest import NETWORK_ID
from tests.wallets.core.conftest import Venue, request
from tests.wallets.core.test_pipeline import AMOUNT
from tests.wallets.crash_points import Countdown, die_everywhere
from tests.wallets.screening.one_life import ID, PEOPLE, SITES, Screen, decide
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.errors import Fenced
from wallets.screening.switch import require
from wallets.screening.verdicts import Subject, Verdict
from wallets.screening.withdrawals import Screened

# Many short lives, one after the other, each a process.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
ROUNDS = 12
# What is stored of a withdrawal that is paid in the end.
PAID = ("accept", "release")


@dataclass(frozen=True)
class World:
    """What a screening says, what people decide of it, and what another one would say."""

    verdict: Verdict
    opposite: Verdict
    decision: str = ""


WORLDS = (
    World(Verdict.ACCEPT, Verdict.REJECT),
    World(Verdict.REJECT, Verdict.ACCEPT),
    World(Verdict.HOLD, Verdict.ACCEPT, "release"),
    World(Verdict.HOLD, Verdict.ACCEPT, "refuse"),
)


@dataclass
class Gate:
    """What outlives the processes: the tables, and the chain and engine around them."""

    venue: Venue
    dsn: str
    # Events are never deleted: those up to here are of earlier lives.
    events_before: int = 0

    async def live(self, world: World, countdown: Countdown) -> None:
        """A fresh withdrawal, and one process that ends or is killed."""
        await self.venue.begin_anew()
        self.events_before = await self.venue.connection.fetchval(
            "select coalesce(max(event_id), 0) from custody.event"
        )
        await self.venue.engine.request(request())
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.wallets.screening.one_life", "--dsn", self.dsn),
            *("--verdict", world.verdict.value, "--decision", world.decision),
            *("--point", countdown.point, "--times", str(countdown.times)),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        told, _ = await process.communicate()
        countdown.names = told.decode().splitlines()
        countdown.is_dead = process.returncode == -signal.SIGKILL
        assert countdown.is_dead == bool(countdown.point), process.returncode
        assert countdown.is_dead or process.returncode == 0

    async def go_on(self, world: World) -> None:
        """The next processes end it, by the answer that was stored."""
        venue = self.venue
        stored = await self.verdict()
        assert stored in ("", world.verdict, world.decision)
        # Whatever the dead one did: no money has moved by it alone.
        assert venue.chain.paid() == {}
        assert venue.engine.states == {ID: "held"}
        screen = Screen(world.opposite)
        screened = Screened(venue.database, venue.approver, screen, ManualClock())
        worker = Pipeline(
            Store(venue.database, NETWORK_ID, "second"), venue.chain, screened, venue.signer
        )
        with contextlib.suppress(Fenced):
            await venue.run(worker, 1)
        if stored == Verdict.HOLD:
            # However often a worker looks: only people let it go on.
            await venue.run(worker, ROUNDS)
            assert venue.engine.states == {ID: "held"}
        if world.decision and stored:
            await decide(venue.database, world.decision)
        await venue.run(worker, ROUNDS)
        assert screen.asked_count == (stored == "")
        await self.check_moved_once()

    async def check_moved_once(self) -> None:
        """One payment or one release, and one decision where there is one."""
        venue, verdict = self.venue, await self.verdict()
        is_paid = verdict in PAID
        assert venue.chain.paid() == ({ID: [AMOUNT]} if is_paid else {})
        assert venue.engine.states == {ID: "settled" if is_paid else "released"}
        assert await venue.states() == ["settled" if is_paid else "rejected"]
        kinds = await venue.connection.fetch("select kind from custody.outbox order by source_seq")
        assert [row["kind"] for row in kinds] == (["start", "settle"] if is_paid else ["release"])
        decisions = await venue.connection.fetchval(
            "select count(*) from custody.event where actor = 'people' and event_id > $1",
            self.events_before,
        )
        assert decisions == (verdict in ("release", "refuse"))

    async def verdict(self) -> str:
        """As it is stored; empty = nobody has answered."""
        row = "select verdict from custody.payout_screening"
        return str(await self.venue.connection.fetchval(row) or "")


async def test_the_gate_may_be_killed_at_every_point(venue: Venue, postgres_dsn: str) -> None:
    await require(venue.database, NETWORK_ID, Subject.WITHDRAWAL, PEOPLE, on=True)
    gate = Gate(venue, postgres_dsn)
    reached: set[str] = set()
    for world in WORLDS:
        live, go_on = partial(gate.live, world), partial(gate.go_on, world)
        # Not only where no other world showed it: what is stored differs.
        await die_everywhere(SITES, live, go_on, reached, set())
    assert SITES.expected() - reached == set()
