"""From a SIGKILL of matching, with a new start at once, to the next acknowledged order.

Called by `benchmarks.venue` on its running venue: the journal is filled up to the wanted size, a
snapshot is there, and one client waits with an order that is sent while matching is dead.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Final

from benchmarks import journal_figures
from benchmarks.results import Case, case_of
from benchmarks.tape import Tape
from benchmarks.venue_bench import Bench
from benchmarks.venue_load import VenueLoad
from cambist.client.raw import RawBatch
from venue.processes import Processes
from venue.stack import MATCHING

FILL_BATCH: Final = 250
FILL_COMMANDS: Final = 100_000
FILL_WINDOW: Final = 5_000
ANSWER_SECONDS: Final = 60.0
# The precision of what is measured.
ANSWER_LOOK_SECONDS: Final = 0.005
# Seconds after a round, in which helpers and gateway come to rest.
REST_SECONDS: Final = 1.0


async def measure(bench: Bench) -> list[Case]:
    """The case `recovery/…`, named after the commands in the journal."""
    wanted = bench.sizes.recovery_commands
    while (missing := wanted - await journal_figures.head(bench.stack.dsn)) > 0:
        share = min(FILL_COMMANDS, missing + FILL_BATCH)
        await bench.venue(VenueLoad(FILL_BATCH, 1, share, FILL_WINDOW))
    seconds: list[float] = []
    tails: list[float] = []
    for _ in range(bench.sizes.rounds):
        snapshot = await journal_figures.newest_snapshot(bench.stack.dsn)
        tails.append(await journal_figures.head(bench.stack.dsn) - snapshot)
        seconds.append(await kill_and_start(bench))
        await asyncio.sleep(REST_SECONDS)
    name = f"{wanted // 1_000_000}M" if wanted >= 1_000_000 else f"{wanted // 1_000}k"
    cases = [
        case_of(f"recovery/{name}", "s", seconds),
        case_of(f"recovery/{name}/after-snapshot", "commands", tails),
    ]
    for case in cases:
        bench.say(case)
    return cases


async def kill_and_start(bench: Bench) -> float:
    """Seconds from the kill to the answer of an order that was sent after it.

    Raises ProcessFailed when the new process ends, TimeoutError without an answer.
    """
    accounts = bench.accounts(1)[0]
    run_number = int.from_bytes(os.urandom(4), "big")
    tape = Tape(0, run_number, accounts, 1, 1, time.time_ns())
    before, after = tape.batches(2)
    processes = bench.stack.processes
    async with bench.client.raw_session("recovery", account_ids=accounts) as session:
        answers: list[RawBatch] = []
        session.on_taken = answers.append
        session.send_now(before)
        await until(lambda: len(answers) == 1, processes)
        started = time.monotonic()
        processes.kill(MATCHING)
        session.send_now(after)
        bench.stack.start_matching()
        await until(lambda: len(answers) == len((before, after)), processes)
        seconds = time.monotonic() - started
    assert [batch.error for batch in answers] == [None, None], "both orders were taken"
    return seconds


async def until(is_reached: Callable[[], bool], processes: Processes) -> None:
    """Looks again and again while all processes live."""
    async with asyncio.timeout(ANSWER_SECONDS):
        while not is_reached():
            processes.check()
            await asyncio.sleep(ANSWER_LOOK_SECONDS)
