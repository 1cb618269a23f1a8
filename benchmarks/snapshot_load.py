"""Latency of single orders while snapshots of a full book are taken, beside the same without.

Called by `benchmarks.venue`. A venue of its own: its book is filled, then single orders are timed
in turns without a snapshotter and with one that takes one snapshot after the other.
"""

import asyncio
import signal
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import journal_figures, results
from benchmarks.recovery import new_run
from benchmarks.results import Case, case_of
from benchmarks.venue_load import SessionLoad, VenueLoad, VenueOutcome, run
from benchmarks.venue_sizes import Sizes
from cambist.client.client import Client
from cambist.client.enums import CommandClass
from cambist.client.keys import ApiKey
from cambist.client.raw import RawBatch
from cambist.orders.v1 import commands_pb2, enums_pb2
from venue import engines
from venue.flow.definitions import MARKETS, OPEN_ORDERS_MAX, firms
from venue.latency import Histogram
from venue.processes import Process
from venue.setup import create_keys, create_venue
from venue.stack import SNAPSHOTTER, Stack, StackPlan

# Accounts of one session of those that fill the book; the last account is for timed orders.
FILLING_ACCOUNTS: Final = 10
FILLING_BATCH: Final = 250
FILLING_WINDOW: Final = 5_000
# Ticks from the middle of the market: no order of the full book trades.
DISTANCE_TICKS: Final = 1_000
LEVELS: Final = 2_000
ACCOUNTS_TIMED: Final = 3
CATCH_UP_SECONDS: Final = 240.0
LOOK_SECONDS: Final = 0.25
NS_PER_MS: Final = 1_000_000
# The snapshotter begins the next one as soon as anything has happened since the last.
ALWAYS: Final = {"SNAPSHOT_EVERY_COMMANDS": "1", "SNAPSHOT_EVERY_SECONDS": "0.1"}


def resting(account_id: int, count: int, run_number: int) -> Iterator[RawBatch]:
    """Batches of `count` orders of one account that rest on many levels of all markets."""
    now_ns = time.time_ns()
    for first in range(0, count, FILLING_BATCH):
        body = commands_pb2.Commands()
        for index in range(first, min(count, first + FILLING_BATCH)):
            market = MARKETS[index % len(MARKETS)]
            is_buy = index // len(MARKETS) % 2 == 0
            distance = DISTANCE_TICKS + index * 7 % min(LEVELS, market.middle_ticks // 4)
            order = body.commands.add().new_order
            order.cl_ord_id = (account_id << 64 | run_number << 32 | index).to_bytes(16, "big")
            order.account_id = account_id
            order.market_id = market.market_id
            order.side = enums_pb2.SIDE_BUY if is_buy else enums_pb2.SIDE_SELL
            order.order_type = enums_pb2.ORDER_TYPE_LIMIT
            order.time_in_force = enums_pb2.TIME_IN_FORCE_GTC
            order.price_ticks = market.middle_ticks + (-distance if is_buy else distance)
            order.quantity_lots = 1 + index % 100
            order.sent_time_ns = now_ns
        yield RawBatch(CommandClass.ORDER, len(body.commands), body.SerializeToString())


async def fill(client: Client, accounts: tuple[int, ...], count: int) -> None:
    """Rests `count` orders. Raises LoadStopped."""
    run_number = new_run()
    outcome = VenueOutcome()
    for first in range(0, len(accounts), FILLING_ACCOUNTS):
        group = accounts[first : first + FILLING_ACCOUNTS]
        async with client.raw_session(f"fill-{first}", account_ids=group) as session:
            for account_id in group:
                share = min(count, OPEN_ORDERS_MAX)
                count -= share
                load = SessionLoad(
                    session,
                    deque(resting(account_id, share, run_number)),
                    FILLING_WINDOW,
                    outcome,
                )
                await load.run()


async def caught_up(stack: Stack) -> Process:
    """A snapshotter that has stored a snapshot of the full book. Raises ProcessFailed."""
    process = stack.start_helper(SNAPSHOTTER, ALWAYS)
    head = await journal_figures.head(stack.dsn)
    async with asyncio.timeout(CATCH_UP_SECONDS):
        while await journal_figures.newest_snapshot(stack.dsn) < head:
            stack.processes.check()
            await asyncio.sleep(LOOK_SECONDS)
    return process


async def while_taking(
    stack: Stack, client: Client, load: VenueLoad, accounts: list[tuple[int, ...]]
) -> Histogram:
    """Latency of the load, again and again until a snapshot was begun and stored meanwhile."""
    latency = Histogram()
    before = await journal_figures.newest_snapshot(stack.dsn)
    async with asyncio.timeout(CATCH_UP_SECONDS):
        while await journal_figures.newest_snapshot(stack.dsn) <= before:
            stack.processes.check()
            latency.merge((await run(client, load, accounts, new_run())).latency)
    return latency


async def measure(sizes: Sizes, console: Console, directory: Path) -> list[Case]:
    """The cases `snapshot/…`; their ceiling is the same latency without snapshots."""
    wanted = sizes.resting_orders
    filling = -(-wanted // OPEN_ORDERS_MAX)
    (firm,) = firms(1, filling + ACCOUNTS_TIMED)
    engine = engines.sizes().engine
    plan = StackPlan(directory, gateway_count=1, engine=engine, helpers=False)
    with_snapshots: list[Histogram] = []
    without: list[Histogram] = []
    async with Stack(plan) as stack:
        await create_venue(stack, [firm])
        keys = await create_keys(stack, [firm], directory / "keys")
        async with Client.connect(stack.endpoints, ApiKey.load(keys[firm.firm_id])) as client:
            await fill(client, firm.account_ids[:filling], wanted)
            timed = [firm.account_ids[filling:]]
            load = VenueLoad(1, 1, sizes.snapshot_probes, 1)
            snapshotter = await caught_up(stack)
            for _ in range(sizes.rounds):
                snapshotter.send(signal.SIGSTOP)
                without.append((await run(client, load, timed, new_run())).latency)
                snapshotter.send(signal.SIGCONT)
                with_snapshots.append(await while_taking(stack, client, load, timed))
    name = f"{wanted // 1_000_000}M" if wanted >= 1_000_000 else f"{wanted // 1_000}k"
    cases = []
    for percentile, share in (("p50", 0.5), ("p99", 0.99)):
        values = [one.percentile(share) / NS_PER_MS for one in with_snapshots]
        base = [one.percentile(share) / NS_PER_MS for one in without]
        cases.append(case_of(f"snapshot/{name}/{percentile}", "ms", values, base))
        console.print("  ".join(results.cells(cases[-1])), highlight=False)
    return cases
