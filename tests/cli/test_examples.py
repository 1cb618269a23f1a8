"""The examples run against a venue as they stand: a maker, a taker, and who archives it all."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cambist.client import Client
from tests.cli.venue import ACCOUNT, OTHER, ROOT, SECONDS, CliVenue

pytestmark = pytest.mark.slow


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "examples" / f"{name}.py"), *arguments]


def environment() -> dict[str, str]:
    paths = os.pathsep.join(path for path in sys.path if path)
    return {"PATH": os.environ["PATH"], "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"}


@asynccontextmanager
async def running(name: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """An example that goes on until interrupted."""
    process = await asyncio.create_subprocess_exec(
        *command(name, *arguments), env=environment(), stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(SECONDS):
            await process.communicate()


async def until_quoted(venue: CliVenue, key: Path) -> None:
    """Waits until both sides have a quote."""
    async with Client.connect(venue.endpoint, key_file=key) as client:
        market = await client.market("BTC-USDT")
        async with asyncio.timeout(SECONDS), client.market_data() as feed:
            async for book in feed.books(market):
                if book.bids.best and book.asks.best:
                    return


async def until_archived(path: Path, word: str) -> None:
    async with asyncio.timeout(SECONDS):
        while word not in path.read_text():  # noqa: ASYNC110 - another process writes
            await asyncio.sleep(0.05)


async def test_a_maker_a_taker_and_an_archiver(venue: CliVenue) -> None:
    key = await venue.key("firm")
    archive = venue.folder / "archive.jsonl"
    archive.touch()
    place = venue.endpoint, str(key)
    async with (
        running("drop_copy_archiver", *place, str(archive)),
        running("market_maker", *place, "BTC-USDT", str(ACCOUNT), "90000"),
    ):
        await until_quoted(venue, key)
        taker = await asyncio.create_subprocess_exec(
            *command("taker", *place, "BTC-USDT", str(OTHER), "buy", "0.01", "91000"),
            env=environment(),
            stdout=subprocess.PIPE,
        )
        async with asyncio.timeout(SECONDS):
            said, _ = await taker.communicate()
        assert b"took 0.01000000 of 0.01" in said
        await until_archived(archive, '"Filled"')
    # Cut within the last row: the next run drops what is not whole and goes on after the rest.
    whole = archive.read_text().splitlines()
    archive.write_text("\n".join(whole[:-1]) + "\n" + whole[-1][:5])
    async with running("drop_copy_archiver", *place, str(archive)):
        await until_archived(archive, whole[-1])
    events = [json.loads(line) for line in archive.read_text().splitlines()]
    told = [
        (event["account_id"], event["account_seq"])
        for event in events
        if "row_end" not in event
        and event["account_seq"]
        and event["kind"] != "AccountStatus"
        and "snapshot" not in event
    ]
    assert len(told) == len(set(told))
    kinds = {event.get("kind") for event in events}
    assert {"Accepted", "Filled", "Canceled"} <= kinds
