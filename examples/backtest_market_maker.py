"""A maker quotes around a wandering price and takers come at random: what does the spread earn?

    python examples/backtest_market_maker.py [PICTURE.png]

Runs on the venue's own engine in this process: fees, money and queue places are those of
production. Needs `cambist[backtest,plots]` and the wheel `cambist-kernel`.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np

from cambist.backtest import Backtest, Side

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the choice of a backend without a screen

STEPS = 5_000
HALF_SPREAD_TICKS = 4
SEED = 7
BASE_AT_START = "100"


def main(picture: Path) -> None:
    """Trades, and draws price, inventory and profit."""
    random = np.random.default_rng(SEED)
    test = Backtest()
    base, quote = test.asset("BTC", 8), test.asset("USD", 2)
    market = test.market(
        "BTC-USD",
        base,
        quote,
        lot_size_atoms=1_000_000,
        tick_size_atoms=100,
        maker_fee_ppm=-50,
        taker_fee_ppm=200,
    )
    maker = test.account({base: BASE_AT_START, quote: "10000000"})
    taker = test.account({base: "1000", quote: "100000000"})
    fair = 65_000 + np.cumsum(random.integers(-1, 2, STEPS))
    quotes: list[int] = []
    rows = []
    for price in fair.tolist():
        for order in quotes:
            test.cancel(maker, order)
        bid, ask = price - HALF_SPREAD_TICKS, price + HALF_SPREAD_TICKS
        quotes = [
            test.limit(maker, market, Side.BUY, "0.10", market.price(bid)),
            test.limit(maker, market, Side.SELL, "0.10", market.price(ask)),
        ]
        if random.random() < 0.5:
            side = Side.BUY if random.random() < 0.5 else Side.SELL
            test.at_market(taker, market, side, "0.05")
        test.advance(seconds=1)
        base_atoms = sum(test.balance(maker, base))
        quote_atoms = sum(test.balance(maker, quote))
        # What it gained over holding what it began with.
        change_atoms = base_atoms - base.atoms(BASE_AT_START)
        worth = change_atoms * price * market.tick_size_atoms // 10**base.decimals + quote_atoms
        rows.append((price, base_atoms, worth))
    prices, inventory, worth_atoms = (
        np.array(column, dtype=np.float64) for column in zip(*rows, strict=True)
    )
    figure, axes = plt.subplots(3, sharex=True, figsize=(9, 7), layout="constrained")
    for axis, values, label in (
        (axes[0], prices * float(market.price(1)), "price, USD"),
        (axes[1], inventory / 10**base.decimals, "inventory, BTC"),
        (axes[2], (worth_atoms - worth_atoms[0]) / 10**quote.decimals, "gain over holding, USD"),
    ):
        axis.plot(values)
        axis.set_ylabel(label)
    axes[2].set_xlabel("seconds")
    figure.savefig(picture)
    results = test.take()
    print(f"{len(results.trades):,} trades, {len(results.reports):,} reports; drawn to {picture}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "backtest.png"))
