"""A market maker of a few lines: keeps one quote on each side around the middle of the book.

    python examples/market_maker.py localhost:8443 maker.json BTC-USDT 4096

It shows what a quoting firm needs: a live book, post-only orders, amends in place of cancel and
new, fills as they come, and a session that goes on by itself when a gateway or the engine dies.
"""

import asyncio
import sys
from decimal import Decimal

from cambist.client import (
    Accepted,
    Book,
    Client,
    Filled,
    Market,
    Rejected,
    Replaced,
    Session,
    Side,
)

QUANTITY = Decimal("0.01")
# Half of the spread that we quote, in ticks.
AWAY_TICKS = 20


class Quote:
    """Our order on one side, if there is one."""

    def __init__(self, session: Session, market: Market, side: Side, account_id: int) -> None:
        self._session = session
        self._market = market
        self._side = side
        self._account_id = account_id
        self._order: Accepted | Replaced | None = None
        self._price_ticks = 0

    def gone(self, order_id: int) -> None:
        """The order is filled or cancelled."""
        if self._order is not None and self._order.order_id == order_id:
            self._order = None

    async def move(self, middle_ticks: int) -> None:
        """Enters the order, or moves it to its new price."""
        away = -AWAY_TICKS if self._side is Side.BUY else AWAY_TICKS
        price_ticks = max(1, middle_ticks + away)
        if self._order is not None and price_ticks == self._price_ticks:
            return
        try:
            price = self._market.price(price_ticks)
            if self._order is None:
                self._order = await self._session.new_order(
                    self._market,
                    self._side,
                    QUANTITY,
                    price,
                    post_only=True,
                    account_id=self._account_id,
                )
            else:
                answer = await self._session.amend(self._market, self._order, price=price)
                self._order = answer if isinstance(answer, Replaced) else None
            self._price_ticks = price_ticks
        except Rejected as error:
            # Filled meanwhile, or the market moved: the next change of the book tries again.
            print(f"{self._side.name}: {error.reason}")
            self._order = None if error.reason in ("ORDER_CLOSED", "UNKNOWN_ORDER") else self._order


def middle_of(book: Book, default_ticks: int) -> int:
    """Between the best bid and the best offer of others and us."""
    bid, ask = book.bids.best, book.asks.best
    if bid is None or ask is None:
        return default_ticks
    return (bid.price_ticks + ask.price_ticks) // 2


async def listen(session: Session, market: Market, quotes: list[Quote]) -> None:
    """Tells fills, and frees a quote whose order is done."""
    async for event in session.events():
        if isinstance(event, Filled):
            price, quantity = market.price(event.last_price_ticks), market.quantity(event.last_lots)
            print(f"{event.side.name} {quantity} at {price}, {event.leaves_lots} lots left")
            if not event.leaves_lots:
                for quote in quotes:
                    quote.gone(event.order_id)


async def make_market(
    endpoint: str, key_file: str, symbol: str, account_id: int, first_price: str
) -> None:
    """Quotes until interrupted."""
    async with Client.connect(endpoint, key_file=key_file) as client:
        market = await client.market(symbol)
        async with (
            client.session("market-maker", account_ids=[account_id]) as session,
            client.market_data() as feed,
        ):
            # What a former run has left.
            await session.mass_cancel(market=market)
            quotes = [Quote(session, market, side, account_id) for side in (Side.BUY, Side.SELL)]
            listener = asyncio.create_task(listen(session, market, quotes))
            try:
                async for book in feed.books(market, conflation_ms=100):
                    for quote in quotes:
                        await quote.move(middle_of(book, market.ticks(first_price)))
            finally:
                listener.cancel()
                await session.mass_cancel(market=market)


if __name__ == "__main__":
    ENDPOINT, KEY_FILE, SYMBOL, ACCOUNT, FIRST_PRICE = sys.argv[1:6]
    try:
        asyncio.run(make_market(ENDPOINT, KEY_FILE, SYMBOL, int(ACCOUNT), FIRST_PRICE))
    except KeyboardInterrupt:
        sys.exit(130)
