"""`cambist replace`: another order in place of an open one, or no change at all."""

from typing import Any

import click

from cambist.cli import failures
from cambist.cli.accounts import id_of, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.order import order_options, request_of, settle, show
from cambist.client import commands
from cambist.client.errors import Unknown
from cambist.client.events import Accepted, Event
from cambist.client.instruments import Market


@click.command()
@click.argument("replaced_id", metavar="ID")
@click.option("--allow-missing", is_flag=True, help="Enter it even when the old one is gone.")
@order_options
@pass_doors
def replace(doors: Doors, /, *, as_json: bool, **wanted: Any) -> None:
    """Replace the order with ID (32 hex digits) by SYMBOL SIDE QUANTITY [PRICE]."""
    show(*failures.run(exchange(doors, wanted)), as_json=as_json)


async def exchange(doors: Doors, wanted: dict[str, Any]) -> tuple[list[Event], Market]:
    """Sends it; the answer and what happened at once. Raises the SDK's errors."""
    replaced_id = id_of(wanted["replaced_id"])
    async with doors.client() as client:
        market = await client.market(wanted["symbol"])
        new_order = request_of(market, one_account(client, wanted["account_id"]), wanted)
        is_lenient = bool(wanted["allow_missing"])
        request = commands.replacement(replaced_id, new_order, allow_missing=is_lenient)
        try:
            accepted, events = await client.orders.replace(request)
        except Unknown as error:
            await settle(client, request, error)
            raise
        return [accepted, *(event for event in events if not isinstance(event, Accepted))], market
