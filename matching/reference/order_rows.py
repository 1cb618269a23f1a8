"""One order as a row of a snapshot, and back. Called by `snapshot` and `trigger_rows`."""

from typing import Any

from cambist.internal.journal.v1 import snapshot_pb2
from matching.reference import amounts
from matching.reference.types import Order


def encode(order: Order) -> snapshot_pb2.OrderState:
    """The row of an order."""
    return snapshot_pb2.OrderState(
        order_id=order.order_id,
        account_id=order.account_id,
        cl_ord_id=order.cl_ord_id,
        session_id=order.session_id,
        price_ticks=order.price_ticks,
        quantity_lots=order.quantity_lots,
        leaves_lots=order.leaves_lots,
        cum_lots=order.cum_lots,
        cum_tick_lots=amounts.to_bytes(order.cum_tick_lots),
        maker_fee_ppm=order.maker_fee_ppm,
        taker_fee_ppm=order.taker_fee_ppm,
        expire_time_ns=order.expire_time_ns,
        post_only=order.post_only,
        self_trade_prevention=order.self_trade_prevention,
        tag=order.tag,
        public_order_id=order.public_order_id,
        display_lots=order.display_lots,
        shown_lots=order.shown_lots,
    )


def restore(row: snapshot_pb2.OrderState, market_id: int, side: Any) -> Order:
    """The order of a row."""
    return Order(
        order_id=row.order_id,
        account_id=row.account_id,
        market_id=market_id,
        cl_ord_id=row.cl_ord_id,
        session_id=row.session_id,
        side=side,
        price_ticks=row.price_ticks,
        quantity_lots=row.quantity_lots,
        leaves_lots=row.leaves_lots,
        maker_fee_ppm=row.maker_fee_ppm,
        taker_fee_ppm=row.taker_fee_ppm,
        expire_time_ns=row.expire_time_ns,
        post_only=row.post_only,
        self_trade_prevention=row.self_trade_prevention,
        tag=row.tag,
        cum_lots=row.cum_lots,
        cum_tick_lots=amounts.from_bytes(row.cum_tick_lots),
        public_order_id=row.public_order_id,
        display_lots=row.display_lots,
        shown_lots=row.shown_lots,
    )
