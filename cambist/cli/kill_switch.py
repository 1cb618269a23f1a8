"""`cambist kill-switch`: takes an account, a firm, a market or the shard out of trading."""

from typing import Final

import click

from cambist.cli import failures
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.markets import market_of

IDENTIFIER: Final = click.IntRange(min=1)


@click.command("kill-switch")
@click.argument("position", type=click.Choice(["on", "off"]))
@click.option("--account", "account_id", type=IDENTIFIER, help="Of this account.")
@click.option("--firm", "firm_id", type=IDENTIFIER, help="Of this firm: all its accounts.")
@click.option("--market", "symbol", help="Of this market.")
@click.option("--whole-shard", is_flag=True, help="Of all markets of the shard.")
@pass_doors
def kill_switch(
    doors: Doors,
    *,
    position: str,
    account_id: int | None,
    firm_id: int | None,
    symbol: str | None,
    whole_shard: bool,
) -> None:
    """Switch ON: open orders are cancelled, new ones are refused as KILLED, until it is OFF.

    Needs exactly one of --account, --firm, --market, --whole-shard. Those of firms and of the
    shard need rules version 2.
    """
    named = {
        f"account {account_id}": account_id is not None,
        f"firm {firm_id}": firm_id is not None,
        f"market {symbol}": symbol is not None,
        f"shard {doors.shard}": whole_shard,
    }
    targets = [name for name, is_given in named.items() if is_given]
    if len(targets) != 1:
        raise click.UsageError("give one of --account, --firm, --market, --whole-shard")
    work = throw(
        doors,
        account_id=account_id or 0,
        firm_id=firm_id or 0,
        symbol=symbol,
        whole_shard=whole_shard,
        active=position == "on",
    )
    failures.run(work)
    click.echo(f"kill switch of {targets[0]} is {position}")


async def throw(
    doors: Doors,
    *,
    account_id: int,
    firm_id: int,
    symbol: str | None,
    whole_shard: bool,
    active: bool,
) -> None:
    """Does it; may be done again. Raises the SDK's errors."""
    async with doors.admin() as admin:
        market_id = (await market_of(admin, symbol)).market_id if symbol is not None else 0
        await admin.set_kill_switch(
            account_id=account_id,
            firm_id=firm_id,
            market_id=market_id,
            whole_shard=whole_shard,
            active=active,
        )
