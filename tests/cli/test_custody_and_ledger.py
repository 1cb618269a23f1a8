"""`cambist addresses`, `ledger` and `reserves` against a venue with custody and history."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import asyncpg
import pytest

from cambist.reserves.files import report_to_json
from cambist.reserves.tree import Node, Tree, make
from runtime import postgres
from runtime.migrations import migrate
from runtime.settings import PostgresSettings
from tests.cli.venue import ACCOUNT, OTHER, CliVenue, running_venue
from wallets.reserves.liabilities import Liabilities, report
from wallets.reserves.published import publish
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


async def published(venue: CliVenue, atoms: int) -> Tree:
    """A report over what both accounts own."""
    balances = {ACCOUNT: atoms, OTHER: 77}
    tree = make(1, balances, Random(5))
    coins = {"network_id": 3, "block": {"height": 7, "hash": "77"}, "atoms": {"hot": "900"}}
    database = await postgres.connect(venue.postgres, application_name="reserves")
    await publish(database, tree, report(tree, [Liabilities(1, 9, b"h" * 32, balances)], coins))
    await database.close()
    return tree


async def test_a_proof_is_fetched_checked_kept_and_checked_again_without_the_venue(
    venue: CliVenue, tmp_path: Path
) -> None:
    command = ("--key", str(await venue.key("firm", (ACCOUNT,))), "reserves")
    nothing = await venue.run(*command, "show", "BTC")
    assert (nothing.status, "NO_REPORT" in nothing.stderr) == (1, True)
    older, tree = await published(venue, 1), await published(venue, 123_456_789)
    (shown,) = (await venue.run(*command, "show", "BTC", "--json")).lines
    assert (shown["root"], shown["root_atoms"]) == (tree.root.digest.hex(), "123456866")
    assert shown["coins"]["atoms"] == {"hot": "900"}
    assert "1.23456866 BTC" in (await venue.run(*command, "show", "BTC")).stdout
    kept = tmp_path / "kept"
    checked = await venue.run(*command, "check", "BTC", "--save", str(kept), "--json")
    assert checked.status == 0, checked.stderr
    (proof,) = checked.lines
    assert (proof["account_id"], proof["atoms"]) == (ACCOUNT, "123456789")
    people = await venue.run(*command, "check", "BTC", "--atoms", "123456789")
    assert "account 4096 is owed 1.23456789 BTC" in people.stdout
    again = await venue.run("proof", str(kept / "proof.json"), str(kept / "report.json"), "--json")
    assert {**proof, "made_ns": 0} == {**again.lines[0], "made_ns": 0}
    # An older report still has its proofs.
    old = await venue.run(*command, "check", "BTC", "--root", older.root.digest.hex(), "--json")
    assert old.lines[0]["atoms"] == "1"


async def test_a_venue_that_tells_us_another_balance_root_or_sum_is_found_out(
    venue: CliVenue, tmp_path: Path
) -> None:
    command = ("--key", str(await venue.key("firm", (ACCOUNT,))), "reserves", "check", "BTC")
    tree = await published(venue, 500)
    elsewhere = tmp_path / "elsewhere.json"

    async def told(*options: str) -> tuple[int, str]:
        ran = await venue.run(*command, *options)
        return ran.status, ran.stderr

    elsewhere.write_text(report_to_json(1, tree.root))
    assert (await told("--report", str(elsewhere)))[0] == 0
    elsewhere.write_text(report_to_json(1, Node(tree.root.digest, tree.root.atoms + 1)))
    status, text = await told("--report", str(elsewhere))
    assert (status, "another sum" in text) == (1, True)
    elsewhere.write_text(report_to_json(1, Node(b"x" * 32, 577)))
    status, text = await told("--report", str(elsewhere))
    assert (status, "NO_REPORT" in text) == (1, True)
    elsewhere.write_text(report_to_json(2, tree.root))
    assert (await told("--report", str(elsewhere)))[0] == 2
    assert (await told("--root", "77"))[0] == 2
    status, text = await told("--atoms", "501")
    assert (status, "it shows 500 atoms, not 501" in text) == (1, True)
    database = await asyncpg.connect(venue.postgres.dsn.get_secret_value())
    await database.execute(
        "update custody.liability_leaf set atoms = atoms + 1 where account_id = $1", ACCOUNT
    )
    await database.close()
    status, text = await told()
    assert (status, "the proof does not hold: the way does not lead" in text) == (1, True)
