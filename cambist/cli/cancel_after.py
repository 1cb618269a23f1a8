"""`cambist cancel-after`: the dead man's timer of an account."""

import os
import time
from typing import Final

import click

from cambist.cli import failures
from cambist.cli.accounts import account_option, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, print_json
from cambist.client import commands
from cambist.client.commands import ID_BYTES

DAY_SECONDS: Final = 86_400
MS_PER_SECOND: Final = 1_000


@click.command("cancel-after")
@click.argument("seconds", type=click.IntRange(0, DAY_SECONDS))
@account_option
@as_json
@pass_doors
def cancel_after(doors: Doors, *, seconds: int, account_id: int | None, as_json: bool) -> None:
    """Cancel all open orders in SECONDS unless it is said again before; 0 takes it back."""
    fires_ns = failures.run(arm(doors, account_id, seconds))
    if as_json:
        print_json({"fires_ns": fires_ns})
    else:
        click.echo(f"all orders are cancelled in {seconds} s" if fires_ns else "disarmed")


async def arm(doors: Doors, account_id: int | None, seconds: int) -> int:
    """When it fires, 0 = never. Raises the SDK's errors; after Unknown it may be done again."""
    async with doors.client() as client:
        account = one_account(client, account_id)
        request = commands.cancel_all_after(
            account, seconds * MS_PER_SECOND, os.urandom(ID_BYTES), time.time_ns()
        )
        _, fires_ns = await client.orders.cancel_all_after(request)
        return fires_ns
