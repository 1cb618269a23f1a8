"""Commands of the main flow: orders that rest and trade, amendments, cancels.

Used by what sends the main flow, and by plays. Prices lie around a middle that wanders, so that
about half of the new orders trade.
"""

from typing import Final

from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import SECOND_NS, Flow
from tests.differential.flow.messages import amount
from tests.differential.flow.model import Order
from tests.differential.flow.world import ASSETS, MarketPlan

OFFSET_STEPS: Final = 4
LOTS_STEPS: Final = 16
LIFETIMES_NS: Final = (
    1,
    1_000_000,
    50_000_000,
    SECOND_NS,
    10 * SECOND_NS,
    3_600 * SECOND_NS,
    400 * 86_400 * SECOND_NS,
)
# Batches fall on the ends of orders that live no longer than this.
DEADLINE_NS: Final = 60 * SECOND_NS
DECREMENT: Final = enums.SELF_TRADE_PREVENTION_DECREMENT
MODES: Final = (
    enums.SELF_TRADE_PREVENTION_CANCEL_NEWEST,
    enums.SELF_TRADE_PREVENTION_CANCEL_OLDEST,
    enums.SELF_TRADE_PREVENTION_CANCEL_BOTH,
    enums.SELF_TRADE_PREVENTION_DECREMENT,
    enums.SELF_TRADE_PREVENTION_NONE,
)


def price(flow: Flow, plan: MarketPlan, side: enums.Side.ValueType) -> int:
    """A price near the middle, a little more often one that trades than not."""
    step = plan.price_step_ticks or 1
    offset = flow.random.randint(-OFFSET_STEPS, OFFSET_STEPS) + flow.random.randint(0, 1)
    if flow.random.random() < 0.03:
        offset *= 10
    offset = offset if side == enums.SIDE_BUY else -offset
    middle = flow.middles[plan.market_id] // step
    return max(1, middle + offset) * step


def lots(flow: Flow, plan: MarketPlan) -> int:
    """A quantity of a few steps."""
    step = plan.quantity_step_lots or 1
    lowest = -(-(plan.minimum_quantity_lots or 1) // step)
    if plan.minimum_notional_atoms:
        lowest += 2
    count = lowest + flow.random.randrange(LOTS_STEPS)
    if flow.random.random() < 0.05:
        count += 3 * LOTS_STEPS
    return count * step


def notional(plan: MarketPlan, price_ticks: int, quantity_lots: int) -> int:
    """Quote atoms of a quantity at a price."""
    decimals = next(a.decimals for a in ASSETS if a.asset_id == plan.base_asset_id)
    tick_value: int = plan.tick_size_atoms * plan.lot_size_atoms // 10**decimals
    return price_ticks * quantity_lots * tick_value


def new_order(flow: Flow, account_id: int, plan: MarketPlan | None = None) -> commands.NewOrder:
    """A good order of any kind."""
    random = flow.random
    plan = plan or flow.market()
    side = random.choice((enums.SIDE_BUY, enums.SIDE_SELL))
    order = commands.NewOrder(
        cl_ord_id=flow.new_id(),
        account_id=account_id,
        market_id=plan.market_id,
        side=side,
        order_type=enums.ORDER_TYPE_LIMIT,
        time_in_force=enums.TIME_IN_FORCE_GTC,
        price_ticks=price(flow, plan, side),
        quantity_lots=lots(flow, plan),
        sent_time_ns=flow.sent_time(),
        tag=random.randrange(3),
    )
    if random.random() < 0.4:
        order.self_trade_prevention = random.choice((*MODES, DECREMENT, DECREMENT))
    if random.random() < 0.1:
        order.expires_after_ms = random.choice((1_000, 5_000, 60_000))
    _vary(flow, plan, order)
    return order


def _vary(flow: Flow, plan: MarketPlan, order: commands.NewOrder) -> None:
    """Makes some orders another kind than a plain limit order."""
    random = flow.random
    pick = random.random()
    if pick < 0.06:
        order.time_in_force = enums.TIME_IN_FORCE_GTD
        lifetime_ns = random.choice(LIFETIMES_NS)
        order.expire_time_ns = flow.now + lifetime_ns
        if lifetime_ns < DEADLINE_NS:
            flow.deadlines.append(order.expire_time_ns)
    elif pick < 0.18:
        order.time_in_force = enums.TIME_IN_FORCE_IOC
    elif pick < 0.24:
        order.time_in_force = enums.TIME_IN_FORCE_FOK
        step = plan.quantity_step_lots or 1
        order.quantity_lots = max(lots(flow, plan) // 3 // step, 1) * step
    elif pick < 0.28:
        order.post_only = True
    elif pick < 0.38:
        order.order_type = enums.ORDER_TYPE_MARKET
        order.time_in_force = enums.TIME_IN_FORCE_IOC
        if pick < 0.32 and order.side == enums.SIDE_BUY:
            budget = notional(plan, order.price_ticks, order.quantity_lots)
            order.quote_budget_atoms = amount(budget + random.randrange(1 + budget // 100))
            order.quantity_lots = 0
            if order.self_trade_prevention == DECREMENT:
                order.self_trade_prevention = enums.SELF_TRADE_PREVENTION_CANCEL_OLDEST
        elif pick < 0.34:
            order.time_in_force = enums.TIME_IN_FORCE_FOK
        order.price_ticks = 0


def target(flow: Flow) -> Order | None:
    """An order to cancel or amend: mostly a resting one."""
    model = flow.model
    if model.closed and flow.random.random() < 0.08:
        return flow.random.choice(model.closed)
    return model.orders.draw(flow.random)


def amend(flow: Flow, order: Order) -> commands.Amend:
    """An amendment of price, quantity or both."""
    random = flow.random
    plan = flow.plan(order.market_id)
    step = plan.quantity_step_lots or 1
    amendment = commands.Amend(
        request_id=flow.new_id(), account_id=order.account_id, sent_time_ns=flow.sent_time()
    )
    _name(flow, amendment, order)
    if random.random() < 0.6:
        amendment.price_ticks = price(flow, plan, order.side)
    if random.random() < 0.6 or not amendment.price_ticks:
        change = random.choice((-3, -2, -1, -1, 1, 2, 5)) * step
        amendment.quantity_lots = max(step, order.quantity_lots + change)
    if order.display_lots and random.random() < 0.3:
        amendment.display_lots = random.randint(1, 4) * step
    return amendment


def cancel(flow: Flow, order: Order) -> commands.Cancel:
    """A cancel of an order."""
    request = commands.Cancel(
        request_id=flow.new_id(), account_id=order.account_id, sent_time_ns=flow.sent_time()
    )
    _name(flow, request, order)
    return request


def _name(flow: Flow, request: commands.Cancel | commands.Amend, order: Order) -> None:
    if flow.random.random() < 0.6:
        request.orig_cl_ord_id = order.cl_ord_id
    else:
        request.order_id = order.order_id


def mass_cancel(flow: Flow, account_id: int) -> commands.MassCancel:
    """A mass cancel with some filters."""
    random = flow.random
    request = commands.MassCancel(
        request_id=flow.new_id(), account_id=account_id, sent_time_ns=flow.sent_time()
    )
    if random.random() < 0.5:
        request.market_id = flow.market().market_id
    if random.random() < 0.4:
        request.side = random.choice((enums.SIDE_BUY, enums.SIDE_SELL))
    if random.random() < 0.4:
        request.tag = random.randrange(3)
    return request
