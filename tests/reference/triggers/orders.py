"""Waiting orders, made shortly. Used by the tests of this folder."""

from typing import Any, Final

from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.told import Told
from tests.reference.venue import BUY, FIRST, MARKET, SECOND, SELL, STRANGER, Venue

STOP, STOP_LIMIT = enums.ORDER_TYPE_STOP, enums.ORDER_TYPE_STOP_LIMIT
TAKE_PROFIT = enums.ORDER_TYPE_TAKE_PROFIT
TAKE_PROFIT_LIMIT = enums.ORDER_TYPE_TAKE_PROFIT_LIMIT
TRAILING = enums.ORDER_TYPE_TRAILING_STOP
GTC, IOC = enums.TIME_IN_FORCE_GTC, enums.TIME_IN_FORCE_IOC
FOK, GTD = enums.TIME_IN_FORCE_FOK, enums.TIME_IN_FORCE_GTD
WAITING: Final = (STOP, STOP_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT, TRAILING)


def conditional(
    venue: Venue,
    kind: enums.OrderType.ValueType,
    side: enums.Side.ValueType,
    trigger: int,
    lots: int = 1,
    *,
    account: int = FIRST,
    price: int = 0,
    **fields: Any,
) -> commands.NewOrder:
    """An order that waits for a price."""
    values: dict[str, Any] = {"order_type": kind, "trigger_price_ticks": trigger}
    return venue.order(account, side, price, lots, **(values | fields))


def trade_at(venue: Venue, *prices: int, resting: int = SECOND) -> Told:
    """Others trade one lot at each of these prices, ascending with one buy, else one by one."""
    assert prices
    told = None
    for price in prices:
        venue.place(resting, SELL, price, 1)
        told = venue.send(venue.order(STRANGER, BUY, price, 1, time_in_force=IOC))
    assert told is not None
    return told


def waiting_ids(venue: Venue, market_id: int = MARKET) -> list[int]:
    """Order ids of the waiting orders of a market."""
    return [row.order.order_id for row in venue.state.waiting(market_id)]


def ready_ids(venue: Venue) -> list[int]:
    """Order ids of ready orders, in queue order, of all markets."""
    return [id_ for rows in venue.state.triggers.markets for id_ in rows.ready_order_ids]
