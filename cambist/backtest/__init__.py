"""The venue's own engine in this process: for notebooks, backtests and studies.

    from cambist.backtest import Backtest, Side

    test = Backtest()
    btc, usd = test.asset("BTC", 8), test.asset("USD", 2)
    market = test.market("BTC-USD", btc, usd, lot_size_atoms=1_000_000, tick_size_atoms=100)
    maker = test.account({btc: "10", usd: "1000000"})
    test.limit(maker, market, Side.SELL, "1", "65000.00")
    print(test.book(market))

What trades here is what trades in production: the same compiled rules, money and checks included.
Time is what you say it is. Nothing is durable. Needs the wheel `cambist-kernel` and the extra
`cambist[backtest]`.
"""

from cambist.backtest.book import Book, Level
from cambist.backtest.engine import Backtest
from cambist.backtest.results import Results
from cambist.backtest.rows import Kind, empty_orders
from cambist.client.enums import Side, TimeInForce

__all__ = [
    "Backtest",
    "Book",
    "Kind",
    "Level",
    "Results",
    "Side",
    "TimeInForce",
    "empty_orders",
]
