"""`cambist prevented-matches`: what self-trade prevention stopped, newest first."""

import click

from cambist.cli import failures
from cambist.cli.accounts import account_option, one_account
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, event_fields, print_json, table
from cambist.client.events import MatchPrevented
from cambist.client.instruments import Market

COLUMNS = ("market", "side", "mode", "role", "order", "price", "quantity", "seq")


@click.command("prevented-matches")
@account_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@as_json
@pass_doors
def prevented_matches(doors: Doors, *, account_id: int | None, limit: int, as_json: bool) -> None:
    """List matches of an account that self-trade prevention stopped."""
    found, markets = failures.run(read(doors, account_id, limit))
    if as_json:
        for event in found:
            print_json(event_fields(event))
    else:
        rows = [row_of(event, markets[event.market_id]) for event in found]
        console().print(table(COLUMNS, rows, left=4))


async def read(
    doors: Doors, account_id: int | None, limit: int
) -> tuple[list[MatchPrevented], dict[int, Market]]:
    """At most `limit` of them, newest first, and all markets. Raises the SDK's errors."""
    async with doors.client() as client:
        account = one_account(client, account_id)
        found: list[MatchPrevented] = []
        async for event in client.queries.prevented_matches(account, shard=doors.shard):
            if isinstance(event, MatchPrevented):
                found.append(event)
            if len(found) == limit:
                break
        markets = (await client.markets()).values()
        return found, {market.market_id: market for market in markets}


def row_of(event: MatchPrevented, market: Market) -> list[object]:
    """A match as the account saw it; the order is its own."""
    price, quantity = market.price(event.price_ticks), market.quantity(event.quantity_lots)
    text = [market.symbol, event.side, event.mode, event.liquidity]
    return [*text, str(event.order_id), price, quantity, str(event.seq)]
