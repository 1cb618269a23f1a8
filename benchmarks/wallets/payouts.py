"""Payouts per second of the real pipeline on TRON, beside the same calls without any logic.

Called by `benchmarks.wallets`. Postgres, the signer's process and the simulated node are real;
engine and approver answer at once in this process. Waiting for blocks is not counted: the clock
runs until every payout was sent, and again from when all are solid until every one is settled.

The ceiling makes as many commits as the pipeline was seen to for one payout, each of one statement
on one row, has a plan signed that was made before, and broadcasts it: nothing else.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.results import Case, case_of
from benchmarks.wallets.payout_world import World, opened_world
from benchmarks.wallets.sizes import Sizes
from venue.custody.listing import TRX
from venue.custody.tron_plan import NETWORK_ID
from wallets.contract import Approval, Attempt, AttemptId, Payout, Plan, Token
from wallets.core import claims
from wallets.core.inbox import Requested
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.errors import Fenced
from wallets.worker.steps import Step

WORKERS: Final = 8
# Longer than a node and its solid lag need for what is in the pool.
SOLID_SECONDS: Final = 6.0
ROUND_SECONDS: Final = 600.0
SAMPLE_SECONDS: Final = 0.02
WAITING: Final = """
select count(*) from pg_stat_activity
where wait_event_type = 'Lock' and application_name = 'pipeline'
"""
# Those of earlier rounds are only watched, and wait for that.
LOOK_NOW: Final = """
update custody.payout set not_before = '-infinity' where state = 'broadcasting'
"""
BARE: Final = "update public.bare set hits = hits + 1 where id = $1"
BARE_ROWS: Final = 64
CHANGES: Final = "set_config('custody.actor'"
LEFT: Final = """
select count(*) from custody.payout p where network_id = $1 and state <> 'settled'
    and not (state = $2 and not_before > clock_timestamp())
"""


@dataclass(slots=True)
class Seen:
    """What one round did."""

    seconds: float = 0.0
    statements: int = 0
    commits: int = 0
    posts: int = 0
    lock_wait_seconds: float = 0.0
    claims: int = 0
    # Claims that found something; the others changed nothing.
    done: int = 0

    def leave_idle_looks_out(self) -> None:
        """Looks for work that found none cost no payout anything; the other claims were commits."""
        self.statements -= self.claims - self.done
        self.commits += self.done


async def measure(directory: Path, sizes: Sizes) -> list[Case]:
    """Pipeline and ceiling in turns."""
    rounds: list[tuple[Seen, float]] = []
    count = sizes.payouts
    async with opened_world(directory) as world:
        await world.database.write("create table public.bare (id bigint primary key, hits bigint)")
        await world.database.write(
            "insert into public.bare select generate_series(0, $1::bigint - 1), 0", BARE_ROWS
        )
        for _ in range(sizes.rounds + 1):
            seen = await pipeline_round(world, count)
            rounds.append((seen, await bare_round(world, count, seen)))
    measured = rounds[1:]
    name = "payouts/tron one by one"
    rates = [count / seen.seconds for seen, _ in measured]
    cases = [case_of(name, "payouts/s", rates, [count / bare for _, bare in measured])]
    for what, unit, values in (
        ("statements", "/payout", [seen.statements / count for seen, _ in measured]),
        ("commits", "/payout", [seen.commits / count for seen, _ in measured]),
        ("calls of the node", "/payout", [seen.posts / count for seen, _ in measured]),
        (
            "waiting for locks",
            "ms/payout",
            [s.lock_wait_seconds * 1e3 / count for s, _ in measured],
        ),
    ):
        cases.append(case_of(f"{name}/{what}", unit, values))
    return cases


async def pipeline_round(world: World, count: int) -> Seen:
    """The real thing, from the journal to the settlement."""
    await world.engine.tell(*world.request(count))
    seen = Seen()
    pipelines = [
        Pipeline(
            Store(world.database, NETWORK_ID, f"bench-{number}"),
            world.chain,
            world.approver,
            world.signer,
        )
        for number in range(WORKERS)
    ]
    steps: list[Step] = [pipeline.stride for pipeline in pipelines]
    async with counted(world, seen):
        seen.seconds += await run(world, steps, "broadcasting", seen)
    await asyncio.sleep(SOLID_SECONDS)
    await world.database.write(LOOK_NOW)
    async with counted(world, seen):
        seen.seconds += await run(world, steps, "", seen)
    seen.leave_idle_looks_out()
    return seen


async def run(world: World, steps: list[Step], waits_in: str, seen: Seen) -> float:
    """Seconds until all are settled, or wait in this state for their next look."""
    is_over = asyncio.Event()

    async def work(step: Step) -> None:
        while not is_over.is_set():
            # As the worker does: an answer that came meanwhile moved the payout, nothing is lost.
            with contextlib.suppress(Fenced):
                if await step():
                    seen.done += 1
                    continue
            await asyncio.sleep(SAMPLE_SECONDS)

    async def link() -> None:
        while not is_over.is_set():
            if not await world.engine.answer():
                row = await world.database.read_row(LEFT, NETWORK_ID, waits_in)
                if row is not None and row[0] == 0:
                    is_over.set()
                await asyncio.sleep(SAMPLE_SECONDS)

    started = time.perf_counter()
    async with asyncio.timeout(ROUND_SECONDS), asyncio.TaskGroup() as tasks:
        for step in steps:
            tasks.create_task(work(step))
        tasks.create_task(link())
    return time.perf_counter() - started


async def bare_round(world: World, count: int, seen: Seen) -> float:
    """Seconds of the same calls; what is signed was planned before."""
    planned = [await plan_of(world, one) for one in world.request(count)]
    commits = max(1, round(seen.commits / count))
    waiting = iter(enumerate(planned))

    async def work() -> None:
        for number, (plan, payout, approval) in waiting:
            for _ in range(commits):
                await world.database.write(BARE, number % BARE_ROWS)
            raw = await world.signer.sign(plan, [approval])
            txid = world.chain.identify(raw)
            attempt = Attempt(AttemptId(0), txid, raw, (payout,), plan.fee_atoms_max)
            await world.chain.broadcast(attempt)

    started = time.perf_counter()
    async with asyncio.timeout(ROUND_SECONDS), asyncio.TaskGroup() as tasks:
        for _ in range(WORKERS):
            tasks.create_task(work())
    return time.perf_counter() - started


async def plan_of(world: World, asked: Requested) -> tuple[Plan, Payout, Approval]:
    """All that the signer wants to see."""
    destination = world.chain.parse_address(asked.destination)
    token = Token(TRX.asset_id, b"", TRX.decimals)
    payout = Payout(asked.withdrawal_id, destination, token, asked.amount_atoms)
    fee = await world.chain.highest_fee(payout)
    plan = await world.chain.build(
        asked.withdrawal_id, [payout], fee_atoms_max=fee, must_use=(), owned=frozenset()
    )
    return plan, payout, await world.approver.approve(asked.withdrawal_id, fee, ())


@asynccontextmanager
async def counted(world: World, seen: Seen) -> AsyncIterator[None]:
    """Adds what happens inside."""
    pool, posts = world.database.pool, world.node.posts

    def note(logged: Any) -> None:
        # Our own looks are not the pipeline's.
        if logged.query not in (WAITING, LEFT):
            seen.statements += 1
            # What begins every transaction that changes something.
            seen.commits += CHANGES in logged.query
            seen.claims += logged.query == claims.CLAIM_SQL

    async def sample() -> None:
        while True:
            row = await world.database.read_row(WAITING)
            seen.lock_wait_seconds += 0 if row is None else row[0] * SAMPLE_SECONDS
            await asyncio.sleep(SAMPLE_SECONDS)

    connections = [await pool.acquire() for _ in range(pool.get_max_size())]
    for connection in connections:
        connection.add_query_logger(note)
        await pool.release(connection)
    sampling = asyncio.create_task(sample())
    try:
        yield
    finally:
        sampling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sampling
        for connection in [await pool.acquire() for _ in range(pool.get_max_size())]:
            connection.remove_query_logger(note)
            await pool.release(connection)
        seen.posts += world.node.posts - posts
