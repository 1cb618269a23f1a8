"""Limits of replays, each with unit and reason."""

from typing import Final

# Rows of a file that are read: some hundreds of bytes of memory each.
ROWS_MAX: Final = 20_000_000
# Commands that go out before all are answered: more gains nothing, and a session has 10,000.
WINDOW_COMMANDS_MAX: Final = 1_000
# Seconds in which a window must be answered; failover takes three.
WINDOW_SECONDS: Final = 120.0
# Pairs of accounts; each account holds 10,000 open orders.
ACCOUNT_PAIRS_MAX: Final = 64
OPEN_ORDERS_MAX: Final = 10_000
# Ids that an account keeps: far more than are on their way.
ID_CAPACITY: Final = 65_536
# Atoms that each account of a market of our own is given, of each asset: orders of 2^53 lots at
# 2^53 ticks fit many times over, and a thousand accounts stay below the venue's bound of 2^126.
MONEY_ATOMS: Final = 1 << 112
# Looks, and seconds between two, until a gateway knows what was just created.
VISIBLE_ATTEMPTS_MAX: Final = 50
VISIBLE_SECONDS: Final = 0.1
