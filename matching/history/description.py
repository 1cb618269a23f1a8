"""The last report of an order with its full description, from what is stored about it. Pure."""

from typing import Any, Final

from cambist.orders.v1 import events_pb2

DESCRIBED: Final = (
    "market_id",
    "cl_ord_id",
    "side",
    "order_type",
    "time_in_force",
    "tag",
    "expire_time_ns",
    "quote_budget_atoms",
    "price_ticks",
    "quantity_lots",
    "leaves_lots",
    "cum_lots",
    "cum_tick_lots",
    "public_order_id",
    "display_lots",
    "trigger_price_ticks",
    "trailing_offset_ticks",
    "trailing_offset_ppm",
)


def described(record: Any) -> bytes:
    """A serialised PrivateEvent from a row of history.orders."""
    event = events_pb2.PrivateEvent.FromString(record["last_event"])
    for name in DESCRIBED:
        setattr(event.execution_report, name, record[name])
    return event.SerializeToString()
