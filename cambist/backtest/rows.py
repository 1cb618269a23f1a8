"""The layouts of order, report, trade and quote rows: packed little-endian, as the kernel has them.

Used by `engine` and `recording`. Prices are ticks, quantities lots, times nanoseconds.
"""

from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[Any]


class Kind(IntEnum):
    """What an order row asks for."""

    LIMIT = 1
    MARKET = 2
    # Cancels the account's order with this number.
    CANCEL = 3
    # Gives it another price, another total quantity, or both; 0 keeps what is.
    AMEND = 4


# `order` is the caller's number of the order, unique per account.
ORDER: Final = np.dtype(
    [
        ("time_ns", "<i8"),
        ("account_id", "<u8"),
        ("order", "<u8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("expire_time_ns", "<i8"),
        ("market_id", "<u4"),
        ("kind", "u1"),
        ("side", "u1"),
        ("time_in_force", "u1"),
        ("post_only", "u1"),
        ("self_trade_prevention", "u1"),
        ("padding", "V3"),
        ("tag", "<u4"),
    ]
)
# `exec_type`, `reject_reason`, `cancel_reason`, `liquidity`: the numbers of the contract's enums.
# A refused cancel or amend is a REJECTED of its order. The fee is in two halves, since NumPy has no
# integer of 128 bits: `Results.fees` puts them together.
REPORT: Final = np.dtype(
    [
        ("seq", "<u8"),
        ("time_ns", "<i8"),
        ("account_id", "<u8"),
        ("order", "<u8"),
        ("order_id", "<u8"),
        ("price_ticks", "<i8"),
        ("leaves_lots", "<i8"),
        ("cum_lots", "<i8"),
        ("last_lots", "<i8"),
        ("last_price_ticks", "<i8"),
        ("trade_id", "<u8"),
        ("fee_atoms_low", "<u8"),
        ("fee_atoms_high", "<i8"),
        ("market_id", "<u4"),
        ("fee_asset_id", "<u4"),
        ("exec_type", "u1"),
        ("side", "u1"),
        ("reject_reason", "u1"),
        ("cancel_reason", "u1"),
        ("liquidity", "u1"),
        ("padding", "V3"),
    ]
)
TRADE: Final = np.dtype(
    [
        ("seq", "<u8"),
        ("time_ns", "<i8"),
        ("trade_id", "<u8"),
        ("market_seq", "<u8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("market_id", "<u4"),
        ("aggressor_side", "u1"),
        ("padding", "V3"),
    ]
)
# The best prices after each batch that changed them; a side that is empty has quantity 0.
QUOTE: Final = np.dtype(
    [
        ("time_ns", "<i8"),
        ("market_seq", "<u8"),
        ("bid_price_ticks", "<i8"),
        ("bid_lots", "<i8"),
        ("ask_price_ticks", "<i8"),
        ("ask_lots", "<i8"),
        ("market_id", "<u4"),
        ("padding", "V4"),
    ]
)


def empty_orders(count: int) -> Rows:
    """So many order rows, all zero, to be filled column by column."""
    return np.zeros(count, ORDER)
