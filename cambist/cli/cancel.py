"""`cambist cancel`: one order by number or id, or all that match."""

import os
import time

import click

from cambist.cli import failures
from cambist.cli.accounts import account_option, id_of, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, event_fields, print_json
from cambist.client import commands
from cambist.client.commands import ID_BYTES, Target
from cambist.client.enums import Side
from cambist.client.events import Event


@click.command()
@click.argument("order_id", type=click.IntRange(1), required=False)
@click.option("--id", "cl_ord_id", default="", help="Its 32 hex digits instead of its number.")
@click.option("--all", "is_all", is_flag=True, help="All open orders of the account.")
@click.option("--market", "symbol", help="With --all: of this market only.")
@click.option("--side", type=click.Choice(["buy", "sell"]), help="With --all: of this side only.")
@account_option
@as_json
@pass_doors
def cancel(
    doors: Doors,
    *,
    order_id: int | None,
    cl_ord_id: str,
    is_all: bool,
    symbol: str | None,
    side: str | None,
    account_id: int | None,
    as_json: bool,
) -> None:
    """Cancel ORDER_ID, or the order with --id, or --all."""
    if [order_id is not None, bool(cl_ord_id), is_all].count(True) != 1:
        raise click.UsageError("name one order, by number or --id, or give --all")
    if (symbol or side) and not is_all:
        raise click.UsageError("--market and --side go with --all")
    if is_all:
        events = failures.run(cancel_all(doors, account_id, symbol, side))
    else:
        events = failures.run(cancel_one(doors, account_id, order_id or 0, cl_ord_id))
    if as_json:
        for event in events:
            print_json(event_fields(event))
    else:
        click.echo(f"cancelled {len(events)} orders" if is_all else "cancelled")


async def cancel_one(
    doors: Doors, account_id: int | None, order_id: int, cl_ord_id: str
) -> list[Event]:
    """Raises the SDK's errors; after Unknown it may be done again."""
    async with doors.client() as client:
        account = one_account(client, account_id)
        raw_id = id_of(cl_ord_id) if cl_ord_id else b""
        target = Target(account, cl_ord_id=raw_id, order_id=order_id)
        request = commands.cancel(target, os.urandom(ID_BYTES), time.time_ns())
        return [await client.orders.cancel(request)]


async def cancel_all(
    doors: Doors, account_id: int | None, symbol: str | None, side: str | None
) -> list[Event]:
    """The cancelled orders. Raises the SDK's errors."""
    async with doors.client() as client:
        market_id = (await client.market(symbol)).market_id if symbol else 0
        request = commands.mass_cancel(
            one_account(client, account_id),
            os.urandom(ID_BYTES),
            time.time_ns(),
            market_id=market_id,
            side=Side[side.upper()] if side else Side.UNSPECIFIED,
        )
        answer, events = await client.orders.mass_cancel(request)
        return [event for event in events if event is not answer]
