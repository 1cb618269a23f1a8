"""A signer dies at every point; the next one gives the same bytes, and its log has each once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from cambist.internal.signer.v1 import signer_pb2
from runtime import postgres
from runtime.clock import ManualClock
from runtime.migrations import migrate
from runtime.settings import PostgresSettings
from tests.wallets.crash_points import Countdown, Sites, die_everywhere, until_death
from tests.wallets.signer.test_service import NETWORK, PEOPLE, POLICY, SEEDS, request
from wallets.contract import TransactionId
from wallets.errors import Rejected
from wallets.signer import log, service
from wallets.signer.approvals import RESUME_PREFIX
from wallets.signer.limits import ENTRIES_PAGE_MAX
from wallets.signer.service import Signer

# Many short lives, one after the other.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

SITES = Sites(log, service)
ROWS = """
select (select count(*) from signer.entry where intent_id = $1) as entries,
    (select count(*) from signer.payment where withdrawal_id = $1) as payments,
    (select coalesce(sum(o.amount_atoms), 0) from signer.outflow o join signer.entry e
        using (log_number) where e.intent_id = $1) as outflow_atoms,
    (select count(*) from signer.closed where withdrawal_id = $2) as closed
"""


@dataclass
class World:
    """The signer's log is append-only: each life signs and closes withdrawals of its own."""

    database: postgres.Database
    clock: ManualClock
    number: int = 0

    @property
    def signed_id(self) -> bytes:
        return self.number.to_bytes(16, "big")

    @property
    def closed_id(self) -> bytes:
        return (self.number + 1).to_bytes(16, "big")

    def begin_anew(self) -> None:
        self.number += 2
        # The hourly cap of the one before.
        self.clock.advance(2 * 3_600 * 1_000_000_000)

    async def work(self, countdown: Countdown) -> signer_pb2.SignResponse:
        """One process: it signs, closes another withdrawal, and is stopped and let go on."""
        database = countdown.before(self.database)
        signer = Signer(database, POLICY, SEEDS, await log.take_epoch(database), self.clock)
        await self.let_go(signer)
        first = await signer.sign(request(self.number))
        listed = await log.entries(database, NETWORK.network_id, 0, ENTRIES_PAGE_MAX)
        assert [one.txid for one in listed].count(TransactionId(first.txid)) == 1
        assert await signer.close(self.closed_id) == ()
        assert await signer.close(self.signed_id) == (first.raw_transaction,)
        with pytest.raises(Rejected, match="CLOSED"):
            await signer.sign(request(self.number + 1))
        await signer.stop("test", "drill")
        with pytest.raises(Rejected, match="STOPPED"):
            await signer.sign(request(self.number + 1))
        await self.let_go(signer)
        return await signer.sign(request(self.number))

    async def let_go(self, signer: Signer) -> None:
        """Two people end a stop, if there is one: that of the one that died, perhaps."""
        status = await signer.status()
        if status.stopped:
            nonce = status.resume_nonce
            await signer.resume(
                {name: key.sign(RESUME_PREFIX + nonce) for name, key in PEOPLE.items()}
            )

    async def go_on(self) -> None:
        """The next process, and another: the same bytes, and no row twice."""
        first = await self.work(Countdown(SITES))
        assert await self.work(Countdown(SITES)) == first
        row = await self.database.read_row(ROWS, self.signed_id, self.closed_id)
        assert row is not None
        assert dict(row) == {"entries": 1, "payments": 1, "outflow_atoms": 10, "closed": 1}


@pytest.fixture
async def world(postgres_settings: PostgresSettings) -> AsyncIterator[World]:
    await migrate(postgres_settings, log.MIGRATIONS)
    database = await postgres.connect(postgres_settings, application_name="test")
    yield World(database, ManualClock())
    await database.close()


async def test_a_signer_may_die_at_every_point(world: World) -> None:
    reached: set[str] = set()

    async def live(countdown: Countdown) -> None:
        world.begin_anew()
        await until_death(world.work(countdown))

    await die_everywhere(SITES, live, world.go_on, reached)
    assert SITES.expected() - reached == set()
