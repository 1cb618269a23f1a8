"""`cambist trading-limits`: what an account may order and hold in a market."""

from collections.abc import Mapping

import click

from cambist.cli import failures
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.markets import market_of
from cambist.client.amounts import exact
from cambist.client.errors import InvalidInput
from cambist.client.instruments import Market


@click.command("trading-limits")
@click.argument("account_id", type=click.IntRange(min=1))
@click.argument("symbol")
@click.option("--order-quantity-max", help="Largest quantity of one order, base units.")
@click.option("--order-notional-max", help="Largest notional of one order, quote units.")
@click.option("--open-orders-max", type=click.IntRange(min=1), help="Most orders that are open.")
@click.option("--open-quantity-max", help="Most that is open on each side, base units.")
@click.option("--open-notional-max", help="Largest notional of what is open, quote units.")
@click.option("--position-max", help="Largest balance that buys may lead to, base units.")
@click.option("--remove", is_flag=True, help="Take all limits of the account there back.")
@pass_doors
def trading_limits(  # noqa: PLR0913 - options of the command line
    doors: Doors,
    *,
    account_id: int,
    symbol: str,
    order_quantity_max: str | None,
    order_notional_max: str | None,
    open_orders_max: int | None,
    open_quantity_max: str | None,
    open_notional_max: str | None,
    position_max: str | None,
    remove: bool,
) -> None:
    """Replace all limits of ACCOUNT_ID in the market SYMBOL; what is not named is free.

    Orders that are open stay. Needs rules version 2.
    """
    amounts = {
        "order_lots_max": order_quantity_max,
        "order_notional_atoms_max": order_notional_max,
        "open_lots_max": open_quantity_max,
        "open_notional_atoms_max": open_notional_max,
        "position_atoms_max": position_max,
    }
    given = {name: amount for name, amount in amounts.items() if amount is not None}
    if (bool(given) or open_orders_max is not None) == remove:
        raise click.UsageError("give limits, or --remove without any")
    failures.run(replace_all(doors, account_id, symbol, open_orders_max or 0, given))
    done = "are removed" if remove else "are set"
    click.echo(f"limits of account {account_id} in {symbol} {done}")


async def replace_all(
    doors: Doors, account_id: int, symbol: str, open_orders_max: int, given: Mapping[str, str]
) -> None:
    """Does it; may be done again. Raises the SDK's errors."""
    async with doors.admin() as admin:
        market = await market_of(admin, symbol)
        await admin.set_trading_limits(
            account_id,
            market.market_id,
            open_orders_max=open_orders_max,
            **{name: scaled(market, name, amount) for name, amount in given.items()},
        )


def scaled(market: Market, name: str, amount: str) -> int:
    """A limit in the unit that its name ends on. Raises InvalidInput: OFF_LOT, TOO_PRECISE.

    Zero would be no limit, so it is INVALID_NUMBER: an account that may do nothing is killed.
    """
    if exact(amount) <= 0:
        raise InvalidInput("INVALID_NUMBER", f"a limit of {amount}: give more than 0")
    if name.endswith("_lots_max"):
        return market.lots(amount)
    asset = market.base if name == "position_atoms_max" else market.quote
    return asset.atoms(amount)
