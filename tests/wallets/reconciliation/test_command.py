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
    status, told = await run(postgres_settings, "--runs")
    assert status == 0
    lines = [line for line in told.splitlines() if " block " in line]
    assert lines[0].endswith("block 2: deficit of 1000 in hot of asset 1")
    assert len(lines) == 3
