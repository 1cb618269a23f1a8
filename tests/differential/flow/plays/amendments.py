"""Plays of amendments: refused ones, places kept and lost, resent ones, into the cross."""

from collections.abc import Iterator
from typing import Final

from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import Flow
from tests.differential.flow.model import Order
from tests.differential.flow.orders import amend
from tests.differential.flow.plays.refused_orders import limit_order


def amendment(flow: Flow, order: Order, **fields: int | bytes) -> commands.Amend:
    """An amendment of an order by its id with these fields."""
    request = commands.Amend(
        request_id=flow.new_id(),
        account_id=order.account_id,
        order_id=order.order_id,
        sent_time_ns=flow.sent_time(),
    )
    for name, value in fields.items():
        setattr(request, name, value)
    return request


def refused_amendments(flow: Flow) -> None:
    """Every refusal of an amendment that needs no other state."""
    order = flow.model.orders.draw(flow.random)
    if order is None:
        return
    filled = order.quantity_lots - order.leaves_lots
    kinds: list[dict[str, int | bytes]] = [
        {},
        {"display_lots": 5},
        {"display_lots": -1, "quantity_lots": 5},
        {"price_ticks": order.price_ticks},
        {"quantity_lots": order.quantity_lots},
        {"price_ticks": order.price_ticks, "quantity_lots": order.quantity_lots},
        {"quantity_lots": filled or -1},
        {"quantity_lots": max(1, filled - 1)},
        {"price_ticks": -1},
        {"price_ticks": (1 << 53) + 1},
        {"price_ticks": order.price_ticks + 1},
        {"quantity_lots": order.quantity_lots + 1},
        {"quantity_lots": -order.quantity_lots},
        {"quantity_lots": (1 << 53) + 1},
        {"quantity_lots": 1 << 53, "price_ticks": 1 << 53},
        {"quantity_lots": 1 << 40},
        {"order_id": 0},
        {"orig_cl_ord_id": order.cl_ord_id, "quantity_lots": 9},
        {"order_id": order.order_id + 4_000_000, "quantity_lots": 9},
        {"account_id": 5_001, "quantity_lots": 9},
    ]
    for fields in flow.random.sample(kinds, 8):
        flow.firm(amendment(flow, order, **fields))
    if flow.model.closed:
        flow.firm(amend(flow, flow.random.choice(flow.model.closed)))


def amendments_of_a_queue(flow: Flow) -> Iterator[None]:
    """Three orders at one price: the middle one shrinks, grows, leaves; then all trade."""
    number = flow.random.choice((1, 3, 8))
    side = flow.random.choice((enums.SIDE_BUY, enums.SIDE_SELL))
    session = flow.live_session()
    if session is None:
        return
    account_ids = session.plan.account_ids
    first = limit_order(flow, number, side=side, account_id=account_ids[0])
    away = 9 if side == enums.SIDE_SELL else -9
    price = flow.middles[first.market_id] + away
    queue = []
    for lots in (5, 6, 7, 8):
        order = limit_order(
            flow,
            number,
            side=side,
            account_id=flow.random.choice(account_ids),
            price_ticks=price,
            quantity_lots=lots,
        )
        queue.append(order)
    flow.session(session, queue)
    yield
    middle = flow.random.choice(queue[1:3])
    found = [o for o in flow.model.orders.all() if o.cl_ord_id == middle.cl_ord_id]
    if found and session.is_connected:
        change = flow.random.choice(
            (
                {"quantity_lots": 3},
                {"quantity_lots": 12},
                {"price_ticks": price + 1},
                {"price_ticks": price - 1, "quantity_lots": 4},
            )
        )
        request = amendment(flow, found[0], **change)
        later = amendment(flow, found[0], quantity_lots=11)
        flow.session(session, [request, later, request])
    opposite = enums.SIDE_SELL if side == enums.SIDE_BUY else enums.SIDE_BUY
    for lots in (6, 9, 10):
        taker = limit_order(flow, number, side=opposite, price_ticks=price, quantity_lots=lots)
        taker.time_in_force = enums.TIME_IN_FORCE_IOC
        taker.self_trade_prevention = enums.SELF_TRADE_PREVENTION_NONE
        flow.firm(taker)


def amendment_sent_again(flow: Flow) -> None:
    """An amendment comes again after a later one: it is answered and changes nothing."""
    for _ in range(3):
        order = flow.model.orders.draw(flow.random)
        if order is None:
            return
        step = flow.plan(order.market_id).quantity_step_lots or 1
        first = amendment(flow, order, quantity_lots=order.quantity_lots + 2 * step)
        later = amendment(flow, order, quantity_lots=order.quantity_lots + 5 * step)
        for request in (first, later, first):
            flow.firm(request)


def amendment_into_the_cross(flow: Flow) -> None:
    """A resting order is given a price beyond the other side: it trades as a taker."""
    for _ in range(3):
        order = flow.model.orders.draw(flow.random)
        if order is None:
            return
        market = flow.model.markets[order.market_id]
        step = flow.plan(order.market_id).price_step_ticks or 1
        if order.side == enums.SIDE_BUY and market.ask_ticks:
            flow.firm(amendment(flow, order, price_ticks=market.ask_ticks + 2 * step))
        elif order.side == enums.SIDE_SELL and market.bid_ticks > 2 * step:
            flow.firm(amendment(flow, order, price_ticks=market.bid_ticks - 2 * step))


PLAYS: Final = (
    refused_amendments,
    amendments_of_a_queue,
    amendment_sent_again,
    amendment_sent_again,
    amendment_into_the_cross,
)
