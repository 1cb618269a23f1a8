"""`cambist order`: one order, and what became of it."""

import os
import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import click

from cambist.cli import failures
from cambist.cli.accounts import account_option, id_of, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, event_fields, print_json
from cambist.client import commands
from cambist.client.client import Client
from cambist.client.commands import ID_BYTES, NewOrder, Request
from cambist.client.enums import ResolveState, Side, TimeInForce
from cambist.client.errors import Rejected, Unknown
from cambist.client.events import Accepted, Event, Filled
from cambist.client.instruments import Market
from cambist.client.triggers import Trigger

Command: TypeAlias = Callable[..., Any]

# What an order says, for every command that enters one.
OPTIONS: Final[tuple[Callable[[Command], Command], ...]] = (
    click.argument("symbol"),
    click.argument("side", type=click.Choice(["buy", "sell"])),
    click.argument("quantity"),
    click.argument("price", required=False),
    account_option,
    click.option(
        "--time-in-force",
        type=click.Choice(["gtc", "ioc", "fok", "gtd", "day"]),
        help="Default: gtc with a price or a trigger, else ioc.",
    ),
    click.option("--expires", "expires_seconds", type=click.IntRange(1), help="Seconds, with gtd."),
    click.option("--post-only", "is_post_only", is_flag=True, help="Refused if it would trade."),
    click.option("--stop-price", help="Waits until a trade gets so bad."),
    click.option("--take-profit-price", help="Waits until a trade gets so good."),
    click.option("--trailing-offset", help="Waits until a trade turns back by so much."),
    click.option(
        "--trailing-ppm", type=click.IntRange(0, 999_999), default=0, help="The same in millionths."
    ),
    click.option("--display", help="Shows so much of it at a time."),
    click.option("--minimum", help="Refused unless so much trades at once."),
    click.option("--budget", help="Spends so much of the quote; QUANTITY is 0 then."),
    click.option("--tag", type=click.IntRange(0, 2**32 - 1), default=0, help="For mass cancels."),
    click.option("--id", "cl_ord_id", default="", help="32 hex digits; enters one order at most."),
    as_json,
)


def order_options(command: Command) -> Command:
    """Gives a command the arguments and options of an order."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command()
@order_options
@pass_doors
def order(doors: Doors, /, *, as_json: bool, **wanted: Any) -> None:
    """Enter an order: SYMBOL SIDE QUANTITY [PRICE]; without a price a market order."""
    show(*failures.run(enter(doors, wanted)), as_json=as_json)


def show(events: list[Event], market: Market, *, as_json: bool) -> None:
    """Prints what happened."""
    if as_json:
        for event in events:
            print_json(event_fields(event))
        return
    out = console()
    for event in events:
        out.print(line_of(event, market), markup=False)


async def enter(doors: Doors, wanted: dict[str, Any]) -> tuple[list[Event], Market]:
    """Sends it; the answer and what happened at once. Raises the SDK's errors."""
    async with doors.client() as client:
        market = await client.market(wanted["symbol"])
        request = request_of(market, one_account(client, wanted["account_id"]), wanted)
        try:
            accepted, events = await client.orders.new_order(request)
        except Unknown as error:
            await settle(client, request, error)
            raise
        return [accepted, *(event for event in events if not isinstance(event, Accepted))], market


def request_of(market: Market, account_id: int, wanted: dict[str, Any]) -> Request:
    """The request. Raises InvalidInput: OFF_TICK, OFF_LOT and the like."""
    price, time_in_force, budget = wanted["price"], wanted["time_in_force"], wanted["budget"]
    trigger = Trigger(
        wanted["stop_price"],
        wanted["take_profit_price"],
        wanted["trailing_offset"],
        wanted["trailing_ppm"],
    )
    if time_in_force is None:
        time_in_force = "gtc" if price is not None or trigger.waits else "ioc"
    now_ns = time.time_ns()
    seconds = wanted["expires_seconds"]
    new_order = NewOrder(
        account_id=account_id,
        market_id=market.market_id,
        side=Side[wanted["side"].upper()],
        quantity_lots=0 if budget else market.lots(wanted["quantity"]),
        price_ticks=0 if price is None else market.ticks(price),
        order_type=trigger.order_type(has_price=price is not None),
        time_in_force=TimeInForce[time_in_force.upper()],
        post_only=wanted["is_post_only"],
        tag=wanted["tag"],
        expire_time_ns=now_ns + seconds * 1_000_000_000 if seconds else 0,
        trigger_price_ticks=trigger.price_ticks(market),
        trailing_offset_ticks=trigger.offset_ticks(market),
        trailing_offset_ppm=trigger.trailing_ppm,
        display_lots=lots_of(market, wanted["display"]),
        minimum_lots=lots_of(market, wanted["minimum"]),
        quote_budget_atoms=market.quote.atoms(budget) if budget else 0,
    )
    cl_ord_id = id_of(wanted["cl_ord_id"]) if wanted["cl_ord_id"] else os.urandom(ID_BYTES)
    return commands.new_order(new_order, cl_ord_id, now_ns)


def lots_of(market: Market, quantity: str | None) -> int:
    """A quantity that may be left out."""
    return 0 if quantity is None else market.lots(quantity)


async def settle(client: Client, request: Request, error: Unknown) -> None:
    """Asks what became of an order without an answer.

    Raises Rejected when it surely never happened, else Unknown that says what is known.
    """
    resolved = await client.orders.resolve(request)
    state = resolved.state
    if state is ResolveState.NEVER_APPLIED:
        raise Rejected("NEVER_APPLIED", "the answer was lost; it was not entered") from error
    if state is ResolveState.REJECTED:
        raise Rejected(resolved.reason.name) from error
    text = f"the answer was lost; the venue says {state.name}, order {resolved.order_id}"
    raise Unknown(text, id=error.id, sent_time_ns=error.sent_time_ns) from error


def line_of(event: Event, market: Market) -> str:
    """An event in a line."""
    match event:
        case Accepted():
            again = " (entered before)" if event.repeat else ""
            name = f"order {event.order_id}, id {event.cl_ord_id.hex()}"
            return f"accepted: {name}{again}"
        case Filled():
            quantity = market.quantity(event.last_lots)
            return f"filled {quantity:f} at {market.price(event.last_price_ticks):f}"
        case _:
            told = event_fields(event)
            reason = f" ({told['reason']})" if "reason" in told else ""
            return f"{told['event'].lower()}{reason}"
