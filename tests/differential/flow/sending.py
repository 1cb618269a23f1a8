"""Sends the main flow: envelopes of orders and cancels in sessions.

Used by the stream for most commands of a tape.
"""

from google.protobuf.message import Message

from tests.differential.flow.flow import Flow
from tests.differential.flow.later_orders import FULL_RULES, any_order, replace
from tests.differential.flow.model import Session
from tests.differential.flow.orders import amend, cancel, target


def order_message(flow: Flow, session: Session) -> Message:
    """A command of class ORDER for one of the session's accounts."""
    plan = session.plan
    if flow.rules_version >= FULL_RULES and flow.random.random() < 0.05:
        replaced = flow.model.orders.draw(flow.random)
        if replaced is not None and replaced.account_id in plan.account_ids:
            return replace(flow, replaced)
    if flow.random.random() < 0.16:
        for _ in range(4):
            order = target(flow)
            if order is None or order.account_id not in plan.account_ids:
                continue
            if not plan.market_ids or order.market_id in plan.market_ids:
                return amend(flow, order)
    market = None
    if plan.market_ids and flow.random.random() < 0.95:
        market = flow.plan(flow.random.choice(plan.market_ids))
    return any_order(flow, flow.random.choice(plan.account_ids), market)


def send_orders(flow: Flow, session: Session) -> None:
    """An envelope of orders in a session."""
    count = flow.random.randint(1, 10)
    flow.session(session, [order_message(flow, session) for _ in range(count)])


def send_cancels(flow: Flow, session: Session) -> None:
    """An envelope of cancels in a session, or single ones without it."""
    body: list[Message] = []
    for _ in range(flow.random.randint(1, 6)):
        order = target(flow)
        if order is None:
            break
        if order.account_id in session.plan.account_ids:
            body.append(cancel(flow, order))
        elif flow.random.random() < 0.2:
            flow.unary(cancel(flow, order))
    if body:
        flow.session(session, body)
