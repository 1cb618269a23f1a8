"""Operators' commands of custody as processes: a refusal is told in one line, with a status."""

import asyncio
import os
import sys

import pytest

from runtime.postgres import Connection
from runtime.process import ExitStatus
from runtime.settings import PostgresSettings

pytestmark = pytest.mark.slow
REFUSED = 1
BY = "--by", "anna", "--by", "boris"


async def run(settings: PostgresSettings, network: str, *arguments: str) -> tuple[int, str]:
    environment = {
        **os.environ,
        "CAMBIST_WALLETS_POSTGRES_DSN": settings.dsn.get_secret_value(),
        "CAMBIST_WALLETS_CHAIN": "bitcoin",
        "CAMBIST_WALLETS_NETWORK": network,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "wallets", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    return process.returncode or 0, told.decode()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("addresses", "list"), 0, ""),
        (("addresses", "restore", "--places", "3", *BY), REFUSED, "NO_BRANCH"),
        (("addresses", "restore", "--places", "3", "--by", "anna"), REFUSED, "TWO_PERSONS"),
        (("deposits", "held"), 0, ""),
        (("deposits", "release", "00" * 16, *BY), REFUSED, "UNKNOWN_DEPOSIT"),
        (("deposits", "release", "00" * 16, "--by", "anna"), REFUSED, "TWO_PERSONS"),
        (("deposits", "screening", "on", *BY), 0, "screening is on"),
        (("withdrawals", "held"), 0, ""),
        (("withdrawals", "release", "00" * 16, *BY), REFUSED, "UNKNOWN_WITHDRAWAL"),
        (("withdrawals", "refuse", "00" * 16, "--by", "anna"), REFUSED, "TWO_PERSONS"),
        (("withdrawals", "screening", "on", *BY), 0, "screening is on"),
        (("treasury", "show"), ExitStatus.CONFIGURATION, "chain file"),
        (("rescan", "--from-height", "1"), ExitStatus.CONFIGURATION, "chain file"),
    ],
)
@pytest.mark.usefixtures("custody")
async def test_a_command_over_the_registered_network(
    postgres_settings: PostgresSettings, arguments: tuple[str, ...], status: int, words: str
) -> None:
    found, told = await run(postgres_settings, "regtest", *arguments)
    assert (found, words in told) == (status, True), told
    assert "Traceback" not in told


async def test_a_network_that_is_not_registered_is_named(
    custody: Connection, postgres_settings: PostgresSettings
) -> None:
    before = await custody.fetchval("select count(*) from custody.event")
    found, told = await run(postgres_settings, "signet", "deposits", "screening", "on", *BY)
    assert found == ExitStatus.CONFIGURATION
    assert "bitcoin/signet is not registered" in told
    assert await custody.fetchval("select count(*) from custody.event") == before
