"""A recorded order flow as order rows: what `cambist.replay` reads, played on the engine itself.

`load` gives rows for a `Backtest` that it sets up. NumPy can save them: a file is read once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from cambist.backtest.engine import Backtest
from cambist.backtest.rows import ORDER, Kind, Rows
from cambist.client.enums import Side, TimeInForce
from cambist.client.instruments import Market
from cambist.replay.flow import Change, Command, Enter, Flow

# What each account is given of each asset: more than any recording trades.
MONEY_ATOMS: Final = 10**30
PAIRS: Final = 64


@dataclass(frozen=True, slots=True)
class Loaded:
    """A recording, ready to be played."""

    test: Backtest
    market: Market
    orders: Rows


def load(flow: Flow, *, pairs: int = PAIRS) -> Loaded:
    """A new backtest with one market that fits the recording, and the recording as order rows.

    One lot and one tick are the recording's units. Buyers and sellers are different accounts,
    `pairs` of them, since an account holds a limited number of open orders. Orders keep their
    numbers.
    """
    first_ns = flow.commands[0].time_ns if flow.commands else 0
    test = Backtest(start_ns=max(1, first_ns))
    base = test.asset("BASE", flow.scale.quantity_decimals)
    quote = test.asset("QUOTE", flow.scale.price_decimals + flow.scale.quantity_decimals)
    market = test.market(
        "BASE-QUOTE",
        base,
        quote,
        lot_size_atoms=1,
        tick_size_atoms=10**flow.scale.quantity_decimals,
    )
    accounts = []
    for _ in range(2 * pairs):
        account_id = test.account()
        for asset in (base, quote):
            test.deposit(account_id, asset, MONEY_ATOMS)
        accounts.append(account_id)
    names = list(zip(accounts[::2], accounts[1::2], strict=True))
    rows = list(as_rows(flow.commands, market.market_id, names))
    return Loaded(test, market, np.array(rows, ORDER))


def as_rows(
    commands: Iterable[Command], market_id: int, accounts: list[tuple[int, int]]
) -> Iterable[tuple[int, ...]]:
    """One tuple of `ORDER` per command; times never fall."""
    owner: dict[int, int] = {}
    now = 1
    for command in commands:
        now = max(now, command.time_ns)
        if isinstance(command, Enter):
            pair = accounts[command.order % len(accounts)]
            owner[command.order] = pair[0] if command.side is Side.BUY else pair[1]
            yield entered(command, now, owner[command.order], market_id)
        elif isinstance(command, Change):
            total = command.filled + command.open_quantity
            head = now, owner[command.order], command.order, command.price, total, 0
            yield (*head, market_id, Kind.AMEND, 0, 0, 0)
        else:
            head = now, owner[command.order], command.order, 0, 0, 0
            yield (*head, market_id, Kind.CANCEL, 0, 0, 0)


def entered(enter: Enter, now_ns: int, account_id: int, market_id: int) -> tuple[int, ...]:
    """The row of a new order."""
    kind = Kind.LIMIT if enter.price else Kind.MARKET
    is_immediate = enter.is_immediate or not enter.price
    time_in_force = TimeInForce.IOC if is_immediate else TimeInForce.GTC
    head = now_ns, account_id, enter.order, enter.price, enter.quantity, 0, market_id
    return (*head, kind, enter.side, time_in_force, int(enter.is_post_only))
