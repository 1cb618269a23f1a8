"""Payouts per second of the real pipeline on each chain, beside the same calls without any logic.

Called by `benchmarks.wallets`. Postgres, the signer's process and the nodes are real (TRON's is the
simulator); engine and approver answer at once in this process. Waiting for blocks is not counted:
the clock runs until every payout was sent, and again from when all are solid until every one is
settled.

The ceiling makes as many commits as the pipeline was seen to in the same round, which insert and
change as many rows of the same mean size, has plans signed that were made before, and broadcasts
them: it reads nothing, asks nothing, decides nothing. A call of the signer is whole in both, with
the signer's own log, its checks and its commit.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg

from benchmarks.results import Case, case_of
from benchmarks.wallets import payout_ethereum
from benchmarks.wallets.payout_world import Opens, World, open_tron, opened
from benchmarks.wallets.sizes import Sizes
from wallets.contract import Approval, Attempt, AttemptId, Payout, Plan, Token
from wallets.core.claims import Claim
from wallets.core.inbox import Requested
from wallets.core.pipeline import Pipeline
from wallets.core.store import Store
from wallets.errors import Fenced
from wallets.worker.steps import Step

WORKERS: Final = 8
# Longer than a node and its solid lag need for what is in the pool.
SOLID_SECONDS: Final = 6.0
ROUND_SECONDS: Final = 600.0
# Between two looks of a step that found nothing, and of the link.
IDLE_SECONDS: Final = 0.02
# Between two of our own looks, whose cost is not the pipeline's.
SAMPLE_SECONDS: Final = 0.1
# After which a backend that is idle has told what it did.
FLUSH_SECONDS: Final = 11.0
WAITING: Final = """
select count(*) from pg_stat_activity
where wait_event_type = 'Lock' and application_name = 'pipeline'
"""
# Those of earlier rounds are only watched, and wait for that.
LOOK_NOW: Final = """
update custody.payout set not_before = '-infinity' where state in ('broadcasting', 'confirming')
"""
# One commit of the ceiling: rows that are made, and rows of its own that are changed.
BARE_TABLE: Final = """
create table public.bare (id bigint generated always as identity primary key,
    changes integer not null default 0, content bytea not null)
"""
BARE: Final = """
with changed as (update public.bare set changes = changes + 1 where id = any($3::bigint[]))
insert into public.bare (content) select $2 from generate_series(1, $1::integer) returning id
"""
# What was written into custody's tables since the server began.
WRITTEN: Final = """
select coalesce(sum(n_tup_ins), 0)::bigint as inserted,
    coalesce(sum(n_tup_upd), 0)::bigint as changed
from pg_stat_user_tables where schemaname = 'custody'
"""
# Of all that payouts are made of.
ROW_BYTES: Final = """
select avg(size)::integer from (
    select pg_column_size(one) as size from custody.payout one
    union all select pg_column_size(one) from custody.approval one
    union all select pg_column_size(one) from custody.attempt one
    union all select pg_column_size(one) from custody.attempt_plan one
    union all select pg_column_size(one) from custody.attempt_output one
    union all select pg_column_size(one) from custody.event one
    union all select pg_column_size(one) from custody.posting one
    union all select pg_column_size(one) from custody.outbox one) rows
"""
# Where a payout waits for blocks alone.
SENT: Final = ("broadcasting", "confirming")
CHANGES: Final = "set_config('custody.actor'"
LEFT: Final = """
select count(*) from custody.payout p where network_id = $1 and state <> 'settled'
    and not (state = any($2::text[]) and not_before > clock_timestamp())
"""


@dataclass(slots=True)
class Seen:
    """What one round did."""

    seconds: float = 0.0
    statements: int = 0
    commits: int = 0
    posts: int = 0
    lock_wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Rows:
    """What one round writes into custody's tables."""

    made: int
    changed: int
    # The mean size of what is made.
    row_bytes: int


class CountedStore(Store):
    """Its claims are commits where they found something; other looks cost no payout anything."""

    seen: Seen

    async def _claim_some(self, wanted: Sequence[bool]) -> list[Claim | None]:
        found = await super()._claim_some(wanted)
        if found[0] is None:
            # Both looks, at what is open and at what is settled.
            self.seen.statements -= 2
        else:
            self.seen.commits += 1
        return found


async def measure(directory: Path, sizes: Sizes) -> list[Case]:
    """Every chain of which there is a node."""
    worlds: list[tuple[str, Opens]] = [("tron one by one", open_tron)]
    if payout_ethereum.is_there():
        worlds.append(("ethereum over lanes", payout_ethereum.open_ethereum))
    cases = []
    for name, open_world in worlds:
        folder = directory / name.replace(" ", "-")
        folder.mkdir()
        async with opened(open_world, folder) as world:
            cases += await measure_one(world, f"payouts/{name}", sizes)
    return cases


async def measure_one(world: World, name: str, sizes: Sizes) -> list[Case]:
    """Pipeline and ceiling in turns."""
    rounds: list[tuple[Seen, float]] = []
    count = sizes.payouts
    await world.database.write(BARE_TABLE)
    rows = await first_round(world, count)
    for _ in range(sizes.rounds):
        seen = await pipeline_round(world, count)
        rounds.append((seen, await bare_round(world, count, seen.commits, rows)))
        # What the ceiling sent is in blocks before anything is planned again.
        await asyncio.sleep(SOLID_SECONDS)
    rates = [count / seen.seconds for seen, _ in rounds]
    cases = [case_of(name, "payouts/s", rates, [count / bare for _, bare in rounds])]
    for what, unit, values in (
        ("statements", "/payout", [seen.statements / count for seen, _ in rounds]),
        ("commits", "/payout", [seen.commits / count for seen, _ in rounds]),
        ("rows made", "/payout", [rows.made / count]),
        ("rows changed", "/payout", [rows.changed / count]),
        ("calls of the node", "/payout", [seen.posts / count for seen, _ in rounds]),
        (
            "waiting for locks",
            "ms/payout",
            [s.lock_wait_seconds * 1e3 / count for s, _ in rounds],
        ),
    ):
        cases.append(case_of(f"{name}/{what}", unit, values))
    return cases


async def first_round(world: World, count: int) -> Rows:
    """Not measured; every other round writes the same rows."""
    made, changed = await written(world)
    await pipeline_round(world, count)
    made_then, changed_then = await written(world)
    row_bytes = await one_value(world, ROW_BYTES)
    return Rows(made_then - made, changed_then - changed, row_bytes)


async def pipeline_round(world: World, count: int) -> Seen:
    """The real thing, from the journal to the settlement."""
    await world.engine.tell(*world.request(count))
    seen = Seen()
    store = CountedStore(world.database, world.network_id, "bench")
    store.seen = seen
    # As the worker has it.
    pipeline = Pipeline(store, world.chain, world.approver, world.signer)
    steps: list[Step] = [pipeline.stride] * WORKERS
    async with counted(world, seen):
        seen.seconds += await run(world, steps, SENT)
    await asyncio.sleep(SOLID_SECONDS)
    await world.database.write(LOOK_NOW)
    async with counted(world, seen):
        seen.seconds += await run(world, steps, ())
    return seen


async def run(world: World, steps: list[Step], waits_in: Sequence[str]) -> float:
    """Seconds until all are settled, or wait in this state for their next look."""
    is_over = asyncio.Event()

    async def work(step: Step) -> None:
        while not is_over.is_set():
            # As the worker does: an answer that came meanwhile moved the payout, nothing is lost.
            with contextlib.suppress(Fenced):
                if await step():
                    continue
            await asyncio.sleep(IDLE_SECONDS)

    async def link() -> None:
        while not is_over.is_set():
            if not await world.engine.answer():
                await asyncio.sleep(IDLE_SECONDS)

    async def look() -> None:
        while not is_over.is_set():
            row = await world.database.read_row(LEFT, world.network_id, waits_in)
            if row is not None and row[0] == 0:
                is_over.set()
            await asyncio.sleep(SAMPLE_SECONDS)

    started = time.perf_counter()
    async with asyncio.timeout(ROUND_SECONDS), asyncio.TaskGroup() as tasks:
        for step in steps:
            tasks.create_task(work(step))
        tasks.create_task(link())
        tasks.create_task(look())
    return time.perf_counter() - started


async def bare_round(world: World, count: int, commits: int, rows: Rows) -> float:
    """Seconds of the same calls; what is signed was planned before."""
    planned: list[tuple[Plan, Payout, Approval]] = []
    for one in world.request(count):
        taken = frozenset(name for plan, _, _ in planned for name in plan.inputs)
        planned.append(await plan_of(world, one, taken))
    waiting = iter(enumerate(planned))
    made, changed = share(rows.made, commits), share(rows.changed, commits)
    content = os.urandom(rows.row_bytes)

    async def work() -> None:
        own: list[int] = []
        for number, (plan, payout, approval) in waiting:
            first, last = share(commits, count, number), share(commits, count, number + 1)
            for _ in range(last - first):
                found = await world.database.write(BARE, made, content, own[-changed:])
                own += [row["id"] for row in found]
            raw = await world.signer.sign(plan, [approval])
            txid = world.chain.identify(raw)
            attempt = Attempt(AttemptId(0), txid, raw, (payout,), plan.fee_atoms_max)
            await world.chain.broadcast(attempt)

    started = time.perf_counter()
    async with asyncio.timeout(ROUND_SECONDS), asyncio.TaskGroup() as tasks:
        for _ in range(WORKERS):
            tasks.create_task(work())
    return time.perf_counter() - started


def share(total: int, parts: int, number: int = 1) -> int:
    """Of so many equal parts, what so many of them come to."""
    return total * number // parts


async def plan_of(
    world: World, asked: Requested, taken: frozenset[str]
) -> tuple[Plan, Payout, Approval]:
    """All that the signer wants to see."""
    destination = world.chain.parse_address(asked.destination)
    token = Token(world.asset.asset_id, b"", world.asset.decimals)
    payout = Payout(asked.withdrawal_id, destination, token, asked.amount_atoms)
    fee = await world.chain.highest_fee(payout)
    plan = await world.chain.build(
        asked.withdrawal_id, [payout], fee_atoms_max=fee, must_use=(), owned=taken
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

    async def sample() -> None:
        while True:
            row = await world.database.read_row(WAITING)
            seen.lock_wait_seconds += 0 if row is None else row[0] * SAMPLE_SECONDS
            await asyncio.sleep(SAMPLE_SECONDS)

    for connection in await all_of(pool):
        connection.add_query_logger(note)
        await pool.release(connection)
    sampling = asyncio.create_task(sample())
    try:
        yield
    finally:
        sampling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sampling
        for connection in await all_of(pool):
            connection.remove_query_logger(note)
            await pool.release(connection)
        seen.posts += world.node.posts - posts


async def all_of(pool: "asyncpg.Pool[asyncpg.Record]") -> list[Any]:
    """Every connection that it may have."""
    return [await pool.acquire() for _ in range(pool.get_max_size())]


async def written(world: World) -> tuple[int, int]:
    """Rows that were made and changed so far."""
    await asyncio.sleep(FLUSH_SECONDS)
    row = await world.database.read_row(WRITTEN)
    assert row is not None, "a sum is always there"
    return int(row["inserted"]), int(row["changed"])


async def one_value(world: World, query: str) -> int:
    """The only value of the only row."""
    row = await world.database.read_row(query)
    assert row is not None, "an aggregate always has a row"
    return int(row[0])
