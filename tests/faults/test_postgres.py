"""Postgres restarts under load, or its replies are lost: no order is lost, none applies twice."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runtime import embedded_postgres
from tests.faults.cutting_proxy import CuttingProxy
from tests.faults.venue import assert_kept, open_venue
from venue.stack import StackPlan

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

RESTARTS = 3
CUTS = 20


async def restart(directory: Path) -> None:
    """Stops the server, and starts it at the same port."""
    running = embedded_postgres.read_postmaster(directory)
    assert running is not None
    port = running[1]
    await asyncio.to_thread(embedded_postgres.stop, directory)
    binaries = embedded_postgres.find_binaries()
    started = await asyncio.to_thread(embedded_postgres.launch, directory, binaries, port)
    assert started is not None, "Postgres came back"


async def test_a_restart_of_postgres_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    async with open_venue(tmp_path) as venue:
        venue.start_traders(seed=4)
        for _ in range(RESTARTS):
            await venue.progress()
            moment = venue.traders.poll()
            await restart(venue.stack.plan.directory / "postgres")
            await venue.all_sent_is_answered(moment)
        assert_kept(await venue.verdict())


async def test_lost_replies_of_commits_are_settled_and_nothing_applies_twice(
    tmp_path: Path,
) -> None:
    server = await embedded_postgres.ensure_running(tmp_path / "postgres")
    async with CuttingProxy(server.port) as proxy:
        parts = urlsplit(server.dsn)
        behind = parts._replace(netloc=parts.netloc.replace(f":{server.port}", f":{proxy.port}"))
        plan = StackPlan(tmp_path, matching_environment={"POSTGRES_DSN": behind.geturl()})
        async with open_venue(tmp_path, plan) as venue:
            venue.start_traders(seed=5)
            for cut in range(CUTS):
                await venue.progress(200)
                moment = venue.traders.poll()
                proxy.cut_replies(1)
                await venue.all_sent_is_answered(moment)
                assert proxy.cut_count == cut + 1, "a reply was lost"
            assert_kept(await venue.verdict())
