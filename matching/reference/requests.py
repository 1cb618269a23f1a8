"""Cancel, Amend, MassCancel, Resolve: section 6."""

from dataclasses import dataclass

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2
from matching.reference import limits, matcher, order_events, trading_limits, waiting
from matching.reference.errors import Refusal
from matching.reference.order_checks import (
    CANCEL_ONLY,
    CONTINUOUS,
    POST_ONLY,
    by_phase,
    is_post_only,
    judge_band,
    judge_display,
    judge_notional,
    judge_price,
    judge_quantity,
    judge_rights,
    market_of_command,
    refuse_if,
)
from matching.reference.run import Run
from matching.reference.state import held_asset, hold_of
from matching.reference.types import Account, EarlyCancel, Key, Order, Session

HALTED = enums_pb2.MARKET_PHASE_HALTED
NEW_ORDER = snapshot_pb2.KEY_KIND_NEW_ORDER
BURNT = snapshot_pb2.KEY_KIND_BURNT


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a command of a firm comes from."""

    command_class: enums_pb2.CommandClass.ValueType
    session: Session | None
    seq_no: int
    # It stopped the engine before, and is only put aside.
    is_poisoned: bool = False

    def overtakes(self, after_order_seq_no: int) -> bool:
        """Whether a cancel arrived before orders that were sent before it."""
        return (
            self.command_class == enums_pb2.COMMAND_CLASS_CANCEL
            and self.session is not None
            and after_order_seq_no > self.session.last_order_seq_no
        )


def burn(run: Run, account: Account, key: Key) -> None:
    """An id that will never be applied."""
    keys = run.state.keys_of(account.account_id)
    keys.add(key)
    keys.trim(account.id_capacity)


def judge_name(orig_cl_ord_id: bytes, order_id: int) -> None:
    """A target has exactly one name. Raises INVALID_COMBINATION."""
    is_wrong = bool(order_id) == bool(orig_cl_ord_id)
    refuse_if(is_wrong, enums_pb2.REJECT_REASON_INVALID_COMBINATION)


def target(run: Run, account: Account, orig_cl_ord_id: bytes, order_id: int) -> Order:
    """The resting or waiting order that is named. Raises UNKNOWN_ORDER, ORDER_CLOSED."""
    if not order_id:
        key = run.state.keys_of(account.account_id).by_id.get(orig_cl_ord_id)
        if key is None or key.kind != NEW_ORDER or (key.reason and not key.open):
            raise Refusal(enums_pb2.REJECT_REASON_UNKNOWN_ORDER)
        refuse_if(not key.open, enums_pb2.REJECT_REASON_ORDER_CLOSED)
        order_id = key.order_id
    order = account.orders.get(order_id)
    if order is None:
        raise Refusal(enums_pb2.REJECT_REASON_UNKNOWN_ORDER)
    return order


def cancel(run: Run, account: Account, sent: commands_pb2.Cancel, origin: Origin) -> int:
    """Cancels one order; its number. Raises Refusal."""
    judge_name(sent.orig_cl_ord_id, sent.order_id)
    try:
        order = target(run, account, sent.orig_cl_ord_id, sent.order_id)
    except Refusal:
        burn_unknown(run, account, sent, origin)
        raise
    phase = run.state.markets[order.market_id].phase
    if phase == HALTED:
        raise by_phase(phase)
    order_events.cancel_resting(run, order, enums_pb2.CANCEL_REASON_REQUESTED, sent.request_id)
    return order.order_id


def burn_unknown(run: Run, account: Account, sent: commands_pb2.Cancel, origin: Origin) -> None:
    """A cancel that overtook its order burns the order's id."""
    id_ = sent.orig_cl_ord_id
    known = run.state.keys_of(account.account_id).by_id
    if sent.order_id or id_ in known or id_ == sent.request_id:
        return
    if origin.overtakes(sent.after_order_seq_no):
        reason = enums_pb2.REJECT_REASON_CANCELLED_BEFORE_ENTRY
        burn(run, account, Key(id_, BURNT, 0, sent.sent_time_ns, run.seq, reason))


def amend(run: Run, account: Account, sent: commands_pb2.Amend, origin: Origin) -> int:
    """Amends one order; its number. Raises Refusal, with nothing changed."""
    judge_name(sent.orig_cl_ord_id, sent.order_id)
    is_later = sent.display_lots != 0 and run.rules_version < limits.FULL_RULES
    refuse_if(is_later, enums_pb2.REJECT_REASON_UNSUPPORTED)
    nothing = enums_pb2.REJECT_REASON_NOTHING_TO_AMEND
    refuse_if(not (sent.price_ticks or sent.quantity_lots or sent.display_lots), nothing)
    order = target(run, account, sent.orig_cl_ord_id, sent.order_id)
    market = run.state.markets[order.market_id]
    judge_rights(run, account, market, origin.session)
    if market.phase not in (CONTINUOUS, POST_ONLY):
        raise by_phase(market.phase)
    if market.market_id in run.late_markets:
        raise by_phase(CANCEL_ONLY)
    if order.waits:
        waiting.judge_amendment(order, sent)
    price = sent.price_ticks or order.price_ticks
    quantity = sent.quantity_lots or order.quantity_lots
    display = sent.display_lots or order.display_lots
    if sent.display_lots:
        is_wrong = not order.display_lots or not 1 <= display <= quantity
        refuse_if(is_wrong, enums_pb2.REJECT_REASON_INVALID_COMBINATION)
    if sent.price_ticks:
        judge_price(market, price)
        judge_band(market, order.side, price)
    if sent.quantity_lots:
        judge_quantity(market, quantity)
    judge_display(market, sent.display_lots)
    refuse_if(quantity <= order.cum_lots, enums_pb2.REJECT_REASON_QUANTITY_BELOW_FILLED)
    is_same_price = price == order.price_ticks
    is_same = (quantity, display) == (order.quantity_lots, order.display_lots)
    refuse_if(is_same_price and is_same, nothing)
    judge_notional(market, price or None, quantity)
    leaves = order.leaves_lots + quantity - order.quantity_lots
    size = trading_limits.Size(quantity, leaves, price, order.budget_atoms)
    trading_limits.judge(run, account, market, order.side, size, order, stays=True)
    must_rest = not order.waits and is_post_only(market, post_only=order.post_only)
    if must_rest and not is_same_price:
        crosses = market.would_trade(order.side, price)
        refuse_if(crosses, enums_pb2.REJECT_REASON_POST_ONLY_WOULD_CROSS)
    change(run, order, sent.request_id, price, quantity, display)
    return order.order_id


def change(
    run: Run, order: Order, request_id: bytes, price: int, quantity: int, display: int
) -> None:
    """The hold moves first, then the order. Raises INSUFFICIENT_FUNDS."""
    market = run.state.markets[order.market_id]
    keeps_place = (
        price == order.price_ticks
        and quantity <= order.quantity_lots
        and display <= order.display_lots
    )
    # Leaves are what the total leaves over what was filled.
    leaves = quantity - (order.quantity_lots - order.leaves_lots)
    held = hold_of(order, market, order.leaves_lots)
    before = order.price_ticks, order.quantity_lots
    old_leaves, old_public_id = order.leaves_lots, order.public_order_id
    order.price_ticks = price
    wanted = hold_of(order, market, leaves)
    order.price_ticks = before[0]
    asset_id = held_asset(order, market)
    is_poor = wanted > held + run.state.available(order.account_id, asset_id)
    refuse_if(is_poor, enums_pb2.REJECT_REASON_INSUFFICIENT_FUNDS)
    row = run.balance(order.account_id, asset_id)
    row.available -= wanted - held
    row.held += wanted - held
    if order.waits:
        order.price_ticks, order.quantity_lots, order.leaves_lots = price, quantity, leaves
        tell_replaced(run, order, request_id)
        return
    run.touch(market, order.side, before[0])
    if keeps_place:
        shown_before = order.shown
        order.display_lots = display
        market.shrink(order, old_leaves - leaves)
        order.quantity_lots = quantity
        tell_replaced(run, order, request_id)
        if order.shown != shown_before:
            order_events.tell_modified(run, order)
        return
    market.remove(order)
    order.display_lots = display
    order.price_ticks, order.quantity_lots, order.leaves_lots = price, quantity, leaves
    market.public_order_id += 1
    order.public_order_id = market.public_order_id
    tell_replaced(run, order, request_id)
    fresh, order.public_order_id = order.public_order_id, old_public_id
    order_events.tell_deleted(run, order)
    order.public_order_id = fresh
    # It is listed under its account and its timer all the while; only its place in the book is new.
    if matcher.run_taker(run, order) and order.leaves_lots:
        rest_again(run, order)
    else:
        run.state.unlist_order(order)


def rest_again(run: Run, order: Order) -> None:
    """What is left of an amended order rests."""
    account = run.state.accounts[order.account_id]
    del account.orders[order.order_id]
    if order.expire_time_ns:
        run.state.timers.remove((order.expire_time_ns, order.order_id, order.account_id))
    order_events.rest(run, order)


def tell_replaced(run: Run, order: Order, request_id: bytes) -> None:
    """An amendment was taken."""
    order_events.tell(
        run,
        order,
        enums_pb2.EXEC_TYPE_REPLACED,
        request_id=request_id,
        price_ticks=order.price_ticks,
        quantity_lots=order.quantity_lots,
        leaves_lots=order.leaves_lots,
        cum_lots=order.cum_lots,
        public_order_id=order.public_order_id,
        display_lots=order.display_lots,
    )


def mass_cancel(run: Run, account: Account, sent: commands_pb2.MassCancel, origin: Origin) -> int:
    """Cancels all that match; how many. Raises Refusal."""
    if sent.market_id:
        market_of_command(run, sent.market_id)
    session = origin.session
    is_wrong = sent.this_session_only and session is None
    refuse_if(is_wrong, enums_pb2.REJECT_REASON_INVALID_COMBINATION)
    overtakes = origin.overtakes(sent.after_order_seq_no)
    if overtakes and session is not None:
        is_many = len(session.early_cancels) >= limits.EARLY_CANCELS_MAX
        refuse_if(is_many, enums_pb2.REJECT_REASON_TOO_MANY_PENDING)
    session_id = session.established.session_id if session else 0
    chosen = [
        order
        for _, order in sorted(account.orders.items())
        if sent.market_id in (0, order.market_id)
        and sent.side in (0, order.side)
        and sent.tag in (0, order.tag)
        and not (sent.this_session_only and order.session_id != session_id)
        and run.state.markets[order.market_id].phase != HALTED
    ]
    report = events_pb2.MassCancelReport(request_id=sent.request_id, affected_count=len(chosen))
    run.tell(account.account_id, mass_cancel_report=report)
    for order in chosen:
        order_events.cancel_resting(run, order, enums_pb2.CANCEL_REASON_MASS_CANCEL)
    if overtakes and session is not None:
        early = EarlyCancel(
            account.account_id, sent.market_id, sent.side, sent.tag, sent.after_order_seq_no
        )
        session.early_cancels.append(early)
    return len(chosen)


def cancel_all_after(run: Run, account: Account, sent: commands_pb2.CancelAllAfter) -> None:
    """Arms, renews or disarms the dead man's timer. Raises INVALID_PARAMETER."""
    is_long = sent.timeout_ms > limits.CANCEL_ALL_AFTER_MS_MAX
    refuse_if(is_long, enums_pb2.REJECT_REASON_INVALID_PARAMETER)
    end_ns = run.now_ns + sent.timeout_ms * limits.NANOSECONDS_PER_MILLISECOND
    # A firm that is killed cannot put off the cancels of its switch.
    if account.firm_id not in run.state.killed_firms:
        run.state.arm(account, end_ns if sent.timeout_ms else 0)
    report = events_pb2.MassCancelReport(request_id=sent.request_id)
    run.tell(account.account_id, mass_cancel_report=report)


def resolve(run: Run, account: Account, sent: commands_pb2.Resolve) -> None:
    """Says what became of an id, and settles it."""
    keys = run.state.keys_of(account.account_id)
    key = keys.by_id.get(sent.id)
    report = events_pb2.ResolveReport(id=sent.id)
    if key is None:
        oldest = run.now_ns - limits.RETENTION_NS
        if sent.sent_time_ns > keys.stale_floor_ns and sent.sent_time_ns >= oldest:
            reason = enums_pb2.REJECT_REASON_BURNT
            burn(run, account, Key(sent.id, BURNT, 0, sent.sent_time_ns, run.seq, reason))
            report.state = enums_pb2.RESOLVE_STATE_NEVER_APPLIED
        else:
            report.state = enums_pb2.RESOLVE_STATE_FORGOTTEN
    elif key.kind == BURNT:
        report.state = enums_pb2.RESOLVE_STATE_NEVER_APPLIED
    else:
        report.first_answer_seq = key.answer_seq
        if key.reason:
            report.state = enums_pb2.RESOLVE_STATE_REJECTED
            report.reject_reason = key.reason
        elif key.open:
            order = account.orders[key.order_id]
            report.state = enums_pb2.RESOLVE_STATE_OPEN
            report.order_id = key.order_id
            report.cum_lots, report.leaves_lots = order.cum_lots, order.leaves_lots
        else:
            report.state = enums_pb2.RESOLVE_STATE_APPLIED
            report.order_id = key.order_id
    run.tell(account.account_id, resolve_report=report)
