"""Plays of accounts' limits in a market, under rules version 2: orders at and beyond each."""

from collections.abc import Iterator
from typing import Any, Final

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.later_orders import BUY, SELL, STOP, show_part, waiting_order
from tests.differential.flow.messages import amount
from tests.differential.flow.model import Order
from tests.differential.flow.orders import amend, cancel, notional
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import market_id

NUMBERS: Final = (1, 3, 8)
QUANTITY_MAX: Final = 1 << 53
AMOUNT_MAX: Final = 1 << 120
OWNERS: Final = (4_096, 4_097, 4_100, 5_001)


def _open_of(flow: Flow, account_id: int, market: int) -> list[Order]:
    """Open orders of an account in a market."""
    return [
        order
        for order in flow.model.orders.all()
        if (order.account_id, order.market_id) == (account_id, market)
    ]


def _limits(flow: Flow, account_id: int, number: int) -> system.SetTradingLimits:
    """Limits of which one or two are a little above what is open."""
    random, plan = flow.random, flow.plan(market_id(number))
    price = flow.middles[plan.market_id]
    open_orders = _open_of(flow, account_id, plan.market_id)
    side_lots = max(
        sum(order.leaves_lots for order in open_orders if order.side == side)
        for side in (BUY, SELL)
    )
    lots = sum(order.leaves_lots for order in open_orders)
    bounds: dict[str, int | bytes] = {
        "order_lots_max": random.choice((4, 9, QUANTITY_MAX)),
        "order_notional_atoms_max": amount(notional(plan, price, random.choice((4, 9)))),
        "open_orders_max": len(open_orders) + random.randint(1, 4),
        "open_lots_max": side_lots + random.randint(1, 30),
        "open_notional_atoms_max": amount(notional(plan, price, lots + random.randint(1, 40))),
        # Rich accounts have much: it is below what they have, or far above.
        "position_atoms_max": amount(random.choice((1, AMOUNT_MAX))),
    }
    chosen = random.sample(sorted(bounds), random.choice((1, 1, 2, 6)))
    fields: dict[str, Any] = {name: bounds[name] for name in chosen}
    return system.SetTradingLimits(account_id=account_id, market_id=plan.market_id, **fields)


def _own_orders(flow: Flow, account_id: int, number: int) -> list[commands.NewOrder]:
    """Orders of many kinds of one account, small and large."""
    random = flow.random
    middle = flow.middles[market_id(number)]
    orders = []
    for away in random.sample((0, 1, 2, 20, -1), 4):
        side = random.choice((BUY, SELL))
        price = middle + (-away if side == BUY else away)
        order = limit_order(flow, number, side=side, price_ticks=price, account_id=account_id)
        order.quantity_lots = random.choice((1, 3, 5, 10, 40))
        if away == 1:
            show_part(flow, order)
        elif away == 2:
            order.time_in_force = enums.TIME_IN_FORCE_IOC
        elif away == 20:
            waiting_order(flow, order, STOP)
        orders.append(order)
    taker = limit_order(flow, number, side=BUY, account_id=account_id)
    taker.order_type, taker.price_ticks = enums.ORDER_TYPE_MARKET, 0
    taker.time_in_force, taker.quantity_lots = enums.TIME_IN_FORCE_IOC, 0
    budget = notional(flow.plan(market_id(number)), middle, random.choice((3, 8, 20)))
    taker.quote_budget_atoms = amount(budget)
    taker.self_trade_prevention = enums.SELF_TRADE_PREVENTION_NONE
    return [*orders, taker]


def orders_at_their_limits(flow: Flow) -> Iterator[None]:
    """An account with limits enters, amends, replaces; fills and cancels make room again."""
    random = flow.random
    number, account_id = random.choice(NUMBERS), random.choice(OWNERS)
    market = market_id(number)
    for order in _own_orders(flow, account_id, number)[:2]:
        flow.firm(order)
    yield
    flow.venue(_limits(flow, account_id, number))
    for order in _own_orders(flow, account_id, number):
        flow.firm(order)
    yield
    for resting in _open_of(flow, account_id, market)[-4:]:
        request = amend(flow, resting)
        request.quantity_lots = max(1, resting.quantity_lots + random.randint(-4, 12))
        flow.firm(request)
        fresh = limit_order(flow, number, side=resting.side, account_id=account_id)
        fresh.quantity_lots = random.choice((1, resting.leaves_lots or 1, 30))
        replace = commands.Replace(new_order=fresh, orig_cl_ord_id=resting.cl_ord_id)
        flow.firm(replace if random.random() < 0.5 else fresh)
        # Somebody trades with it, in part.
        other = SELL if resting.side == BUY else BUY
        for _ in range(3):
            price = resting.price_ticks or flow.middles[market]
            taker = limit_order(flow, number, side=other, price_ticks=price)
            taker.quantity_lots = random.randint(1, 4)
            flow.firm(taker)
        if random.random() < 0.3:
            flow.firm(cancel(flow, resting))
    yield
    for order in _own_orders(flow, account_id, number):
        flow.firm(order)
    if random.random() < 0.7:
        flow.venue(system.SetTradingLimits(account_id=account_id, market_id=market))


def fills_make_room(flow: Flow) -> Iterator[None]:
    """An account enters as much as it may, again and again, while others take it."""
    random = flow.random
    number, account_id = random.choice(NUMBERS), random.choice(OWNERS)
    market = market_id(number)
    side = random.choice((BUY, SELL))
    price, away = flow.middles[market], 5 if side == SELL else -5
    has_open = [o for o in _open_of(flow, account_id, market) if o.side == side]
    most = sum(order.leaves_lots for order in has_open) + 5
    flow.venue(system.SetTradingLimits(account_id=account_id, market_id=market, open_lots_max=most))
    for _ in range(3):
        own = limit_order(flow, number, side=side, price_ticks=price, account_id=account_id)
        own.quantity_lots = 5
        flow.firm(own)
        for lots in (random.randint(1, 3), random.choice((4, 60))):
            taker = limit_order(
                flow,
                number,
                side=SELL if side == BUY else BUY,
                price_ticks=price + away,
                quantity_lots=lots,
            )
            taker.self_trade_prevention = enums.SELF_TRADE_PREVENTION_NONE
            flow.firm(taker)
    yield
    flow.venue(system.SetTradingLimits(account_id=account_id, market_id=market))


def refused_limits(flow: Flow) -> None:
    """Limits of nobody, of no market, and out of their bounds."""
    kinds: tuple[dict[str, Any], ...] = (
        {"account_id": 31_337},
        {"account_id": 2},
        {"market_id": 0},
        {"market_id": market_id(1, flow.world.shard + 1)},
        {"market_id": market_id(444)},
        {"order_lots_max": -1},
        {"order_lots_max": QUANTITY_MAX + 1},
        {"open_lots_max": -1},
        {"open_lots_max": QUANTITY_MAX + 1},
        {"order_notional_atoms_max": amount(-1)},
        {"order_notional_atoms_max": amount(AMOUNT_MAX + 1)},
        {"open_notional_atoms_max": amount(AMOUNT_MAX + 1)},
        {"position_atoms_max": amount(-1)},
        {"open_orders_max": 10_001},
        {},
    )
    account_id, market = flow.account().account_id, flow.market().market_id
    flow.venue(
        *(
            system.SetTradingLimits(**{"account_id": account_id, "market_id": market, **fields})
            for fields in flow.random.sample(kinds, 2)
        )
    )


PLAYS: Final = (orders_at_their_limits, fills_make_room, refused_limits)
