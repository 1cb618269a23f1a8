"""Plays of orders that wait for a price, under rules version 2: chains, closed markets."""

from collections.abc import Iterator
from typing import Any, Final

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import SECOND_NS, Flow
from tests.differential.flow.later_orders import (
    BUY,
    SELL,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TRAILING,
    WAITING,
    waiting_order,
)
from tests.differential.flow.messages import amount
from tests.differential.flow.orders import amend, cancel
from tests.differential.flow.plays.markets import CANCEL_ONLY, CONTINUOUS, HALTED, set_phase
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import market_id

PRICE_MAX: Final = 1 << 53
FOREIGN: Final = (4_096, 4_100, 5_000, 1 << 40)


def _trade(flow: Flow, number: int, price: int) -> None:
    """Two accounts trade a lot at about a price."""
    for side in (SELL, BUY):
        order = limit_order(
            flow,
            number,
            side=side,
            price_ticks=price,
            quantity_lots=flow.random.randint(1, 6),
            account_id=flow.random.choice(FOREIGN),
        )
        order.self_trade_prevention = enums.SELF_TRADE_PREVENTION_NONE
        flow.firm(order)


def a_chain_of_stops(flow: Flow) -> Iterator[None]:
    """Each stop trades at the price that reaches the next one."""
    number = flow.random.choice((1, 3, 8))
    middle = flow.middles[market_id(number)]
    side = flow.random.choice((BUY, SELL))
    away = 1 if side == BUY else -1
    for level in range(2, 9):
        rest = limit_order(
            flow,
            number,
            side=SELL if side == BUY else BUY,
            price_ticks=middle + away * 3 * level,
            quantity_lots=flow.random.randint(1, 5),
        )
        flow.firm(rest)
        stop = limit_order(flow, number, side=side, account_id=flow.random.choice(FOREIGN))
        kind = flow.random.choice((STOP, STOP, STOP_LIMIT, TRAILING))
        waiting_order(flow, stop, kind)
        if kind != TRAILING:
            stop.trigger_price_ticks = middle + away * 3 * level
        flow.firm(stop)
    if flow.random.random() < 0.5:
        yield
    _trade(flow, number, middle + away * 6)


def ready_in_a_closed_market(flow: Flow) -> Iterator[None]:
    """Orders get ready, the market closes: they can be cancelled and amended, then go on."""
    number = flow.random.choice((1, 8))
    market = market_id(number)
    price = flow.middles[market]
    for kind in flow.random.sample(WAITING, 3):
        flow.firm(waiting_order(flow, limit_order(flow, number), kind))
    _trade(flow, number, price)
    flow.venue(set_phase(market, flow.random.choice((HALTED, CANCEL_ONLY, CONTINUOUS))))
    yield
    waiting = [o for o in flow.model.orders.all() if o.waits and o.market_id == market]
    for order in waiting[:3]:
        flow.firm(amend(flow, order))
        if flow.random.random() < 0.4:
            flow.firm(cancel(flow, order))
    if flow.random.random() < 0.3:
        switch = system.KillSwitch(scope=system.KILL_SCOPE_MARKET, target_id=market, active=True)
        flow.venue(switch, set_phase(market, CONTINUOUS))
        yield
        switch.active = False
        flow.venue(switch)
    flow.venue(set_phase(market, CONTINUOUS))
    flow.firm(limit_order(flow, number))


def amended_while_waiting(flow: Flow) -> None:
    """Waiting orders get other prices and quantities, also such that they cannot have."""
    waiting = [order for order in flow.model.orders.all() if order.waits]
    if not waiting:
        return
    for order in flow.random.sample(waiting, min(4, len(waiting))):
        request = amend(flow, order)
        if flow.random.random() < 0.3:
            request.display_lots = flow.random.choice((1, -1))
        flow.firm(request)


def refused_waiting_orders(flow: Flow) -> None:
    """A clause of the checks of waiting orders after the other."""
    random = flow.random
    kinds: list[dict[str, Any]] = [
        {"post_only": True},
        {"expire_time_ns": flow.now + SECOND_NS, "time_in_force": enums.TIME_IN_FORCE_GTC},
        {"time_in_force": enums.TIME_IN_FORCE_FOK},
        {"time_in_force": enums.TIME_IN_FORCE_IOC},
        {"time_in_force": enums.TIME_IN_FORCE_AT_THE_OPEN},
        {"minimum_lots": 1},
        {"display_lots": 1},
        {"trailing_offset_ticks": 1, "trailing_offset_ppm": 1},
        {"trailing_offset_ticks": -1, "trailing_offset_ppm": 0},
        {"trailing_offset_ticks": PRICE_MAX + 1, "trailing_offset_ppm": 0},
        {"trailing_offset_ticks": 0, "trailing_offset_ppm": 1_000_000},
        {"trigger_price_ticks": random.choice((0, -1, 7, PRICE_MAX, PRICE_MAX + 1))},
        {"price_ticks": random.choice((0, -1, 3, PRICE_MAX + 1))},
        {"quantity_lots": random.choice((0, -1, PRICE_MAX, PRICE_MAX + 1))},
        {"quote_budget_atoms": amount(random.choice((-1, 1, 1 << 121)))},
        {"quote_budget_atoms": amount(1 << 121), "quantity_lots": 0, "price_ticks": 0},
        {"quote_budget_atoms": amount(5), "quantity_lots": 0, "price_ticks": 0},
    ]
    for fields in random.sample(kinds, 7):
        number = random.choice((1, 2, 4))
        order = waiting_order(flow, limit_order(flow, number))
        for name, value in fields.items():
            setattr(order, name, value)
        flow.firm(order)


def take_profits_and_trailing(flow: Flow) -> Iterator[None]:
    """Prices go up and down under trailing stops and past take-profits."""
    number = flow.random.choice((1, 3, 8))
    price = flow.middles[market_id(number)]
    for _ in range(3):
        for kind in (TRAILING, TAKE_PROFIT):
            flow.firm(waiting_order(flow, limit_order(flow, number), kind))
    for change in (0, 3, 6, 2, -4):
        _trade(flow, number, max(1, price + change))
        if flow.random.random() < 0.3:
            yield


def triggers_of_plain_orders(flow: Flow) -> None:
    """Fields of waiting orders on orders that do not wait."""
    for name in ("trigger_price_ticks", "trailing_offset_ticks", "trailing_offset_ppm"):
        order: commands.NewOrder = limit_order(flow)
        setattr(order, name, 5)
        flow.firm(order)


PLAYS: Final = (
    a_chain_of_stops,
    a_chain_of_stops,
    ready_in_a_closed_market,
    amended_while_waiting,
    refused_waiting_orders,
    take_profits_and_trailing,
    triggers_of_plain_orders,
)
