"""Replace: an order goes and another comes, or nothing happens. docs/semantics/requests.md §3."""

from collections import OrderedDict

from cambist.orders.v1 import commands_pb2, enums_pb2
from matching.reference import new_order, order_events
from matching.reference.errors import Refusal
from matching.reference.order_checks import by_phase, refuse_if
from matching.reference.requests import HALTED, target
from matching.reference.run import Run
from matching.reference.state import held_asset, hold_of
from matching.reference.types import Account, Order, Session


def replace(
    run: Run, account: Account, sent: commands_pb2.Replace, session: Session | None
) -> Order:
    """The new order. Raises Refusal, with nothing changed."""
    is_nameless = not sent.orig_cl_ord_id
    refuse_if(is_nameless, enums_pb2.REJECT_REASON_INVALID_COMBINATION)
    try:
        old = target(run, account, sent.orig_cl_ord_id, 0)
    except Refusal:
        if sent.allow_missing:
            return new_order.enter(run, account, sent.new_order, session)
        raise
    phase = run.state.markets[old.market_id].phase
    if phase == HALTED:
        raise by_phase(phase)
    order = judge_without(run, account, old, sent.new_order, session)
    reason = enums_pb2.CANCEL_REASON_REQUESTED
    order_events.cancel_resting(run, old, reason, sent.new_order.cl_ord_id)
    new_order.start(run, order, sent.new_order)
    return order


def judge_without(
    run: Run,
    account: Account,
    old: Order,
    sent: commands_pb2.NewOrder,
    session: Session | None,
) -> Order:
    """Judges as if an order were gone, and puts it back where it was. Raises Refusal."""
    market = run.state.markets[old.market_id]
    hold = hold_of(old, market, old.leaves_lots)
    row = run.balance(old.account_id, held_asset(old, market))
    row.available += hold
    del account.orders[old.order_id]
    queue = OrderedDict(market.levels[old.side][old.price_ticks].orders) if not old.waits else None
    if queue is None:
        del market.waiting[old.order_id]
    else:
        market.remove(old)
    try:
        return new_order.judge(run, account, sent, session)
    finally:
        row.available -= hold
        account.orders[old.order_id] = old
        if queue is None:
            market.waiting[old.order_id] = old
        else:
            market.add(old)
            market.levels[old.side][old.price_ticks].orders = queue
