"""`cambist bench`: rate and latency of one session, as its owner sees them.

Enters post-only buy orders at a price that does not trade and cancels each of them. It measures
this client, the way to the venue and the venue together.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cambist.cli import failures, limits
from cambist.cli.accounts import account_option, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, print_json
from cambist.client.commands import Request
from cambist.client.enums import Side, TimeInForce
from cambist.client.events import Answer, Refused
from cambist.client.session import Session

NS_PER_MS = 1e6
NS_PER_SECOND = 1e9


@dataclass(slots=True)
class Measured:
    """What a run found."""

    seconds: float = 0.0
    refused: dict[str, int] = field(default_factory=dict)
    latencies_ns: list[int] = field(default_factory=list)

    def take(self, answer: Answer, latency_ns: int) -> None:
        """One answer."""
        self.latencies_ns.append(latency_ns)
        if isinstance(answer, Refused):
            self.refused[answer.reason.name] = self.refused.get(answer.reason.name, 0) + 1

    def plain(self) -> dict[str, Any]:
        """The figures."""
        return {
            "commands": len(self.latencies_ns),
            "seconds": round(self.seconds, 3),
            "commands_per_second": round(len(self.latencies_ns) / self.seconds, 1),
            "p50_ms": round(percentile(self.latencies_ns, 0.50) / NS_PER_MS, 3),
            "p99_ms": round(percentile(self.latencies_ns, 0.99) / NS_PER_MS, 3),
            "p999_ms": round(percentile(self.latencies_ns, 0.999) / NS_PER_MS, 3),
            "refused": self.refused,
        }


@click.command()
@click.argument("symbol")
@click.argument("quantity")
@click.argument("price")
@account_option
@click.option(
    "--orders",
    type=click.IntRange(1, limits.BENCH_ORDERS_MAX),
    default=limits.BENCH_ORDERS,
    show_default=True,
)
@click.option(
    "--window",
    type=click.IntRange(1, limits.BENCH_WINDOW_MAX),
    default=limits.BENCH_WINDOW,
    show_default=True,
    help="Orders without an answer at once; 1 measures latency alone.",
)
@as_json
@pass_doors
def bench(
    doors: Doors,
    *,
    symbol: str,
    quantity: str,
    price: str,
    account_id: int | None,
    orders: int,
    window: int,
    as_json: bool,
) -> None:
    """Enter and cancel buy orders of QUANTITY at PRICE, which must not trade."""
    measured = failures.run(
        measure(doors, (symbol, quantity, price), account_id, orders, window, is_quiet=as_json)
    )
    found = measured.plain()
    if as_json:
        print_json(found)
        return
    out = console()
    for name, value in found.items():
        out.print(f"{name:<20} {value}", markup=False)


async def measure(
    doors: Doors,
    what: tuple[str, str, str],
    account_id: int | None,
    orders: int,
    window: int,
    *,
    is_quiet: bool,
) -> Measured:
    """Runs it. Raises the SDK's errors."""
    symbol, quantity, price = what
    measured = Measured()
    async with doors.client() as client:
        market = await client.market(symbol)
        account = one_account(client, account_id)
        columns = TextColumn("orders"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        name = f"bench-{account}"
        async with client.session(name, account_ids=[account], shard=market.shard) as session:
            with Progress(*columns, console=console(), disable=is_quiet) as progress:
                task = progress.add_task("orders", total=orders)
                started_ns = time.perf_counter_ns()
                for done in range(0, orders, window):
                    count = min(window, orders - done)
                    entered = [
                        session.make_order(
                            market,
                            Side.BUY,
                            quantity,
                            price,
                            time_in_force=TimeInForce.GTC,
                            post_only=True,
                        )
                        for _ in range(count)
                    ]
                    await ask_all(session, entered, measured)
                    cancels = [session.make_cancel(request) for request in entered]
                    await ask_all(session, cancels, measured)
                    progress.advance(task, count)
                measured.seconds = (time.perf_counter_ns() - started_ns) / NS_PER_SECOND
    return measured


async def ask_all(session: Session, requests: Sequence[Request], measured: Measured) -> None:
    """Sends all, waits for all, and notes how long each answer took."""

    async def ask(request: Request) -> None:
        sent_ns = time.perf_counter_ns()
        answer = await session.ask(request)
        measured.take(answer, time.perf_counter_ns() - sent_ns)

    await asyncio.gather(*(ask(request) for request in requests))


def percentile(values: Sequence[int], share: float) -> int:
    """The value that `share` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
