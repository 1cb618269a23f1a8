"""Orders of rules version 2: those that wait for a price, icebergs, DAY, minimum quantity, Replace.

Used by the main flow and by plays of tapes under version 2. Under version 1 nothing here draws
from the tape's randomness, so that old tapes stay as they were.
"""

from typing import Final

from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.messages import amount
from tests.differential.flow.model import Order
from tests.differential.flow.orders import DECREMENT, lots, new_order, notional, price
from tests.differential.flow.world import MarketPlan

FULL_RULES: Final = 2
BUY, SELL = enums.SIDE_BUY, enums.SIDE_SELL
DAY, GTC = enums.TIME_IN_FORCE_DAY, enums.TIME_IN_FORCE_GTC
IOC = enums.TIME_IN_FORCE_IOC
STOP, STOP_LIMIT = enums.ORDER_TYPE_STOP, enums.ORDER_TYPE_STOP_LIMIT
TAKE_PROFIT = enums.ORDER_TYPE_TAKE_PROFIT
TAKE_PROFIT_LIMIT = enums.ORDER_TYPE_TAKE_PROFIT_LIMIT
TRAILING = enums.ORDER_TYPE_TRAILING_STOP
WAITING: Final = (STOP, STOP_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT, TRAILING)
LIMIT_KINDS: Final = (STOP_LIMIT, TAKE_PROFIT_LIMIT)


def any_order(flow: Flow, account_id: int, plan: MarketPlan | None = None) -> commands.NewOrder:
    """A good order of any kind that the rules of the tape know."""
    order = new_order(flow, account_id, plan)
    if flow.rules_version < FULL_RULES:
        return order
    pick = flow.random.random()
    if pick < 0.16:
        return waiting_order(flow, order)
    rests = order.order_type == enums.ORDER_TYPE_LIMIT and order.time_in_force in (
        GTC,
        enums.TIME_IN_FORCE_GTD,
    )
    if pick < 0.30 and rests:
        show_part(flow, order)
    elif pick < 0.36 and rests:
        order.time_in_force, order.expire_time_ns = DAY, 0
    elif pick < 0.42 and takes_minimum(order):
        order.minimum_lots = flow.random.randint(1, order.quantity_lots)
    return order


def takes_minimum(order: commands.NewOrder) -> bool:
    """Whether a minimum quantity goes with an order."""
    is_fok = order.time_in_force == enums.TIME_IN_FORCE_FOK
    return order.quantity_lots > 0 and not (order.post_only or is_fok)


def show_part(flow: Flow, order: commands.NewOrder) -> None:
    """Makes an order an iceberg."""
    step = flow.plan(order.market_id).quantity_step_lots or 1
    steps = order.quantity_lots // step
    order.display_lots = flow.random.randint(1, min(max(steps, 1), 4)) * step


def waiting_order(
    flow: Flow,
    order: commands.NewOrder,
    kind: enums.OrderType.ValueType | None = None,
) -> commands.NewOrder:
    """Makes an order one that waits for a price near the middle."""
    random = flow.random
    plan = flow.plan(order.market_id)
    kind = random.choice(WAITING) if kind is None else kind
    step = plan.price_step_ticks or 1
    is_riser = (order.side == BUY) != (kind in (TAKE_PROFIT, TAKE_PROFIT_LIMIT))
    distance = random.randint(-1, 6)
    middle = flow.middles[plan.market_id] // step
    trigger = max(1, middle + (distance if is_riser else -distance)) * step
    order.order_type, order.post_only, order.expire_time_ns = kind, False, 0
    order.time_in_force = random.choice((GTC, GTC, GTC, DAY))
    order.quote_budget_atoms, order.quantity_lots = b"", lots(flow, plan)
    if random.random() < 0.1:
        order.time_in_force = enums.TIME_IN_FORCE_GTD
        order.expire_time_ns = flow.now + random.choice((1, 50_000_000, 10**9))
    if kind != TRAILING:
        order.trigger_price_ticks = trigger
    elif random.random() < 0.5:
        order.trailing_offset_ticks = random.randint(1, 6)
    else:
        order.trailing_offset_ppm = random.choice((1, 10, 1_000, 50_000, 999_999))
    _pay(flow, plan, order, trigger)
    return order


def _pay(flow: Flow, plan: MarketPlan, order: commands.NewOrder, trigger: int) -> None:
    """The price that a waiting order will not pass, none, or a budget."""
    random = flow.random
    step = plan.price_step_ticks or 1
    away = random.randint(-1, 5) * step
    order.price_ticks = max(step, trigger + (away if order.side == BUY else -away))
    if order.order_type in LIMIT_KINDS:
        if random.random() < 0.2 and order.time_in_force == GTC:
            order.time_in_force = IOC
    elif order.side == SELL and random.random() < 0.7:
        order.price_ticks = 0
    elif order.side == BUY and random.random() < 0.4:
        budget = notional(plan, order.price_ticks, order.quantity_lots)
        order.quote_budget_atoms = amount(budget + random.randrange(1 + budget // 100))
        order.quantity_lots = order.price_ticks = 0
        if order.self_trade_prevention == DECREMENT:
            order.self_trade_prevention = enums.SELF_TRADE_PREVENTION_CANCEL_OLDEST


def replace(flow: Flow, order: Order) -> commands.Replace:
    """Another order in place of one, often of the same market and side."""
    fresh = any_order(flow, order.account_id, flow.plan(order.market_id))
    if fresh.order_type == enums.ORDER_TYPE_LIMIT and flow.random.random() < 0.6:
        fresh.side = order.side
        fresh.price_ticks = price(flow, flow.plan(order.market_id), order.side)
    return commands.Replace(
        orig_cl_ord_id=order.cl_ord_id,
        new_order=fresh,
        allow_missing=flow.random.random() < 0.3,
    )


def cancel_all_after(flow: Flow, account_id: int, timeout_ms: int) -> commands.CancelAllAfter:
    """Arms, renews or (with 0) disarms the dead man's timer."""
    return commands.CancelAllAfter(
        request_id=flow.new_id(),
        account_id=account_id,
        timeout_ms=timeout_ms,
        sent_time_ns=flow.sent_time(),
    )
