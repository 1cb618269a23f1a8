"""An approver dies at every point; the next one says the same, counts once, and misses no row."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import pytest

from cambist.internal.approver.v1 import approver_pb2
from cambist.internal.signer.v1 import intent_pb2
from runtime import postgres
from runtime.clock import ManualClock
from runtime.migrations import migrate
from runtime.settings import PostgresSettings
from tests.wallets.approver.conftest import HELD_NS, KEY, PEOPLE, POLICY, id_of, question
from tests.wallets.crash_points import Countdown, Sites, die_everywhere, until_death
from tests.wallets.link.memory_journal import MemoryJournal, MemoryPrimary
from wallets.approver import journal, log, service
from wallets.approver.journal import Follower
from wallets.approver.service import Approver, SigningKey
from wallets.errors import Rejected
from wallets.signer.approvals import Terms, consent_bytes

# Many short lives, one after the other.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

SITES = Sites(journal, log, service)
ASSET_ID = 7
# The journal's amount of 500, a hundred atoms of the chain's each, is above what one may decide.
TERMS = Terms(1, "somewhere", "", 50_000)
PAYABLE = replace(POLICY, assets=(replace(POLICY.assets[0], people_above_atoms=40_000),))
REFUSING = replace(PAYABLE, denied_destinations=frozenset({"somewhere"}))
ROWS = """
select (select count(*) from approver.request where withdrawal_id = $1) as requests,
    (select count(*) from approver.consent where withdrawal_id = $1) as consents,
    (select count(*) from approver.counted where withdrawal_id = $1) as counted,
    (select count(*) from approver.approval where withdrawal_id = $1) as approvals,
    (select count(*) from approver.refusal where withdrawal_id = $1) as refusals
"""


@dataclass
class World:
    """The approver's tables are append-only: each life has a shard and a withdrawal of its own."""

    database: postgres.Database
    clock: ManualClock
    journal: MemoryJournal
    number: int = 0

    def begin_anew(self) -> None:
        self.number += 1
        self.journal = MemoryJournal(is_ending=True)
        self.journal.request(id_of(self.number), self.number, ASSET_ID)
        self.clock.advance(24 * 3_600 * 1_000_000_000)

    async def work(self, policy: Any, countdown: Countdown) -> bytes:
        """One process: it reads the journal, two people consent, and it is asked."""
        database = countdown.before(self.database)
        await begin(database, self.number)
        await self.follow(database, countdown)
        self.clock.advance(HELD_NS)
        approver = Approver(database, policy, SigningKey("k1", KEY), self.clock)
        try:
            for name, key in PEOPLE.items():
                signature = key.sign(consent_bytes(id_of(self.number), TERMS))
                person = intent_pb2.PersonSignature(person=name, signature=signature)
                await approver.consent(
                    approver_pb2.ConsentRequest(withdrawal_id=id_of(self.number), person=person)
                )
            issued = await approver.approve(question(self.number))
        except Rejected as error:
            return error.reason.encode()
        return issued.approval.approval

    async def follow(self, database: postgres.Database, countdown: Countdown) -> None:
        """To the end of one stream; a follower itself never ends."""
        primary = cast("Any", MemoryPrimary(self.journal, countdown))
        await Follower(database, self.number, primary)._follow(primary)

    async def go_on(self, policy: Any, expected: dict[str, int]) -> None:
        """The next process, asked twice: one answer, and one row of each kind."""
        first = await self.work(policy, Countdown(SITES))
        assert await self.work(policy, Countdown(SITES)) == first
        row = await self.database.read_row(ROWS, id_of(self.number))
        assert row is not None
        assert dict(row) == expected
        assert await log.read_cursor(self.database, self.number) == self.journal.seq


async def begin(database: postgres.Database, shard: int) -> None:
    """As an operator begins a journal whose rows before are gone."""
    try:
        await log.begin(database, shard, 0)
    except Rejected as error:
        if error.reason != "BEGUN":
            raise


@pytest.fixture
async def world(postgres_settings: PostgresSettings) -> AsyncIterator[World]:
    await migrate(postgres_settings, log.MIGRATIONS)
    database = await postgres.connect(postgres_settings, application_name="test")
    yield World(database, ManualClock(), MemoryJournal())
    await database.close()


async def test_an_approver_may_die_at_every_point(world: World) -> None:
    reached: set[str] = set()
    paid = {"requests": 1, "consents": 2, "counted": 1, "approvals": 1, "refusals": 0}
    refused = {"requests": 1, "consents": 2, "counted": 0, "approvals": 0, "refusals": 1}

    async def live(policy: Any, countdown: Countdown) -> None:
        world.begin_anew()
        await until_death(world.work(policy, countdown))

    for policy, expected in ((PAYABLE, paid), (REFUSING, refused)):
        go_on = partial(world.go_on, policy, expected)
        # Not only where no approval showed it: a refusal is stored like an approval.
        await die_everywhere(SITES, partial(live, policy), go_on, reached, set())
    assert SITES.expected() - reached == set()
