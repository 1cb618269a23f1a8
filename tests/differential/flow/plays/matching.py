"""Plays of matching: queues, self-trade prevention, fill-or-kill, sweeps, poor takers, timers."""

from collections.abc import Iterator
from typing import Final

from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.messages import amount
from tests.differential.flow.orders import MODES, cancel, notional
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import market_id

BUY, SELL = enums.SIDE_BUY, enums.SIDE_SELL


def _queue(flow: Flow, number: int, side: enums.Side.ValueType, price: int, count: int) -> None:
    """Some orders of several accounts at one price."""
    for _ in range(count):
        order = limit_order(
            flow,
            number,
            side=side,
            price_ticks=price,
            quantity_lots=flow.random.randint(1, 9),
            account_id=flow.random.choice((4_096, 4_098, 4_099, 4_101, 5_001, 1 << 40)),
        )
        order.self_trade_prevention = flow.random.choice(MODES)
        flow.firm(order)


def own_orders_meet(flow: Flow) -> None:
    """A taker of the group meets own and foreign orders, in every mode."""
    number = flow.random.choice((1, 3, 8))
    side = flow.random.choice((BUY, SELL))
    price = flow.middles[market_id(number)] + (6 if side == SELL else -6)
    _queue(flow, number, side, price, 4)
    for mode in flow.random.sample(MODES, 3):
        taker = limit_order(
            flow,
            number,
            side=BUY if side == SELL else SELL,
            price_ticks=price,
            quantity_lots=flow.random.randint(1, 25),
            account_id=flow.random.choice((4_098, 4_099, 5_001, 4_101, 4_102)),
        )
        taker.self_trade_prevention = mode
        taker.time_in_force = flow.random.choice(
            (enums.TIME_IN_FORCE_GTC, enums.TIME_IN_FORCE_IOC, enums.TIME_IN_FORCE_FOK)
        )
        flow.firm(taker)


def fill_or_kill_counts_foreign_orders(flow: Flow) -> None:
    """A FOK order that could be filled only with its own group's orders."""
    price = flow.middles[market_id(3)] + 40
    for account_id in (4_098, 4_100, 5_001):
        flow.firm(
            limit_order(
                flow, 3, side=SELL, price_ticks=price, quantity_lots=5, account_id=account_id
            )
        )
    for mode in (*MODES, enums.SELF_TRADE_PREVENTION_UNSPECIFIED):
        taker = limit_order(flow, 3, side=BUY, price_ticks=price, account_id=4_099)
        taker.time_in_force, taker.self_trade_prevention = enums.TIME_IN_FORCE_FOK, mode
        market = flow.model.markets[market_id(3)]
        taker.quantity_lots = flow.random.choice((5, 10, 12, 15)) if market.ask_ticks else 5
        flow.firm(taker)


def cancel_in_the_middle_of_a_queue(flow: Flow) -> Iterator[None]:
    """One of a queue goes, the first is filled in part, then the rest trades in order."""
    number = flow.random.choice((1, 3, 8))
    side = flow.random.choice((BUY, SELL))
    market = market_id(number)
    price = flow.middles[market] + (5 if side == SELL else -5)
    _queue(flow, number, side, price, flow.random.randint(3, 6))
    yield
    queue = [
        order
        for order in flow.model.orders.all()
        if order.market_id == market and order.price_ticks == price
    ]
    if queue:
        flow.firm(cancel(flow, flow.random.choice(queue)))
    for lots in (1, 4, 30):
        taker = limit_order(
            flow, number, side=BUY if side == SELL else SELL, price_ticks=price, quantity_lots=lots
        )
        taker.self_trade_prevention = enums.SELF_TRADE_PREVENTION_NONE
        flow.firm(taker)


def sweep(flow: Flow) -> None:
    """A taker goes through many levels and stops at its price."""
    number = flow.random.choice((1, 3, 8))
    middle = flow.middles[market_id(number)]
    side = flow.random.choice((BUY, SELL))
    away = 1 if side == SELL else -1
    for level in range(6):
        _queue(flow, number, side, middle + away * (4 + 3 * level), 4)
    taker = limit_order(
        flow,
        number,
        side=BUY if side == SELL else SELL,
        price_ticks=middle + away * flow.random.randint(8, 26),
        quantity_lots=flow.random.randint(20, 300),
        time_in_force=flow.random.choice((enums.TIME_IN_FORCE_GTC, enums.TIME_IN_FORCE_IOC)),
    )
    taker.self_trade_prevention = flow.random.choice(
        (enums.SELF_TRADE_PREVENTION_NONE, enums.SELF_TRADE_PREVENTION_CANCEL_OLDEST)
    )
    flow.firm(taker)


def takers_with_little_money(flow: Flow) -> None:
    """Market orders whose funds or budget end in the middle of a fill."""
    poor = flow.account_of(is_rich=False).account_id
    plan = flow.plan(market_id(flow.random.choice((1, 4, 8))))
    price = flow.middles[plan.market_id]
    one = notional(plan, price, 1)
    flow.venue(
        flow.credit(poor, plan.quote_asset_id, one * 3 + flow.random.randrange(one)),
        flow.credit(poor, plan.base_asset_id, plan.lot_size_atoms * 2 + 1),
    )
    for side in (BUY, SELL):
        for time_in_force in (enums.TIME_IN_FORCE_FOK, enums.TIME_IN_FORCE_IOC):
            order = limit_order(flow, account_id=poor, market_id=plan.market_id, side=side)
            order.order_type, order.price_ticks = enums.ORDER_TYPE_MARKET, 0
            order.time_in_force, order.quantity_lots = time_in_force, flow.random.choice((1, 3, 9))
            flow.firm(order)
    order = commands.NewOrder(
        cl_ord_id=flow.new_id(),
        account_id=flow.random.choice((poor, 4_096, 5_001)),
        market_id=plan.market_id,
        side=BUY,
        order_type=enums.ORDER_TYPE_MARKET,
        time_in_force=enums.TIME_IN_FORCE_IOC,
        quote_budget_atoms=amount(flow.random.choice((1, one, one * 2 + 1, one * 20))),
        sent_time_ns=flow.sent_time(),
        self_trade_prevention=flow.random.choice(MODES[:3]),
    )
    flow.firm(order)


def orders_that_expire(flow: Flow) -> Iterator[None]:
    """GTD orders of several markets end at one moment, and one nanosecond later."""
    end = flow.now + 40_000_000
    for number in (8, 1, 3, 1, 8):
        order = limit_order(flow, number, expire_time_ns=end + flow.random.choice((0, 0, 1)))
        order.time_in_force = enums.TIME_IN_FORCE_GTD
        order.price_ticks += 30 if order.side == SELL else -30
        flow.firm(order)
    yield
    flow.now = max(flow.now, end)
    flow.firm(limit_order(flow, 1))
    yield
    flow.now = max(flow.now, end + 1)
    flow.firm(limit_order(flow, 1))


def empty_book(flow: Flow) -> None:
    """Market orders meet nothing."""
    number = flow.random.choice((5, 6))
    for side in (BUY, SELL):
        order = limit_order(flow, number, side=side, quantity_lots=1 << 12)
        order.order_type, order.price_ticks = enums.ORDER_TYPE_MARKET, 0
        order.time_in_force = enums.TIME_IN_FORCE_IOC
        flow.firm(order)


def large_notionals(flow: Flow) -> None:
    """Trades of 2^100 atoms and more."""
    for side in (SELL, BUY):
        flow.firm(
            limit_order(
                flow,
                6,
                side=side,
                price_ticks=(1 << 30) + flow.random.randint(-1, 1),
                quantity_lots=flow.random.randint(1 << 15, 1 << 18),
                account_id=flow.random.choice((4_096, 5_000, 4_101)),
            )
        )


PLAYS: Final = (
    own_orders_meet,
    own_orders_meet,
    fill_or_kill_counts_foreign_orders,
    cancel_in_the_middle_of_a_queue,
    sweep,
    sweep,
    takers_with_little_money,
    orders_that_expire,
    empty_book,
    large_notionals,
)
