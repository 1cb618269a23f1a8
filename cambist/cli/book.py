"""`cambist book`: the price levels of a market, once or live, checked against the venue's CRC."""

import click
from rich.table import Table

from cambist.cli import failures, limits
from cambist.cli.doors import Doors, pass_doors
from cambist.cli.output import as_json, console, print_json
from cambist.cli.screen import Screen
from cambist.client.book import Book, Level
from cambist.client.instruments import Market


@click.command()
@click.argument("symbol")
@click.option("--live", "is_live", is_flag=True, help="Go on showing changes.")
@click.option(
    "--depth",
    type=click.IntRange(1, limits.DEPTH_MAX),
    default=limits.DEPTH,
    show_default=True,
    help="Levels per side.",
)
@as_json
@pass_doors
def book(doors: Doors, *, symbol: str, is_live: bool, depth: int, as_json: bool) -> None:
    """Show the book of the market SYMBOL."""
    failures.run(show(doors, symbol, depth, is_live=is_live, as_json=as_json))


async def show(doors: Doors, symbol: str, depth: int, *, is_live: bool, as_json: bool) -> None:
    """Prints the book. Raises the SDK's errors."""
    async with doors.client() as client:
        market = await client.market(symbol)
        conflation_ms = 1_000 // limits.REDRAWS_PER_SECOND if is_live else 0
        async with client.market_data() as feed:
            books = feed.books(market, conflation_ms=conflation_ms)
            try:
                with Screen(console()) as screen:
                    async for current in books:
                        if as_json:
                            print_json(plain_book(current, market, depth))
                        else:
                            screen.show(table_of(current, market, depth))
                        if not is_live:
                            return
            finally:
                await books.aclose()


def table_of(book: Book, market: Market, depth: int) -> Table:
    """Bids to the left, offers to the right, best first."""
    made = Table(title=f"{market.symbol}  market_seq {book.market_seq:,}", box=None)
    for name in ("orders", "quantity", "bid", "ask", "quantity", "orders"):
        made.add_column(name, justify="right")
    bids, asks = book.bids.top(depth), book.asks.top(depth)
    for index in range(max(len(bids), len(asks))):
        bid = cells(bids[index], market) if index < len(bids) else ("", "", "")
        ask = cells(asks[index], market) if index < len(asks) else ("", "", "")
        made.add_row(*reversed(bid), *ask)
    return made


def cells(level: Level, market: Market) -> tuple[str, str, str]:
    """Price, quantity, orders."""
    price, quantity = market.price(level.price_ticks), market.quantity(level.quantity_lots)
    return f"{price:f}", f"{quantity:f}", str(level.order_count)


def plain_book(book: Book, market: Market, depth: int) -> dict[str, object]:
    """The same for machines: [price, quantity, orders] per level."""
    return {
        "market": market.symbol,
        "market_seq": book.market_seq,
        "crc32": book.crc(),
        "bids": [[*cells(level, market)[:2], level.order_count] for level in book.bids.top(depth)],
        "asks": [[*cells(level, market)[:2], level.order_count] for level in book.asks.top(depth)],
    }
