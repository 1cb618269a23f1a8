"""Starts and ends the two servers of the ceiling program. Used by `benchmarks.venue` and tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from venue.ports import choose_ports
from venue.processes import Processes

START_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.05


@asynccontextmanager
async def running_ceiling(
    dsn: str, directory: Path, *, answer_bytes: int, row_bytes: int
) -> AsyncIterator[str]:
    """Relay and sink on a database; the relay's endpoint.

    `answer_bytes` and `row_bytes` are those of one order in an answer and in an event row. Raises
    TimeoutError when they do not listen in time.
    """
    processes = Processes(directory / "ceiling")
    relay_port, sink_port = choose_ports(2)
    sink = ["-m", "benchmarks.ceiling", "sink", "--port", str(sink_port)]
    sink += ["--answer-bytes", str(answer_bytes), "--row-bytes", str(row_bytes)]
    relay = ["-m", "benchmarks.ceiling", "relay", "--port", str(relay_port)]
    relay += ["--sink", f"127.0.0.1:{sink_port}"]
    try:
        processes.start("sink", sink, environment={"CEILING_DSN": dsn})
        await wait_port(processes, sink_port)
        processes.start("relay", relay)
        await wait_port(processes, relay_port)
        yield f"127.0.0.1:{relay_port}"
    finally:
        await processes.stop_all()


async def wait_port(processes: Processes, port: int, seconds: float = START_SECONDS) -> None:
    """Until somebody listens. Raises ProcessFailed, TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            processes.check()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            writer.close()
            await writer.wait_closed()
            return
