"""Events of an order, and taking open ones out. Section 3, "Events of an order"."""

from typing import Any

from cambist.market_data.v1 import events_pb2 as market_events
from cambist.orders.v1 import enums_pb2, events_pb2
from matching.reference.run import Run
from matching.reference.state import held_asset, hold_of
from matching.reference.types import Order


def tell(run: Run, order: Order, exec_type: enums_pb2.ExecType.ValueType, **fields: Any) -> None:
    """An execution report of an accepted order."""
    report = events_pb2.ExecutionReport(
        cl_ord_id=order.cl_ord_id,
        order_id=order.order_id,
        market_id=order.market_id,
        exec_type=exec_type,
        side=order.side,
        **fields,
    )
    run.tell(order.account_id, execution_report=report)


def tell_canceled(
    run: Run, order: Order, reason: enums_pb2.CancelReason.ValueType, request_id: bytes = b""
) -> None:
    """CANCELED, with the request's id only when a Cancel asked."""
    tell(
        run,
        order,
        enums_pb2.EXEC_TYPE_CANCELED,
        request_id=request_id,
        quantity_lots=order.quantity_lots,
        cum_lots=order.cum_lots,
        cancel_reason=reason,
    )


def give_back(run: Run, order: Order, leaves_before: int, leaves_after: int) -> None:
    """Held to available, for what an order does not need any more."""
    market = run.state.markets[order.market_id]
    released = hold_of(order, market, leaves_before) - hold_of(order, market, leaves_after)
    if released:
        row = run.balance(order.account_id, held_asset(order, market))
        row.held -= released
        row.available += released


def release(run: Run, order: Order) -> None:
    """Held to available: all of it."""
    market = run.state.markets[order.market_id]
    hold = hold_of(order, market, order.leaves_lots)
    row = run.balance(order.account_id, held_asset(order, market))
    row.held -= hold
    row.available += hold


def take_out(run: Run, order: Order) -> None:
    """A resting or waiting order leaves its place with its hold; nothing is told."""
    market = run.state.markets[order.market_id]
    if order.waits:
        market.stop_waiting(order)
    else:
        run.touch(market, order.side, order.price_ticks)
        market.remove(order)
    release(run, order)
    run.state.unlist_order(order)


def cancel_resting(
    run: Run, order: Order, reason: enums_pb2.CancelReason.ValueType, request_id: bytes = b""
) -> None:
    """A resting or waiting order is cancelled."""
    take_out(run, order)
    tell_canceled(run, order, reason, request_id)
    if not order.waits:
        tell_deleted(run, order)


def expire(run: Run, order: Order) -> None:
    """The end of a GTD order."""
    take_out(run, order)
    tell(
        run,
        order,
        enums_pb2.EXEC_TYPE_EXPIRED,
        quantity_lots=order.quantity_lots,
        cum_lots=order.cum_lots,
    )
    if not order.waits:
        tell_deleted(run, order)


def tell_deleted(run: Run, order: Order) -> None:
    """The public feed loses a queue place."""
    run.tell_l3(
        run.state.markets[order.market_id],
        action=market_events.L3_ACTION_DELETE,
        public_order_id=order.public_order_id,
    )


def tell_modified(run: Run, order: Order) -> None:
    """A queue place keeps its order with fewer lots."""
    run.tell_l3(
        run.state.markets[order.market_id],
        action=market_events.L3_ACTION_MODIFY,
        public_order_id=order.public_order_id,
        quantity_lots=order.shown,
    )


def rest(run: Run, order: Order) -> None:
    """What is left goes to the tail of its level."""
    market = run.state.markets[order.market_id]
    run.touch(market, order.side, order.price_ticks)
    order.show_anew()
    run.state.list_order(order)
    tell_added(run, order)


def refresh(run: Run, order: Order) -> None:
    """An iceberg that shows nothing goes to the tail of its level with its next display."""
    market = run.state.markets[order.market_id]
    run.touch(market, order.side, order.price_ticks)
    market.remove(order)
    market.public_order_id += 1
    order.public_order_id = market.public_order_id
    order.show_anew()
    market.add(order)
    tell(
        run,
        order,
        enums_pb2.EXEC_TYPE_RESTATED,
        quantity_lots=order.quantity_lots,
        leaves_lots=order.leaves_lots,
        cum_lots=order.cum_lots,
        public_order_id=order.public_order_id,
    )
    tell_added(run, order)


def tell_added(run: Run, order: Order) -> None:
    """The public feed gains a queue place."""
    market = run.state.markets[order.market_id]
    run.tell_l3(
        market,
        action=market_events.L3_ACTION_ADD,
        public_order_id=order.public_order_id,
        side=order.side,
        price_ticks=order.price_ticks,
        quantity_lots=order.shown,
    )
