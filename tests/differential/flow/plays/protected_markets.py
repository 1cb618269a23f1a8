"""Plays of market-order protection, under rules version 2: sweeps that it ends, and stops."""

from typing import Final

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.later_orders import BUY, SELL, STOP, TAKE_PROFIT, waiting_order
from tests.differential.flow.orders import MODES, amend
from tests.differential.flow.plays.markets import parameters
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import market_id

IOC, FOK = enums.TIME_IN_FORCE_IOC, enums.TIME_IN_FORCE_FOK
# So many ticks from the best price, in each of these markets.
NUMBERS: Final = (1, 3, 8)
TICKS: Final = (0, 1, 3, 7)
NONE: Final = enums.SELF_TRADE_PREVENTION_NONE


def protected_sweeps(flow: Flow) -> None:
    """Market orders of every kind meet levels on both sides of what they may pay."""
    number = flow.random.choice(NUMBERS)
    plan = flow.plan(market_id(number))
    middle = flow.middles[plan.market_id]
    changed = parameters(plan)
    # Rounded down, and up now and then: a tick more or less decides.
    part = flow.random.choice(TICKS) * 1_000_000 // middle + flow.random.randint(0, 1)
    changed.market_protection_ppm = flow.random.choice((part, part, 1, 999_999))
    flow.venue(system.UpdateMarket(market_id=plan.market_id, parameters=changed))
    side = flow.random.choice((BUY, SELL))
    away = 1 if side == BUY else -1
    other = SELL if side == BUY else BUY
    for level in (1, 2, 4, 8):
        price, lots = middle + away * level, flow.random.randint(1, 5)
        flow.firm(limit_order(flow, number, side=other, price_ticks=price, quantity_lots=lots))
    stop = waiting_order(flow, limit_order(flow, number, side=side), STOP)
    stop.trigger_price_ticks = middle + away * 2
    profit = waiting_order(flow, limit_order(flow, number, side=side), TAKE_PROFIT)
    for order in (stop, profit):
        flow.firm(order)
    # The large one goes through all that is within its bound.
    for time_in_force, most in ((IOC, 4), (IOC, 4), (FOK, 30), (IOC, 4), (IOC, 4), (IOC, 400)):
        lots = flow.random.randint(most // 2, most)
        taker = limit_order(flow, number, side=side, quantity_lots=lots)
        taker.order_type, taker.price_ticks = enums.ORDER_TYPE_MARKET, 0
        taker.time_in_force = time_in_force
        taker.self_trade_prevention = flow.random.choice((*MODES, NONE, NONE, NONE))
        if most == 4 and flow.random.random() < 0.2:
            taker.minimum_lots = flow.random.randint(1, taker.quantity_lots)
        flow.firm(taker)
    resting = flow.model.orders.draw(flow.random)
    if resting is not None:
        flow.firm(amend(flow, resting))
    if flow.random.random() < 0.8:
        flow.venue(system.UpdateMarket(market_id=plan.market_id, parameters=parameters(plan)))


def refused_protection(flow: Flow) -> None:
    """A distance that no price could have."""
    plan = flow.market()
    changed = parameters(plan)
    changed.market_protection_ppm = flow.random.choice((1_000_000, (1 << 32) - 1))
    flow.venue(system.UpdateMarket(market_id=plan.market_id, parameters=changed))


PLAYS: Final = (protected_sweeps, refused_protection)
