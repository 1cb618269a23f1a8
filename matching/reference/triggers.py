"""Waiting orders see prices and are entered: docs/semantics/triggers.md, sections 4 and 5.

`cascade` is called after each command of a batch and once before the first.
"""

from cambist.orders.v1 import enums_pb2
from matching.reference import limits, matcher, order_events
from matching.reference.run import Run
from matching.reference.state import BUY, PPM, Market
from matching.reference.types import Order
from matching.reference.waiting import LIMIT_KINDS, RESTING, TAKERS_OF_PROFIT, TRAILING

LOWEST_PRICE_TICKS = 1  # a sell without a price takes every bid


def is_riser(order: Order) -> bool:
    """Whether a rising price reaches the trigger; else a falling one does."""
    return (order.side == BUY) != (order.order_type in TAKERS_OF_PROFIT)


def trigger_of(order: Order) -> int:
    """The trigger as it stands; of a trailing stop once it saw a price."""
    if order.order_type != TRAILING:
        return order.trigger_price_ticks
    extreme = order.extreme_price_ticks
    distance = order.trailing_offset_ticks or max(1, extreme * order.trailing_offset_ppm // PPM)
    return extreme + distance if order.side == BUY else extreme - distance


def reaches(order: Order, price_ticks: int) -> bool:
    """An order sees a price; whether its trigger is reached."""
    if order.order_type == TRAILING:
        better = min if order.side == BUY else max
        extreme = order.extreme_price_ticks or price_ticks
        order.extreme_price_ticks = better(extreme, price_ticks)
    trigger = trigger_of(order)
    return price_ticks >= trigger if is_riser(order) else price_ticks <= trigger


def place_in_queue(order: Order) -> tuple[bool, int, int]:
    """Where an order stands among those that one price made ready."""
    trigger = trigger_of(order)
    if is_riser(order):
        return False, trigger, order.order_id
    return True, -trigger, order.order_id


def see(market: Market, orders: list[Order], price_ticks: int) -> None:
    """Waiting orders that are not ready see a price; those that it reaches become ready."""
    reached = [order for order in orders if reaches(order, price_ticks)]
    for order in sorted(reached, key=place_in_queue):
        order.seen_price_ticks = price_ticks
        market.ready.append(order.order_id)


def see_trades(run: Run) -> None:
    """The trades of the taker that has stopped, one after the other."""
    for market_id, price_ticks in run.trade_prices:
        market = run.state.markets[market_id]
        unready = [order for order in market.waiting.values() if not order.seen_price_ticks]
        see(market, unready, price_ticks)
    run.trade_prices.clear()


def start_waiting(run: Run, order: Order) -> None:
    """An order was accepted: it waits, and sees the last price if there is one."""
    run.state.list_order(order)
    market = run.state.markets[order.market_id]
    if market.last_price_ticks:
        see(market, [order], market.last_price_ticks)


def cascade(run: Run) -> None:
    """Enters ready orders, market by market, within the bounds of one cascade."""
    see_trades(run)
    entered, touches_before = 0, run.touches
    for market_id, market in sorted(run.state.markets.items()):
        if not market.takes_triggered or market_id in run.late_markets:
            continue
        while market.ready:
            is_spent = run.touches - touches_before >= limits.CASCADE_TOUCHES_MAX
            if is_spent or entered >= limits.CASCADE_ORDERS_MAX:
                return
            enter(run, market, market.waiting[market.ready[0]])
            entered += 1
            see_trades(run)


def enter(run: Run, market: Market, order: Order) -> None:
    """The first ready order becomes a limit or a market order; not for a firm that is killed."""
    if run.state.accounts[order.account_id].firm_id in run.state.killed_firms:
        order_events.cancel_resting(run, order, enums_pb2.CANCEL_REASON_KILLED)
        return
    market.stop_waiting(order)
    may_rest = order.order_type in LIMIT_KINDS and order.time_in_force in RESTING
    if may_rest:
        market.public_order_id += 1
        order.public_order_id = market.public_order_id
    order_events.tell(
        run,
        order,
        enums_pb2.EXEC_TYPE_TRIGGERED,
        price_ticks=order.price_ticks,
        quantity_lots=order.quantity_lots,
        leaves_lots=order.leaves_lots,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        public_order_id=order.public_order_id,
        trigger_price_ticks=trigger_of(order),
        last_price_ticks=order.seen_price_ticks,
    )
    if order.budget_atoms:
        order_events.release(run, order)
        order.is_market = True
    order.waits = False
    run.state.unlist_from_account(order)
    run_entered(run, order, may_rest=may_rest)


def run_entered(run: Run, order: Order, *, may_rest: bool) -> None:
    """As taker; what is left rests or is cancelled."""
    reason = enums_pb2.CANCEL_REASON_IOC
    if not order.price_ticks and not order.is_market:
        order.price_ticks = LOWEST_PRICE_TICKS
        reason = enums_pb2.CANCEL_REASON_NO_LIQUIDITY
    if matcher.run_taker(run, order) and order.leaves_lots:
        if may_rest:
            order_events.rest(run, order)
            return
        matcher.cancel_rest(run, order, reason)
    run.state.close_id(order)
