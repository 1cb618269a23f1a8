"""The triggers section of a snapshot, and back. docs/semantics/triggers.md, section 7.

Called by `snapshot`.
"""

from cambist.internal.journal.v1 import snapshot_pb2
from matching.reference import amounts, order_rows
from matching.reference.state import State
from matching.reference.types import Order


def encode(state: State) -> snapshot_pb2.TriggersSection:
    """Last prices, waiting orders and queues of all markets."""
    section = snapshot_pb2.TriggersSection()
    for market_id, market in sorted(state.markets.items()):
        if market.last_price_ticks or market.waiting:
            section.markets.add(
                market_id=market_id,
                last_price_ticks=market.last_price_ticks,
                waiting=[_row(order) for _, order in sorted(market.waiting.items())],
                ready_order_ids=market.ready,
            )
    return section


def _row(order: Order) -> snapshot_pb2.WaitingOrder:
    return snapshot_pb2.WaitingOrder(
        order=order_rows.encode(order),
        side=order.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        trigger_price_ticks=order.trigger_price_ticks,
        trailing_offset_ticks=order.trailing_offset_ticks,
        trailing_offset_ppm=order.trailing_offset_ppm,
        extreme_price_ticks=order.extreme_price_ticks,
        seen_price_ticks=order.seen_price_ticks,
        quote_budget_atoms=amounts.to_bytes(order.budget_atoms),
    )


def restore(state: State, section: snapshot_pb2.TriggersSection) -> None:
    """Puts waiting orders back. Raises KeyError when their market or account is missing."""
    for rows in section.markets:
        market = state.markets[rows.market_id]
        market.last_price_ticks = rows.last_price_ticks
        market.ready = list(rows.ready_order_ids)
        for row in rows.waiting:
            order = order_rows.restore(row.order, rows.market_id, row.side)
            order.waits = True
            order.order_type, order.time_in_force = row.order_type, row.time_in_force
            order.trigger_price_ticks = row.trigger_price_ticks
            order.trailing_offset_ticks = row.trailing_offset_ticks
            order.trailing_offset_ppm = row.trailing_offset_ppm
            order.extreme_price_ticks = row.extreme_price_ticks
            order.seen_price_ticks = row.seen_price_ticks
            order.budget_atoms = amounts.from_bytes(row.quote_budget_atoms)
            state.list_order(order)
