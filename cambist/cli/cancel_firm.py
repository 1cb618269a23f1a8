"""`cambist cancel-firm`: all open orders of the firm."""

import click

from cambist.cli import failures
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, print_json


@click.command("cancel-firm")
@click.option("--market", "symbol", help="Of this market only.")
@as_json
@pass_doors
def cancel_firm(doors: Doors, *, symbol: str | None, as_json: bool) -> None:
    """Cancel all open orders of the firm, whoever entered them; the key needs RISK."""
    cancelled_count = failures.run(cancel_all(doors, symbol))
    if as_json:
        print_json({"cancelled_count": cancelled_count})
    else:
        click.echo(f"cancelled {cancelled_count} orders of the firm")


async def cancel_all(doors: Doors, symbol: str | None) -> int:
    """How many orders went. Raises the SDK's errors; after Unknown it may be done again."""
    async with doors.client() as client:
        market_id = (await client.market(symbol)).market_id if symbol else 0
        return await client.risk.mass_cancel_firm(market_id=market_id)
