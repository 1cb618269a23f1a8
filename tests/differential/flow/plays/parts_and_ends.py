"""Plays under rules version 2: icebergs, minimum quantity, DAY, Replace, the dead man's timer."""

from collections.abc import Iterator
from typing import Any, Final

from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import ORDER, Flow
from tests.differential.flow.later_orders import (
    BUY,
    DAY,
    SELL,
    any_order,
    cancel_all_after,
    replace,
    show_part,
    waiting_order,
)
from tests.differential.flow.orders import MODES, amend, mass_cancel
from tests.differential.flow.plays.amendments import amendment
from tests.differential.flow.plays.markets import CONTINUOUS, HALTED, set_phase
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import market_id

FOK, IOC = enums.TIME_IN_FORCE_FOK, enums.TIME_IN_FORCE_IOC
OWNERS: Final = (4_096, 4_098, 4_099, 5_001, 1 << 40)
DAY_NS: Final = 86_400 * 10**9


def icebergs_are_eaten(flow: Flow) -> Iterator[None]:
    """Icebergs and plain orders of a level; takers of every mode eat through, or count first."""
    number = flow.random.choice((1, 3, 8))
    side, other = flow.random.choice(((SELL, BUY), (BUY, SELL)))
    price = flow.middles[market_id(number)] + (4 if side == SELL else -4)
    for lots in (9, 3, 14, 6):
        order = limit_order(
            flow,
            number,
            side=side,
            price_ticks=price,
            quantity_lots=lots,
            account_id=flow.random.choice(OWNERS),
        )
        if lots != 3:
            show_part(flow, order)
        flow.firm(order)
    if flow.random.random() < 0.5:
        yield
    for lots in flow.random.sample((1, 2, 5, 11, 20, 40), 4):
        taker = limit_order(
            flow,
            number,
            side=other,
            price_ticks=price,
            quantity_lots=lots,
            account_id=flow.random.choice(OWNERS),
        )
        taker.self_trade_prevention = flow.random.choice(MODES)
        taker.time_in_force = flow.random.choice((IOC, IOC, FOK))
        if taker.time_in_force == IOC and flow.random.random() < 0.5:
            taker.minimum_lots = flow.random.randint(1, lots)
        flow.firm(taker)


def icebergs_are_amended(flow: Flow) -> None:
    """Displays grow, shrink, and are what they cannot be."""
    found = [order for order in flow.model.orders.all() if order.display_lots]
    for order in flow.random.sample(found, min(4, len(found))):
        step = flow.plan(order.market_id).quantity_step_lots or 1
        fields: dict[str, int | bytes] = {
            "display_lots": flow.random.choice((step, 2 * step, 3 * step, -1, step + 1, 1 << 40))
        }
        if flow.random.random() < 0.4:
            fields["quantity_lots"] = order.quantity_lots + flow.random.choice((-1, 0, 1)) * step
        flow.firm(amendment(flow, order, **fields))
    plain = flow.model.orders.draw(flow.random)
    if plain is not None:
        flow.firm(amendment(flow, plain, display_lots=1))


def refused_parts(flow: Flow) -> None:
    """Displays and minimum quantities that do not go with the rest of an order."""
    kinds: list[dict[str, Any]] = [
        {"display_lots": -1},
        {"display_lots": 5, "quantity_lots": 4},
        {"display_lots": 1, "time_in_force": IOC},
        {"display_lots": 1, "time_in_force": FOK},
        {"minimum_lots": -1},
        {"minimum_lots": 5, "quantity_lots": 4},
        {"minimum_lots": 1, "time_in_force": FOK},
        {"minimum_lots": 1, "post_only": True},
        {"time_in_force": DAY, "expire_time_ns": flow.now + 5},
        {"hidden": True, "display_lots": 1},
        {"peg_offset_ticks": 1},
    ]
    for fields in flow.random.sample(kinds, 5):
        flow.firm(limit_order(flow, **fields))
    flow.firm(limit_order(flow, 2, display_lots=flow.random.choice((5, 10, 20))))


def minimum_of_market_orders(flow: Flow) -> None:
    """Market orders that trade at least so much or not at all."""
    for side in (BUY, SELL):
        order = limit_order(flow, flow.random.choice((1, 4, 8)), side=side)
        order.order_type, order.price_ticks = enums.ORDER_TYPE_MARKET, 0
        order.time_in_force, order.quantity_lots = IOC, flow.random.randint(1, 40)
        order.minimum_lots = flow.random.randint(1, order.quantity_lots)
        if flow.random.random() < 0.3:
            order.account_id = flow.account_of(is_rich=False).account_id
        flow.firm(order)


def a_day_ends(flow: Flow) -> Iterator[None]:
    """DAY orders rest and wait until midnight."""
    for number in (1, 3, 8):
        order = limit_order(flow, number, time_in_force=DAY)
        order.price_ticks += 40 if order.side == SELL else -40
        flow.firm(order)
        waits = waiting_order(flow, limit_order(flow, number))
        waits.time_in_force = DAY
        flow.firm(waits)
    if flow.random.random() < 0.5:
        yield
    if flow.random.random() < 0.15:
        flow.now = (flow.now // DAY_NS + 1) * DAY_NS + flow.random.choice((-1, 0))
        yield
        flow.now += 1


def replacements(flow: Flow) -> None:
    """Orders are replaced: open ones, closed ones, unknown ones, others' ones, and badly."""
    for _ in range(4):
        order = flow.model.orders.draw(flow.random)
        if order is None:
            return
        request = replace(flow, order)
        pick = flow.random.random()
        if pick < 0.1:
            request.orig_cl_ord_id = b""
        elif pick < 0.2:
            request.orig_cl_ord_id = flow.new_id()
        elif pick < 0.3:
            request.new_order.account_id = flow.account().account_id
        elif pick < 0.4:
            request.new_order.quantity_lots = -1
        elif pick < 0.5:
            request.new_order.cl_ord_id = order.cl_ord_id
        flow.firm(request)
        if flow.random.random() < 0.3:
            flow.firm(request)
    if flow.model.closed:
        flow.firm(replace(flow, flow.random.choice(flow.model.closed)))


def replacements_in_a_full_book(flow: Flow) -> Iterator[None]:
    """A book at its bound, an account at its bound, a halted market."""
    for step in range(27 - flow.model.markets[market_id(4)].resting):
        flow.firm(limit_order(flow, 4, side=BUY, price_ticks=1 + step % 9, quantity_lots=2))
    for step in range(3):
        flow.firm(limit_order(flow, 1, side=BUY, account_id=5_002, price_ticks=9 + step))
    yield
    for market, account_id in ((market_id(4), 0), (market_id(1), 5_002)):
        found = [
            order
            for order in flow.model.orders.all()
            if order.market_id == market and account_id in (0, order.account_id)
        ]
        for order in found[:3]:
            flow.firm(replace(flow, order))
    other = flow.model.orders.draw(flow.random)
    if other is not None and flow.random.random() < 0.4:
        flow.venue(set_phase(other.market_id, HALTED))
        flow.firm(replace(flow, other))
        flow.venue(set_phase(other.market_id, CONTINUOUS))


def overtaken_replacement(flow: Flow) -> None:
    """A mass cancel overtakes a replacement, which is then refused."""
    session, order = flow.live_session(), flow.model.orders.draw(flow.random)
    if session is None or order is None or order.account_id not in session.plan.account_ids:
        return
    request = mass_cancel(flow, order.account_id)
    request.after_order_seq_no = session.last[ORDER] + 1
    flow.session(session, [request])
    flow.session(session, [replace(flow, order), any_order(flow, order.account_id)])


def dead_mans_timers(flow: Flow) -> Iterator[None]:
    """Timers are armed, renewed, put off, disarmed, and fire."""
    account_ids = [account.account_id for account in flow.world.accounts]
    for account_id in flow.random.sample(account_ids, 3):
        timeout_ms = flow.random.choice((0, 1, 20, 20, 86_400_000, 86_400_001))
        request = cancel_all_after(flow, account_id, timeout_ms)
        flow.firm(request)
        if timeout_ms == 20:
            flow.deadlines.append(flow.now + 20_000_000)
        if flow.random.random() < 0.2:
            flow.firm(request)
    if flow.random.random() < 0.2:
        flow.firm(cancel_all_after(flow, 77_777, 5))
    yield
    flow.now += flow.random.choice((1_000_000, 20_000_000, 30_000_000))
    order = flow.model.orders.draw(flow.random)
    if order is not None:
        flow.firm(amend(flow, order))


PLAYS: Final = (
    icebergs_are_eaten,
    icebergs_are_eaten,
    icebergs_are_amended,
    refused_parts,
    minimum_of_market_orders,
    a_day_ends,
    replacements,
    replacements_in_a_full_book,
    overtaken_replacement,
    dead_mans_timers,
)
