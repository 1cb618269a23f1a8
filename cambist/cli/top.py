"""`cambist top`: rates and durations per stage, again and again."""

import asyncio
import time
from typing import Any

import click
from rich.console import Group
from rich.table import Table

from cambist.admin.v1 import admin_pb2
from cambist.cli import failures, limits
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, print_json, table
from cambist.cli.screen import Screen
from cambist.cli.stages import NS_PER_SECOND, StageSpeed, speeds
from cambist.cli.status import COLUMNS, ask_all, row_of
from cambist.client.errors import CambistError

NS_PER_MS = 1e6
STAGE_COLUMNS = ("process", "stage", "commands/s", "p50 ms", "p99 ms")
Answers = dict[str, admin_pb2.GetStatusResponse | CambistError]


@click.command()
@click.option(
    "--every",
    "seconds",
    type=click.FloatRange(0.1, 3_600),
    default=limits.TOP_SECONDS,
    show_default=True,
    help="Seconds between two readings.",
)
@click.option("--count", type=click.IntRange(1), help="End after so many readings.")
@as_json
@pass_doors
def top(doors: Doors, *, seconds: float, count: int | None, as_json: bool) -> None:
    """Watch rate and latency of each stage of the --admin processes."""
    failures.run(watch(doors, seconds, count, as_json=as_json))


async def watch(doors: Doors, seconds: float, count: int | None, *, as_json: bool) -> None:
    """Reads until interrupted, or `count` is reached. Raises Rejected."""
    before, read_ns = await ask_all(doors), time.monotonic_ns()
    shown = 0
    with Screen(console()) as screen:
        while count is None or shown < count:
            await asyncio.sleep(seconds)
            now, now_ns = await ask_all(doors), time.monotonic_ns()
            found = between(before, now, (now_ns - read_ns) / NS_PER_SECOND)
            before, read_ns = now, now_ns
            shown += 1
            if as_json:
                for endpoint, stages in found.items():
                    print_json({"process": endpoint, "stages": plain_stages(stages)})
            else:
                screen.show(Group(process_table(now), stage_table(found)))


def between(before: Answers, now: Answers, seconds: float) -> dict[str, list[StageSpeed]]:
    """Stages of each process that answered twice."""
    found = {}
    for endpoint, answer in now.items():
        old = before.get(endpoint)
        if isinstance(answer, CambistError) or old is None or isinstance(old, CambistError):
            continue
        found[endpoint] = speeds(old, answer, seconds)
    return found


def process_table(answers: Answers) -> Table:
    """What `cambist status` shows."""
    return table(COLUMNS, (row_of(*item) for item in answers.items()), left=3)


def stage_table(found: dict[str, list[StageSpeed]]) -> Table:
    """One row per process and stage."""
    rows = [
        (
            endpoint,
            speed.stage,
            f"{speed.commands_per_second:,.0f}",
            milliseconds(speed.p50_ns),
            milliseconds(speed.p99_ns),
        )
        for endpoint, stages in found.items()
        for speed in stages
    ]
    return table(STAGE_COLUMNS, rows, left=2)


def milliseconds(duration_ns: float | None) -> str:
    """A duration for people."""
    return "" if duration_ns is None else f"{duration_ns / NS_PER_MS:,.2f}"


def plain_stages(stages: list[StageSpeed]) -> dict[str, Any]:
    """The same for machines."""
    return {
        speed.stage: {
            "commands_per_second": round(speed.commands_per_second, 1),
            "p50_ns": None if speed.p50_ns is None else round(speed.p50_ns),
            "p99_ns": None if speed.p99_ns is None else round(speed.p99_ns),
        }
        for speed in stages
    }
