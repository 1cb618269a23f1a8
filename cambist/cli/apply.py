"""`cambist apply`: makes what a file says exist: assets, markets, firms, accounts, limits.

May be run again: it does what is missing and nothing else. Nothing is ever removed.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cambist.cli import failures, limits
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, print_json, table
from cambist.cli.venue_file import WantedVenue, load
from cambist.cli.venue_plan import (
    Action,
    Change,
    CreateAccount,
    CreateAsset,
    CreateFirm,
    CreateMarket,
    SetAccountLimits,
    SetMarketLimits,
    SetPhase,
    Step,
    make_plan,
)
from cambist.client.admin import Admin
from cambist.client.errors import CambistError, InvalidInput

# Kinds of which many may be under way at once; others need those before them.
INDEPENDENT: Final = (CreateAccount, SetAccountLimits)


@click.command()
@click.option(
    "-f",
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="YAML or JSON; `python -c 'help(\"cambist.cli.venue_file\")'` shows one.",
)
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Show the plan and end.")
@as_json
@pass_doors
def apply(doors: Doors, *, path: Path, is_dry_run: bool, as_json: bool) -> None:
    """Make what FILE says exist. May be run again; removes nothing."""
    try:
        wanted = load(path)
        if wanted.shard != doors.shard:
            text = f"{path} is for shard {wanted.shard}: give --shard {wanted.shard}"
            raise InvalidInput("WRONG_SHARD", text)
    except CambistError as error:
        failures.fail(error)
    steps = failures.run(carry_out(doors, wanted, is_dry_run=is_dry_run, as_json=as_json))
    if any(step.action is Action.CONFLICT for step in steps):
        click.secho("error: CONFLICT: nothing was applied", fg="red", err=True)
        sys.exit(failures.FAILED)
    if not as_json:
        click.echo(summary(steps, is_dry_run=is_dry_run))


async def carry_out(
    doors: Doors, wanted: WantedVenue, *, is_dry_run: bool, as_json: bool
) -> list[Step]:
    """Shows the plan and carries it out, unless something conflicts. Raises the SDK's errors."""
    async with doors.admin() as admin:
        present = await admin.definitions()
        accounts = await admin.accounts([account.account_id for account in wanted.accounts])
        steps = make_plan(wanted, present, accounts)
        show(steps, as_json=as_json)
        is_possible = all(step.action is not Action.CONFLICT for step in steps)
        if steps and is_possible and not is_dry_run:
            await apply_all(admin, steps, is_quiet=as_json)
        return steps


def show(steps: Sequence[Step], *, as_json: bool) -> None:
    """The plan."""
    if as_json:
        for step in steps:
            print_json({"action": step.action.value, "what": step.what, "detail": step.detail})
    elif steps:
        rows = ((step.action.value, step.what, step.detail) for step in steps)
        console().print(table(("action", "what", "detail"), rows, left=3))


def summary(steps: Sequence[Step], *, is_dry_run: bool) -> str:
    """The last line."""
    if not steps:
        return "nothing to do"
    return f"{len(steps)} to do, nothing was applied" if is_dry_run else f"applied {len(steps)}"


async def apply_all(admin: Admin, steps: Sequence[Step], *, is_quiet: bool) -> None:
    """Carries out the changes in order. Raises the SDK's errors; running it again is safe."""
    changes = [step.change for step in steps if step.change is not None]
    columns = TextColumn("apply"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console(), disable=is_quiet) as progress:
        task = progress.add_task("apply", total=len(changes))
        for is_independent, group in groupby(
            changes, lambda change: isinstance(change, INDEPENDENT)
        ):
            at_once = limits.APPLY_CALLS_MAX if is_independent else 1
            async for done in in_parts(admin, group, at_once):
                progress.advance(task, done)


async def in_parts(admin: Admin, changes: Iterable[Change], at_once: int) -> AsyncIterator[int]:
    """Carries out changes, so many at once; yields how many are done."""
    part: list[Change] = []
    for change in changes:
        part.append(change)
        if len(part) == at_once:
            await asyncio.gather(*(carry_out_one(admin, one) for one in part))
            yield len(part)
            part = []
    if part:
        await asyncio.gather(*(carry_out_one(admin, one) for one in part))
        yield len(part)


async def carry_out_one(admin: Admin, change: Change) -> None:
    """One change. Raises the SDK's errors."""
    match change:
        case CreateAsset(asset=asset):
            await admin.create_asset(asset)
        case CreateMarket(market=market):
            await admin.create_market(market)
        case SetMarketLimits(market_id=market_id, limits=market_limits):
            await admin.update_market(market_id, market_limits)
        case SetPhase(market_id=market_id, phase=phase):
            await admin.set_phase(market_id, phase)
        case CreateFirm(firm_id=firm_id, name=name):
            await admin.create_firm(firm_id, name)
        case CreateAccount(account=account):
            await admin.create_account(account)
        case SetAccountLimits(account_id=account_id):
            await admin.set_account_limits(
                account_id,
                open_orders_max=change.open_orders_max,
                id_capacity=change.id_capacity,
                frozen=change.frozen,
            )
