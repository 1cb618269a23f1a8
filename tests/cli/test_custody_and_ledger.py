"""`cambist addresses` and `cambist ledger` against a venue with custody and history."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from runtime.migrations import migrate
from runtime.settings import PostgresSettings
from tests.cli.venue import ACCOUNT, OTHER, CliVenue, running_venue
from wallets.schema import MIGRATIONS
from wallets.service import server
from wallets.settings import WalletSettings

pytestmark = pytest.mark.slow
SECONDS = 30.0
ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


@pytest.fixture
async def custody_endpoint(postgres_settings: PostgresSettings) -> AsyncIterator[str]:
    """A custody service that serves Bitcoin."""
    await migrate(postgres_settings, MIGRATIONS)
    connection = await asyncpg.connect(postgres_settings.dsn.get_secret_value())
    await connection.execute(
        "insert into custody.chain values ('bitcoin', 'regtest', 3, 'genesis')"
    )
    await connection.execute(
        "insert into custody.asset values (3, 1, '', 'BTC', 8, 8, 0, 1, false, false, '', 7)"
    )
    await connection.close()
    settings = WalletSettings(
        postgres=postgres_settings, service_address="127.0.0.1:0", health_address="127.0.0.1:0"
    )
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(server.serve(settings, stop, ready.set_result))
    yield f"127.0.0.1:{await asyncio.wait_for(ready, SECONDS)}"
    stop.set()
    await task


@pytest.fixture
async def venue(
    postgres_settings: PostgresSettings, tmp_path: Path, custody_endpoint: str
) -> AsyncIterator[CliVenue]:
    async with running_venue(
        postgres_settings, tmp_path, has_history=True, custody=custody_endpoint
    ) as venue:
        assert (await venue.apply()).status == 0
        await venue.fund(ACCOUNT, OTHER)
        yield venue


async def test_an_address_is_added_and_listed_and_a_wrong_one_is_named(venue: CliVenue) -> None:
    command = ("--key", str(await venue.key("firm", (ACCOUNT,))), "addresses")
    added = await venue.run(*command, "add", "bitcoin", ADDRESS, "cold", "--json")
    assert added.status == 0, added.stderr
    (one,) = added.lines
    assert one["usable_from_ns"] > time.time_ns()
    assert (await venue.run(*command, "list", "--json")).lines == [one]
    shown = await venue.run(*command, "list")
    assert ADDRESS in shown.stdout
    assert "cold" in shown.stdout
    wrong = await venue.run(*command, "add", "bitcoin", ADDRESS[:-1], "cold")
    assert (wrong.status, "INVALID_ADDRESS" in wrong.stderr) == (1, True)


async def test_a_ledger_is_listed_newest_first_and_cut_at_the_limit(venue: CliVenue) -> None:
    command = ("--key", str(await venue.key("firm", (ACCOUNT,))), "ledger")
    async with asyncio.timeout(SECONDS):
        # The projector follows the journal in its own time.
        while len((listed := await venue.run(*command, "--json")).lines) < 2:
            assert listed.status == 0, listed.stderr
    newest, oldest = listed.lines
    assert (newest["kind"], newest["asset_id"], newest["amount_atoms"]) == ("adjusted", 2, 10**12)
    assert (oldest["kind"], oldest["asset_id"], oldest["amount_atoms"]) == ("adjusted", 1, 10**14)
    assert (await venue.run(*command, "--limit", "1", "--json")).lines == [newest]
    shown = await venue.run(*command)
    assert "USDT" in shown.stdout
