"""A taker: buys a quantity in immediate orders, and knows what became of each of them.

    python examples/taker.py localhost:8443 taker.json BTC-USDT 4097 buy 0.25 90010

The part to copy is the handling of outcomes: Refused means that nothing happened; Unknown means
that nobody told, and `resolve` settles it.
"""

import asyncio
import sys
from decimal import Decimal

from cambist.client import (
    Client,
    Event,
    Filled,
    Market,
    Refused,
    ResolveState,
    Session,
    TimeInForce,
    Unknown,
)

SLICE = Decimal("0.05")
ANSWER_SECONDS = 5.0


class Taker:
    """Fills of all our orders, summed."""

    def __init__(self) -> None:
        self.lots = 0
        self.tick_lots = 0

    def hear(self, event: Event) -> None:
        """An event of the session."""
        if isinstance(event, Filled):
            self.lots += event.last_lots
            self.tick_lots += event.last_lots * event.last_price_ticks

    async def take(
        self, session: Session, market: Market, side: str, quantity: Decimal, price: str
    ) -> bool:
        """One immediate order; whether it was carried out."""
        request = session.make_order(
            market, side, quantity, price, time_in_force=TimeInForce.IOC, expires_after_ms=2_000
        )
        try:
            answer = await session.ask(request, timeout_seconds=ANSWER_SECONDS)
        except Unknown as error:
            resolved = await session.resolve(error, account_id=request.account_id)
            print(f"no answer came; the venue says {resolved.state.name}")
            return resolved.state is ResolveState.APPLIED
        if isinstance(answer, Refused):
            print(f"refused: {answer.reason.name}")
            return False
        return True


async def run(
    endpoint: str, key_file: str, symbol: str, account_id: int, side: str, amount: str, price: str
) -> None:
    """Takes until the amount is reached, or the book has nothing at the price."""
    taker = Taker()
    async with Client.connect(endpoint, key_file=key_file) as client:
        market = await client.market(symbol)
        async with client.session(
            "taker", account_ids=[account_id], on_event=taker.hear
        ) as session:
            wanted = market.lots(amount)
            while taker.lots < wanted:
                before = taker.lots
                quantity = min(SLICE, market.quantity(wanted - taker.lots))
                if not await taker.take(session, market, side, quantity, price):
                    break
                if taker.lots == before:
                    print("nothing is left at this price")
                    break
    print(f"took {market.quantity(taker.lots)} of {amount}")
    if taker.lots:
        average = Decimal(taker.tick_lots) / taker.lots * market.price(1)
        print(f"at {average:.4f} on average")


if __name__ == "__main__":
    ENDPOINT, KEY_FILE, SYMBOL, ACCOUNT, SIDE, AMOUNT, PRICE = sys.argv[1:8]
    asyncio.run(run(ENDPOINT, KEY_FILE, SYMBOL, int(ACCOUNT), SIDE, AMOUNT, PRICE))
