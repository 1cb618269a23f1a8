"""`cambist reference-price`: what the static price band of a market refers to."""

import click

from cambist.cli import failures
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.markets import market_of


@click.command("reference-price")
@click.argument("symbol")
@click.argument("price")
@pass_doors
def reference_price(doors: Doors, *, symbol: str, price: str) -> None:
    """Set what the price band of the market SYMBOL refers to; 0: no band until it is set again.

    The band's width is `static_band_ppm` of the market's limits (`cambist apply`). Needs rules
    version 2.
    """
    failures.run(set_price(doors, symbol, price))
    click.echo(f"reference price of {symbol} is {price}")


async def set_price(doors: Doors, symbol: str, price: str) -> None:
    """Does it; may be done again. Raises the SDK's errors, OFF_TICK among them."""
    async with doors.admin() as admin:
        market = await market_of(admin, symbol)
        await admin.set_reference_price(market.market_id, market.ticks(price))
