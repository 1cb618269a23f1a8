"""From a SIGKILL of matching, with a new start at once, to the next acknowledged order.

Called by `benchmarks.venue`. A venue of its own, with snapshotter and projector: its journal is
filled, which tells the rate beside them, until a snapshot is there; then matching is killed while
one client has an order to send. In the end the whole journal is replayed without a snapshot.
"""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import journal_figures, replaying, results
from benchmarks.results import Case, case_of
from benchmarks.tape import Tape
from benchmarks.venue_load import VenueLoad, run
from benchmarks.venue_sizes import Sizes
from cambist.client.client import Client
from cambist.client.keys import ApiKey
from cambist.client.raw import RawBatch
from venue import engines
from venue.flow.definitions import firms
from venue.processes import Processes
from venue.setup import create_keys, create_venue
from venue.stack import MATCHING, Stack, StackPlan

SESSIONS: Final = 8
ACCOUNTS_PER_SESSION: Final = 3
BATCH: Final = 256
PART_COMMANDS: Final = 250_000
ANSWER_SECONDS: Final = 60.0
# The precision of what is measured.
LOOK_SECONDS: Final = 0.005
# Seconds after a round, in which helpers and gateway come to rest.
REST_SECONDS: Final = 1.0
# As often as without a setting; small sizes have fewer commands.
SNAPSHOT_EVERY_COMMANDS_MAX: Final = 1_000_000


async def measure(sizes: Sizes, console: Console, directory: Path) -> list[Case]:
    """Cases `helpers/…`, `recovery/…`, `replay/…`, named after the commands in the journal."""
    wanted = sizes.recovery_commands
    every = min(SNAPSHOT_EVERY_COMMANDS_MAX, wanted)
    plan = StackPlan(
        directory,
        gateway_count=1,
        engine=engines.sizes().engine,
        matching_environment={"SNAPSHOT_EVERY_COMMANDS": str(every)},
    )
    (firm,) = firms(1, ACCOUNTS_PER_SESSION * SESSIONS)
    accounts = [firm.account_ids[index::SESSIONS] for index in range(SESSIONS)]
    rates: list[float] = []
    seconds: list[float] = []
    tails: list[float] = []
    async with Stack(plan) as stack:
        await create_venue(stack, [firm])
        keys = await create_keys(stack, [firm], directory / "keys")
        async with Client.connect(stack.endpoints, ApiKey.load(keys[firm.firm_id])) as client:
            load = VenueLoad(BATCH, SESSIONS, min(PART_COMMANDS, wanted), BATCH * SESSIONS)
            while await journal_figures.head(stack.dsn) < wanted:
                rates.append((await run(client, load, accounts, new_run())).per_second)
            for _ in range(sizes.rounds):
                snapshot = await journal_figures.newest_snapshot(stack.dsn)
                tails.append(await journal_figures.head(stack.dsn) - snapshot)
                seconds.append(await kill_and_start(stack, client, accounts[0]))
                await asyncio.sleep(REST_SECONDS)
        replays = [await replaying.rate(stack.dsn, plan.engine) for _ in range(sizes.rounds)]
    name = f"{wanted // 1_000_000}M" if wanted >= 1_000_000 else f"{wanted // 1_000}k"
    cases = [
        case_of(f"helpers/orders/{BATCH}x{SESSIONS}", "commands/s", rates),
        case_of(f"recovery/{name}", "s", seconds),
        case_of(f"recovery/{name}/after-snapshot", "commands", tails),
        case_of(f"replay/{name}", "commands/s", replays),
    ]
    for case in cases:
        console.print("  ".join(results.cells(case)), highlight=False)
    return cases


def new_run() -> int:
    """A number that ids of earlier runs do not have."""
    return int.from_bytes(os.urandom(4), "big")


async def kill_and_start(stack: Stack, client: Client, accounts: tuple[int, ...]) -> float:
    """Seconds from the kill to the answer of an order that was sent after it.

    Raises ProcessFailed when the new process ends, TimeoutError without an answer.
    """
    before, after = Tape(0, new_run(), accounts, 1, 1, time.time_ns()).batches(2)
    processes = stack.processes
    async with client.raw_session("recovery", account_ids=accounts) as session:
        answers: list[RawBatch] = []
        session.on_taken = answers.append
        session.send_now(before)
        await until(lambda: len(answers) == 1, processes)
        started = time.monotonic()
        processes.kill(MATCHING)
        session.send_now(after)
        stack.start_matching()
        await until(lambda: len(answers) == len((before, after)), processes)
        seconds = time.monotonic() - started
    assert [batch.error for batch in answers] == [None, None], "both orders were taken"
    return seconds


async def until(is_reached: Callable[[], bool], processes: Processes) -> None:
    """Looks again and again while all processes live."""
    async with asyncio.timeout(ANSWER_SECONDS):
        while not is_reached():
            processes.check()
            await asyncio.sleep(LOOK_SECONDS)
