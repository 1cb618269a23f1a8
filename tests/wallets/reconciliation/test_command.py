"""`python -m wallets reconcile` as an operator runs it."""

import asyncio
import os
import sys

from runtime.settings import PostgresSettings
from tests.wallets.reconciliation.conftest import KEYS, STRANGER, Custody, transaction


async def run(settings: PostgresSettings, *arguments: str) -> tuple[int, str]:
    environment = {
        **os.environ,
        "CAMBIST_WALLETS_POSTGRES_DSN": settings.dsn.get_secret_value(),
        "CAMBIST_WALLETS_CHAIN": "bitcoin",
        "CAMBIST_WALLETS_NETWORK": "regtest",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wallets", "reconcile", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    return process.returncode or 0, told.decode()


async def test_it_shows_what_was_compared_and_ends_with_a_status_when_something_differs(
    venue: Custody, postgres_settings: PostgresSettings
) -> None:
    funding = transaction((KEYS["hot"], 1_000), number=1)
    await venue.block(funding)
    status, told = await run(postgres_settings)
    assert status == 0
    assert "hot of asset 1: chain 1000, book 0, coming 1000, missing 0, leaving 0" in told
    assert "nothing differs" in told
    await venue.connection.execute("update custody.chain set deposit_final_depth = 1")
    await run(postgres_settings)
    await venue.block(transaction((STRANGER, 900), spends=(f"{funding.txid()}:0",)))
    status, told = await run(postgres_settings)
    assert status == 3
    assert "deficit of 1000 in hot of asset 1 (payouts stop)" in told
    status, told = await run(postgres_settings, "--resume", "anna", "--resume", "boris")
    assert (status, "payouts go on" in told) == (3, False)
    assert await venue.stopped() != ""
    status, told = await run(postgres_settings, "--runs")
    assert status == 0
    lines = [line for line in told.splitlines() if " block " in line]
    assert lines[0].endswith("block 2: deficit of 1000 in hot of asset 1")
    assert len(lines) == 4


async def test_two_people_end_a_stop_once_the_books_agree_again(
    venue: Custody, postgres_settings: PostgresSettings
) -> None:
    await venue.look()
    await venue.connection.execute(
        "update custody.chain set withdrawals_stopped = true, stopped_reason = $1",
        "BooksDeficit: deficit of 1 in hot of asset 1",
    )
    for names in (("anna",), ("anna", " Anna"), ("anna", "anna", "boris")):
        status, _ = await run(postgres_settings, *(f"--resume={name}" for name in names))
        assert status == 2
    assert await venue.stopped() != ""
    status, told = await run(postgres_settings, "--resume=anna", "--resume=boris")
    assert (status, "payouts go on" in told) == (0, True)
    assert await venue.stopped() == ""
    reason = await venue.connection.fetchval(
        "select reason from custody.reconciliation_run order by run_id desc limit 1"
    )
    assert reason == "resumed by anna and boris"
    # A stop for another reason is not this command's to end.
    await venue.connection.execute(
        "update custody.chain set withdrawals_stopped = true, stopped_reason = 'the engine refused'"
    )
    status, told = await run(postgres_settings, "--resume=anna", "--resume=boris")
    assert (status, "no stop of this kind" in told) == (0, True)
    assert await venue.stopped() == "the engine refused"
