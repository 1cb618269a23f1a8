"""Plays of static price bands, under rules version 2: prices at edges, references that move."""

from typing import Final

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.later_orders import BUY, SELL, STOP_LIMIT, waiting_order
from tests.differential.flow.orders import amend
from tests.differential.flow.plays.markets import parameters
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import market_id

NUMBERS: Final = (1, 3, 8)
TICKS: Final = (0, 1, 3, 7)
PRICE_MAX: Final = 1 << 53


def prices_at_the_edges(flow: Flow) -> None:
    """Limit, market and waiting orders about the edges, while the reference moves."""
    random = flow.random
    number = random.choice(NUMBERS)
    plan = flow.plan(market_id(number))
    middle, ticks = flow.middles[plan.market_id], random.choice(TICKS)
    changed = parameters(plan)
    # Rounded up, so that it is so many ticks.
    changed.static_band_ppm = -(-ticks * 1_000_000 // middle) or random.choice((0, 1))
    flow.venue(
        system.UpdateMarket(market_id=plan.market_id, parameters=changed),
        system.SetReferencePrice(market_id=plan.market_id, price_ticks=middle),
    )
    for _ in range(3):
        for side in random.sample((BUY, SELL), 2):
            away = ticks + random.choice((-1, 0, 0, 1))
            price = middle + (away if side == BUY else -away)
            flow.firm(limit_order(flow, number, side=side, price_ticks=price, quantity_lots=4))
        taker = limit_order(flow, number, quantity_lots=random.randint(1, 20))
        taker.order_type, taker.price_ticks = enums.ORDER_TYPE_MARKET, 0
        taker.time_in_force = random.choice((enums.TIME_IN_FORCE_IOC, enums.TIME_IN_FORCE_FOK))
        taker.self_trade_prevention = enums.SELF_TRADE_PREVENTION_NONE
        flow.firm(taker)
        moved = max(1, middle + random.randint(-4, 4))
        flow.venue(system.SetReferencePrice(market_id=plan.market_id, price_ticks=moved))
    stop = waiting_order(flow, limit_order(flow, number), STOP_LIMIT)
    stop.price_ticks = max(1, middle + random.randint(-9, 9))
    flow.firm(stop)
    resting = flow.model.orders.draw(random)
    if resting is not None:
        flow.firm(amend(flow, resting))
    flow.venue(system.UpdateMarket(market_id=plan.market_id, parameters=parameters(plan)))
    if random.random() < 0.5:
        flow.venue(system.SetReferencePrice(market_id=plan.market_id))


def refused_references(flow: Flow) -> None:
    """Reference prices of no market, and out of their bounds; a band that is too wide."""
    plan = flow.market()
    changed = parameters(plan)
    changed.static_band_ppm = flow.random.choice((1_000_000, (1 << 32) - 1))
    flow.venue(
        system.UpdateMarket(market_id=plan.market_id, parameters=changed),
        system.SetReferencePrice(market_id=market_id(1, flow.world.shard + 1), price_ticks=1),
        system.SetReferencePrice(market_id=market_id(444), price_ticks=1),
        system.SetReferencePrice(market_id=plan.market_id, price_ticks=-1),
        system.SetReferencePrice(market_id=plan.market_id, price_ticks=PRICE_MAX + 1),
    )


PLAYS: Final = (prices_at_the_edges, refused_references)
