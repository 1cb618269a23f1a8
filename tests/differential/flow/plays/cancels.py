"""Plays of cancels: bad targets, mass cancels, cancels that overtake their orders."""

from collections.abc import Iterator
from typing import Final

from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow.flow import ORDER, Flow
from tests.differential.flow.orders import cancel, mass_cancel, target
from tests.differential.flow.plays.markets import set_phase
from tests.differential.flow.plays.refused_orders import limit_order
from tests.differential.flow.world import market_id


def bad_targets(flow: Flow) -> None:
    """Both names, none, another account's order, one that never was, one that is closed."""
    order = target(flow)
    if order is None:
        return
    for changes in (
        {"orig_cl_ord_id": order.cl_ord_id, "order_id": order.order_id},
        {"orig_cl_ord_id": b"", "order_id": 0},
        {"orig_cl_ord_id": flow.new_id(), "order_id": 0},
        {"orig_cl_ord_id": b"", "order_id": order.order_id + 5_000_000},
        {"orig_cl_ord_id": b"", "order_id": max(0, flow.model.last_order_id - 9)},
        {"account_id": 5_000},
        {"account_id": 66_666},
    ):
        request = cancel(flow, order)
        for name, value in changes.items():
            setattr(request, name, value)
        flow.firm(request)
    if flow.model.closed:
        flow.firm(cancel(flow, flow.random.choice(flow.model.closed)))


def mass_cancels(flow: Flow) -> None:
    """Mass cancels with every filter, and those that are refused."""
    account_id = flow.account().account_id
    for changes in (
        {},
        {"market_id": market_id(1, flow.world.shard + 1)},
        {"market_id": market_id(777)},
        {"this_session_only": True},
        {"account_id": 55_555},
    ):
        if flow.random.random() < 0.5:
            request = mass_cancel(flow, account_id)
            for name, value in changes.items():
                setattr(request, name, value)
            flow.firm(request)
    session = flow.live_session()
    if session is not None:
        request = mass_cancel(flow, flow.random.choice(session.plan.account_ids))
        request.this_session_only = True
        flow.session(session, [request])


def cancel_that_overtakes_its_order(flow: Flow) -> Iterator[None]:
    """A Cancel arrives before the order it names; then the order, which is refused."""
    session = flow.live_session()
    if session is None:
        return
    account_id = flow.random.choice(session.plan.account_ids)
    order = limit_order(flow, account_id=account_id)
    request = commands.Cancel(
        request_id=flow.new_id(),
        account_id=account_id,
        orig_cl_ord_id=order.cl_ord_id,
        sent_time_ns=flow.sent_time(),
        after_order_seq_no=session.last[ORDER] + flow.random.randint(0, 2),
    )
    if flow.random.random() < 0.2:
        request.request_id = order.cl_ord_id
    flow.session(session, [request])
    if flow.random.random() < 0.5:
        yield
    if session.is_connected:
        flow.session(session, [order, limit_order(flow, account_id=account_id)])
        flow.session(session, [request])


def mass_cancel_that_overtakes_orders(flow: Flow) -> Iterator[None]:
    """Early mass cancels; the orders they wait for arrive, some fit the filter, some do not."""
    session = flow.live_session()
    if session is None:
        return
    account_ids = session.plan.account_ids
    for _ in range(flow.random.randint(1, 3)):
        request = mass_cancel(flow, flow.random.choice(account_ids))
        request.after_order_seq_no = session.last[ORDER] + flow.random.randint(1, 8)
        flow.session(session, [request])
    for _ in range(3):
        if flow.random.random() < 0.5:
            yield
        if session.is_connected:
            body = [limit_order(flow, account_id=flow.random.choice(account_ids)) for _ in range(3)]
            flow.session(session, body)


def too_many_early_cancels(flow: Flow) -> None:
    """Seventeen early mass cancels in one session."""
    session = flow.live_session()
    if session is None:
        return
    body = []
    for number in range(17):
        request = mass_cancel(flow, session.plan.account_ids[0])
        request.market_id = market_id(1)
        request.after_order_seq_no = session.last[ORDER] + 1 + number % 3
        body.append(request)
    flow.session(session, body)
    flow.session(
        session, [limit_order(flow, account_id=session.plan.account_ids[-1]) for _ in range(3)]
    )


def cancels_in_a_full_book(flow: Flow) -> Iterator[None]:
    """A book is filled up to its bound; cancels and amendments get through."""
    market = market_id(4)
    missing = 27 - flow.model.markets[market].resting
    for step in range(missing):
        flow.firm(
            limit_order(flow, 4, side=enums.SIDE_BUY, price_ticks=1 + step % 9, quantity_lots=2)
        )
    yield
    for order in [o for o in flow.model.orders.all() if o.market_id == market][:4]:
        flow.firm(cancel(flow, order))
        flow.firm(limit_order(flow, 4, side=enums.SIDE_BUY, price_ticks=2, quantity_lots=2))


def cancels_in_a_halt(flow: Flow) -> Iterator[None]:
    """A halted market refuses cancels; a mass cancel leaves its orders alone."""
    order = flow.model.orders.draw(flow.random)
    if order is None:
        return
    flow.venue(set_phase(order.market_id, enums.MARKET_PHASE_HALTED))
    flow.firm(cancel(flow, order))
    flow.firm(mass_cancel(flow, order.account_id))
    yield
    flow.venue(set_phase(order.market_id, enums.MARKET_PHASE_CANCEL_ONLY))
    flow.firm(cancel(flow, order))
    flow.firm(limit_order(flow, market_id=order.market_id))
    yield
    flow.venue(set_phase(order.market_id, enums.MARKET_PHASE_CONTINUOUS))


PLAYS: Final = (
    bad_targets,
    mass_cancels,
    cancel_that_overtakes_its_order,
    mass_cancel_that_overtakes_orders,
    too_many_early_cancels,
    cancels_in_a_full_book,
    cancels_in_a_halt,
)
