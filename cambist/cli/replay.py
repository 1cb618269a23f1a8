"""`cambist replay`: plays a recording as orders through the venue, and compares the trades."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cambist.cli import failures
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, print_json, table
from cambist.client.client import Client
from cambist.client.commands import ID_BYTES
from cambist.client.errors import CambistError, Rejected, Unavailable
from cambist.client.instruments import Market
from cambist.client.session import Session
from cambist.replay import limits
from cambist.replay.compare import Comparison, compare
from cambist.replay.files import Format, read_flow
from cambist.replay.flow import Flow
from cambist.replay.orders import RUN_BYTES, Fit, Orders
from cambist.replay.paper import PaperVenue
from cambist.replay.player import Played, Player
from cambist.replay.report import report_of
from cambist.replay.scratch import create_scratch

FORMATS = [file_format.value for file_format in Format]
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS), help="Default: by its content."
)
@click.option("--trades", "trades_path", type=FILE, help="Bitstamp's trades; default: beside FILE.")
@click.option("--rows", "rows_max", type=click.IntRange(1), default=limits.ROWS_MAX)
@click.option(
    "--market", "symbol", help="An empty market of yours; default: one is made (--admin)."
)
@click.option("--buyer", type=click.IntRange(1), help="With --market: account that buys.")
@click.option("--seller", type=click.IntRange(1), help="With --market: account that sells.")
@click.option(
    "--pairs",
    type=click.IntRange(1, limits.ACCOUNT_PAIRS_MAX),
    default=1,
    show_default=True,
    help="Pairs of accounts made; one holds 10,000 open orders.",
)
@click.option("--paper", "is_paper", is_flag=True, help="In this process, without a venue.")
@click.option(
    "--minimum-share",
    type=click.FloatRange(0, 1),
    default=0.95,
    show_default=True,
    help="Share of equal trades below which the exit status is 1.",
)
@as_json
@pass_doors
def replay(doors: Doors, /, *, as_json: bool, **wanted: Any) -> None:
    """Play FILE: Bitstamp L3 CSV, a LOBSTER message file or Databento DBN (MBO).

    The exit status is 1 when a difference has no named cause.
    """
    if bool(wanted["symbol"]) != bool(wanted["buyer"] and wanted["seller"]):
        raise click.UsageError("--market goes with --buyer and --seller")
    file_format = Format(wanted["format_name"]) if wanted["format_name"] else None
    try:
        flow = read_flow(
            wanted["file"],
            file_format,
            trades_path=wanted["trades_path"],
            rows_max=wanted["rows_max"],
        )
    except CambistError as error:
        failures.fail(error)
    if wanted["is_paper"]:
        played = play_on_paper(flow)
    else:
        played = failures.run(play(doors, flow, wanted, is_quiet=as_json))
    comparison = compare(flow, played.trades, played.refused)
    tell(flow, played, comparison, as_json=as_json)
    if comparison.unexplained or comparison.equal_share < wanted["minimum_share"]:
        click.secho("error: TRADES_DIFFER", fg="red", err=True)
        sys.exit(failures.FAILED)


def play_on_paper(flow: Flow) -> Played:
    """A first look: a plain book in this process."""
    paper = PaperVenue()
    trades = paper.play(flow.commands)
    refused = dict.fromkeys(paper.refused, "POST_ONLY_WOULD_CROSS")
    return Played(trades, refused, commands=len(flow.commands))


async def play(doors: Doors, flow: Flow, wanted: dict[str, Any], *, is_quiet: bool) -> Played:
    """Plays through the venue. Raises the SDK's errors."""
    async with doors.client() as client:
        market, accounts = await place_of(doors, client, flow, wanted)
        orders = Orders(
            Fit.of(market, flow.scale),
            accounts,
            run=os.urandom(RUN_BYTES),
            make_id=lambda: os.urandom(ID_BYTES),
            now_ns=time.time_ns,
        )
        player = Player(flow, orders)
        numbers = sorted(account for pair in accounts for account in pair)
        async with client.session(
            "replay", account_ids=numbers, shard=market.shard, on_event=player.hear
        ) as session:
            await clear(session, market, numbers)
            await check_empty(client, market)
            columns = TextColumn("commands"), BarColumn(), MofNCompleteColumn()
            with Progress(
                *columns, TimeRemainingColumn(), console=console(), disable=is_quiet
            ) as progress:
                task = progress.add_task("commands", total=len(flow.commands))
                played = await player.play(session, lambda count: progress.advance(task, count))
                progress.update(task, completed=len(flow.commands))
            await clear(session, market, numbers)
        return played


async def place_of(
    doors: Doors, client: Client, flow: Flow, wanted: dict[str, Any]
) -> tuple[Market, list[tuple[int, int]]]:
    """Market and accounts: the named ones, or a market of our own."""
    if wanted["symbol"]:
        return await client.market(wanted["symbol"]), [(wanted["buyer"], wanted["seller"])]
    async with doors.admin() as admin:
        symbol, accounts = await create_scratch(admin, flow.scale, client.firm_id, wanted["pairs"])
    for _ in range(limits.VISIBLE_ATTEMPTS_MAX):
        # Gateways hear of it with the next rows.
        try:
            market = await client.market(symbol)
            if await client.wallet.balances(accounts[-1][1], shard=doors.shard):
                return market, accounts
        except Rejected:
            pass
        await asyncio.sleep(limits.VISIBLE_SECONDS)
    raise Unavailable("NOT_VISIBLE", f"the gateway does not know {symbol} yet")


async def clear(session: Session, market: Market, accounts: list[int]) -> None:
    """Cancels what our accounts have in the market."""
    for account_id in accounts:
        await session.mass_cancel(market=market, account_id=account_id)


async def check_empty(client: Client, market: Market) -> None:
    """Raises Rejected when others have orders in the market: nothing could be compared."""
    async with client.market_data() as feed:
        books = feed.books(market)
        try:
            book = await anext(books)
        finally:
            await books.aclose()
    if len(book.bids) or len(book.asks):
        raise Rejected("MARKET_NOT_EMPTY", f"{market.symbol} has orders of others")


def tell(flow: Flow, played: Played, comparison: Comparison, *, as_json: bool) -> None:
    """The report."""
    report = report_of(flow, played, comparison)
    if as_json:
        print_json(report)
        return
    out = console()
    counts = {name: value for name, value in report.items() if not isinstance(value, dict | list)}
    out.print(table(("replay", ""), counts.items()))
    causes = {cause.value: count for cause, count in comparison.causes.items()}
    notes = {note.value: len(orders) for note, orders in flow.notes.items()}
    parts = {
        "differences by cause": causes,
        "what the recording does not tell": notes,
        "orders refused": report["orders_refused"],
        "changes and removals refused": report["changes_refused"],
    }
    for title, counted in parts.items():
        if counted:
            out.print()
            out.print(table((title, "count"), counted.items()))
