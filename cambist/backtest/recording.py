"""A recorded order flow as order rows: what `cambist.replay` reads, played on the engine itself.

`load` gives rows for a `Backtest` that it sets up. NumPy can save them: a file is read once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cambist.backtest.engine import Backtest
from cambist.backtest.rows import Kind, Rows, empty_orders
from cambist.client.instruments import Market
from cambist.replay.flow import Change, Command, Enter, Flow, Remove

# What each account is given of each asset: more than any recording trades.
MONEY_ATOMS: Final = 10**30
PAIRS: Final = 64
COLUMNS: Final = (
    "time_ns",
    "account_id",
    "order",
    "price_ticks",
    "quantity_lots",
    "kind",
    "side",
    "time_in_force",
    "post_only",
)


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
    return Loaded(test, market, as_rows(flow.commands, market.market_id, names))


def as_rows(
    commands: Sequence[Command], market_id: int, accounts: Sequence[tuple[int, int]]
) -> Rows:
    """The commands as rows; times never fall."""
    rows = empty_orders(len(commands))
    rows["market_id"] = market_id
    owner: dict[int, int] = {}
    values = []
    now = 1
    for command in commands:
        now = max(now, command.time_ns)
        if isinstance(command, Enter):
            owner[command.order] = command.account_of(accounts)
        values.append((now, owner[command.order], command.order, *asked(command)))
    for name, column in zip(COLUMNS, zip(*values, strict=True), strict=bool(values)):
        rows[name] = column
    return rows


def asked(command: Command) -> tuple[int, int, int, int, int, int]:
    """Price, quantity, kind, side, time in force and post-only of a command."""
    match command:
        case Enter(price=price, quantity=quantity, side=side):
            kind = Kind.LIMIT if price else Kind.MARKET
            is_post_only = int(command.is_post_only)
            return price, quantity, kind, side, command.time_in_force, is_post_only
        case Change(price=price):
            return price, command.total_quantity, Kind.AMEND, 0, 0, 0
        case Remove():
            return 0, 0, Kind.CANCEL, 0, 0, 0
