"""`cambist pay-in` against a sandbox, and against a venue that is none."""

from pathlib import Path

import pytest

from runtime.settings import PostgresSettings
from tests.cli.venue import ACCOUNT, running_venue

pytestmark = pytest.mark.slow


async def test_play_money_is_there_at_once_and_the_same_request_pays_once(
    postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    async with running_venue(postgres_settings, tmp_path, is_sandbox=True) as venue:
        assert (await venue.apply()).status == 0
        command = ("--key", str(await venue.key("firm", (ACCOUNT,))), "pay-in")
        once = ("1.5", "BTC", "--id", "ab" * 16)
        first = await venue.run(*command, *once, "--json")
        assert first.status == 0, first.stderr
        assert first.lines == [{"id": "ab" * 16, "repeat": False, "available": "1.50000000"}]
        (again,) = (await venue.run(*command, *once, "--json")).lines
        assert (again["repeat"], again["available"]) == (True, "1.50000000")
        shown = await venue.run(*command, "0.5", "BTC")
        assert "account 4096 has 2.00000000 BTC available" in shown.stdout
        too_much = await venue.run(*command, "1000001", "BTC")
        assert (too_much.status, "AMOUNT_TOO_LARGE" in too_much.stderr) == (1, True)


async def test_a_venue_that_is_no_sandbox_refuses_by_name(
    postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    async with running_venue(postgres_settings, tmp_path) as venue:
        assert (await venue.apply()).status == 0
        command = ("--key", str(await venue.key("firm", (ACCOUNT,))), "pay-in")
        refused = await venue.run(*command, "1", "BTC")
        assert (refused.status, "NOT_A_SANDBOX" in refused.stderr) == (1, True)
