"""NewOrder: section 4, check by check in its order, then matching and resting."""

from collections import deque

from cambist.orders.v1 import commands_pb2, enums_pb2
from matching.reference import (
    amounts,
    limits,
    matcher,
    order_events,
    trading_limits,
    triggers,
    waiting,
)
from matching.reference.errors import Refusal
from matching.reference.order_checks import (
    CANCEL_ONLY,
    CONTINUOUS,
    POST_ONLY,
    by_phase,
    has_later_features,
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
from matching.reference.state import BUY, Market, fee_part, held_asset, hold_of, opposite
from matching.reference.types import Account, Order, Session
from matching.reference.waiting import DAY, RESTING

LIMIT, MARKET = enums_pb2.ORDER_TYPE_LIMIT, enums_pb2.ORDER_TYPE_MARKET
GTC, IOC = enums_pb2.TIME_IN_FORCE_GTC, enums_pb2.TIME_IN_FORCE_IOC
FOK, GTD = enums_pb2.TIME_IN_FORCE_FOK, enums_pb2.TIME_IN_FORCE_GTD
WAITING = waiting.TYPES


def enter(
    run: Run, account: Account, sent: commands_pb2.NewOrder, session: Session | None
) -> Order:
    """Accepts an order and runs it; the order, which is open when its account lists it.

    Raises Refusal, with nothing changed.
    """
    order = judge(run, account, sent, session)
    start(run, order, sent)
    return order


def judge(
    run: Run, account: Account, sent: commands_pb2.NewOrder, session: Session | None
) -> Order:
    """All checks; the order as it will be. Changes nothing. Raises Refusal."""
    judge_form(sent, run.rules_version)
    market = market_of_command(run, sent.market_id)
    judge_rights(run, account, market, session)
    judge_phase(run, market, sent)
    judge_combination(sent)
    judge_amounts(market, sent)
    if sent.time_in_force == GTD:
        is_late = sent.expire_time_ns <= run.now_ns
        is_far = sent.expire_time_ns > run.now_ns + limits.EXPIRE_TIME_AHEAD_NS
        refuse_if(is_late or is_far, enums_pb2.REJECT_REASON_INVALID_EXPIRE_TIME)
    order = make(run, market, sent, session)
    stays = sent.order_type in WAITING or sent.time_in_force in RESTING
    size = trading_limits.size_of(order)
    trading_limits.judge(run, account, market, order.side, size, stays=stays)
    if stays:
        is_many = len(account.orders) >= account.open_orders_max
        refuse_if(is_many, enums_pb2.REJECT_REASON_OPEN_ORDERS_LIMIT)
        is_full = market.open_count >= market.parameters.resting_orders_max
        refuse_if(is_full, enums_pb2.REJECT_REASON_BOOK_FULL)
    if is_post_only(market, post_only=sent.post_only):
        crosses = market.would_trade(sent.side, sent.price_ticks)
        refuse_if(crosses, enums_pb2.REJECT_REASON_POST_ONLY_WOULD_CROSS)
    available = run.state.available(order.account_id, held_asset(order, market))
    hold = hold_of(order, market, order.leaves_lots)
    is_poor = not order.is_market and hold > available
    refuse_if(is_poor, enums_pb2.REJECT_REASON_INSUFFICIENT_FUNDS)
    needed = order.leaves_lots if sent.time_in_force == FOK else sent.minimum_lots
    is_short = needed != 0 and not can_fill(run, market, order, needed)
    refuse_if(is_short, enums_pb2.REJECT_REASON_FOK_NOT_FILLABLE)
    return order


def start(run: Run, order: Order, sent: commands_pb2.NewOrder) -> None:
    """An order that was judged is accepted, and waits, or trades and rests."""
    market = run.state.markets[order.market_id]
    accept(run, market, order, sent)
    if order.waits:
        triggers.start_waiting(run, order)
    elif matcher.run_taker(run, order) and order.leaves_lots:
        if sent.time_in_force in RESTING:
            order_events.rest(run, order)
        else:
            matcher.cancel_rest(run, order, enums_pb2.CANCEL_REASON_IOC)


def judge_form(sent: commands_pb2.NewOrder, rules_version: int) -> None:
    """Checks 1 and 2."""
    is_open = not (sent.side and sent.order_type and sent.time_in_force)
    refuse_if(is_open, enums_pb2.REJECT_REASON_INVALID_COMBINATION)
    if rules_version >= limits.FULL_RULES:
        is_later = (
            (sent.order_type not in (LIMIT, MARKET) and sent.order_type not in WAITING)
            or sent.time_in_force not in (*RESTING, IOC, FOK)
            or has_later_features(sent)
        )
    else:
        is_later = (
            sent.order_type not in (LIMIT, MARKET)
            or sent.time_in_force not in (GTC, IOC, FOK, GTD)
            or has_later_features(sent)
            or waiting.has_trigger(sent)
            or sent.minimum_lots != 0
            or sent.display_lots != 0
        )
    refuse_if(is_later, enums_pb2.REJECT_REASON_UNSUPPORTED)


def judge_phase(run: Run, market: Market, sent: commands_pb2.NewOrder) -> None:
    """Check 5."""
    takes = market.phase == CONTINUOUS or (
        market.phase == POST_ONLY and sent.order_type == LIMIT and sent.time_in_force in RESTING
    )
    if not takes:
        raise by_phase(market.phase)
    if market.market_id in run.late_markets:
        raise by_phase(CANCEL_ONLY)


def judge_combination(sent: commands_pb2.NewOrder) -> None:
    """Check 6."""
    if sent.order_type in WAITING:
        waiting.judge_combination(sent)
        return
    budget = amounts.from_bytes(sent.quote_budget_atoms)
    is_market = sent.order_type == MARKET
    decrements = sent.self_trade_prevention == matcher.DECREMENT
    is_wrong = (
        (not is_market and budget != 0)
        or (is_market and sent.price_ticks != 0)
        or (is_market and sent.time_in_force not in (IOC, FOK))
        or (is_market and (sent.quantity_lots != 0) == (budget != 0))
        or (budget != 0 and (sent.side != BUY or sent.time_in_force == FOK or decrements))
        or (sent.post_only and (is_market or sent.time_in_force in (IOC, FOK)))
        or (sent.expire_time_ns != 0 and sent.time_in_force != GTD)
        or waiting.has_trigger(sent)
        or (sent.minimum_lots != 0 and not takes_minimum(sent, budget))
        or (sent.display_lots != 0 and not takes_display(sent))
    )
    refuse_if(is_wrong, enums_pb2.REJECT_REASON_INVALID_COMBINATION)


def takes_minimum(sent: commands_pb2.NewOrder, budget: int) -> bool:
    """Whether the minimum quantity goes with the rest of an order."""
    in_range = 1 <= sent.minimum_lots <= sent.quantity_lots
    return in_range and not (sent.time_in_force == FOK or sent.post_only or budget)


def takes_display(sent: commands_pb2.NewOrder) -> bool:
    """Whether the displayed part goes with the rest of an order."""
    may_rest = sent.order_type == LIMIT and sent.time_in_force in RESTING
    return may_rest and 1 <= sent.display_lots <= sent.quantity_lots


def judge_amounts(market: Market, sent: commands_pb2.NewOrder) -> None:
    """Checks 7 to 9."""
    if sent.order_type in WAITING:
        waiting.judge_amounts(market, sent)
        return
    budget = amounts.from_bytes(sent.quote_budget_atoms)
    is_limit = sent.order_type == LIMIT
    if is_limit:
        judge_price(market, sent.price_ticks)
        judge_band(market, sent.side, sent.price_ticks)
    if budget:
        in_range = 1 <= budget <= limits.AMOUNT_ATOMS_MAX
        refuse_if(not in_range, enums_pb2.REJECT_REASON_INVALID_QUANTITY)
        return
    judge_quantity(market, sent.quantity_lots)
    judge_display(market, sent.display_lots)
    judge_notional(market, sent.price_ticks if is_limit else None, sent.quantity_lots)


def make(run: Run, market: Market, sent: commands_pb2.NewOrder, session: Session | None) -> Order:
    """The order as it would be; it has its number only when it is accepted."""
    fees = run.state.fees_of(sent.account_id, market)
    return Order(
        order_id=run.state.next_order_id,
        account_id=sent.account_id,
        market_id=sent.market_id,
        cl_ord_id=sent.cl_ord_id,
        session_id=session.established.session_id if session else 0,
        side=sent.side,
        price_ticks=sent.price_ticks,
        quantity_lots=sent.quantity_lots,
        leaves_lots=sent.quantity_lots,
        maker_fee_ppm=fees.maker_ppm,
        taker_fee_ppm=fees.taker_ppm,
        expire_time_ns=end_of(sent, run.now_ns),
        post_only=sent.post_only,
        self_trade_prevention=sent.self_trade_prevention,
        tag=sent.tag,
        is_market=sent.order_type == MARKET,
        budget_atoms=amounts.from_bytes(sent.quote_budget_atoms),
        waits=sent.order_type in WAITING,
        order_type=sent.order_type,
        time_in_force=sent.time_in_force,
        trigger_price_ticks=sent.trigger_price_ticks,
        trailing_offset_ticks=sent.trailing_offset_ticks,
        trailing_offset_ppm=sent.trailing_offset_ppm,
        display_lots=sent.display_lots,
    )


def end_of(sent: commands_pb2.NewOrder, now_ns: int) -> int:
    """When an order expires; 0 = never."""
    if sent.time_in_force == DAY:
        return (now_ns // limits.DAY_NS + 1) * limits.DAY_NS
    return sent.expire_time_ns


def can_fill(run: Run, market: Market, order: Order, needed: int) -> bool:
    """Check 14: whether an order finds so many lots, and the funds for them."""
    mode = matcher.ruling_mode(order)
    cost, touched = 0, 0
    funds = run.state.available(order.account_id, market.created.quote_asset_id)
    if order.is_market and order.side != BUY:
        base = run.state.available(order.account_id, market.created.base_asset_id)
        if needed * market.lot_size > base:
            return False
    side, protection = opposite(order.side), matcher.protection_of(market, order)
    for price in market.best_first(side):
        if protection and not matcher.reaches(order.side, protection, price):
            return False
        if not order.is_market and not matcher.is_within(order, price):
            return False
        makers = market.levels[side][price].orders.values()
        queue = deque((maker, maker.leaves_lots, maker.shown) for maker in makers)
        while queue:
            maker, leaves, shown = queue.popleft()
            touched += 1
            if touched > limits.WORK_ORDERS_MAX:
                return False
            if mode != matcher.NONE and run.state.is_same_group(order.account_id, maker.account_id):
                if mode != matcher.CANCEL_OLDEST:
                    return False
                continue
            lots = min(needed, shown)
            notional = lots * price * market.tick_value
            cost += notional + fee_part(notional, order.taker_fee_ppm)
            if order.is_market and order.side == BUY and cost > funds:
                return False
            needed -= lots
            if not needed:
                return True
            if leaves > shown:
                queue.append((maker, leaves - shown, min(maker.display_lots, leaves - shown)))
    return False


def accept(run: Run, market: Market, order: Order, sent: commands_pb2.NewOrder) -> None:
    """Number, public id, hold, NEW."""
    hold = hold_of(order, market, order.leaves_lots)
    run.state.next_order_id += 1
    if not order.waits and sent.time_in_force in RESTING:
        market.public_order_id += 1
        order.public_order_id = market.public_order_id
    if hold:
        row = run.balance(order.account_id, held_asset(order, market))
        row.available -= hold
        row.held += hold
    order_events.tell(
        run,
        order,
        enums_pb2.EXEC_TYPE_NEW,
        price_ticks=sent.price_ticks,
        quantity_lots=sent.quantity_lots,
        leaves_lots=order.leaves_lots,
        order_type=sent.order_type,
        time_in_force=sent.time_in_force,
        tag=sent.tag,
        expire_time_ns=order.expire_time_ns,
        quote_budget_atoms=amounts.to_bytes(order.budget_atoms),
        public_order_id=order.public_order_id,
        trigger_price_ticks=sent.trigger_price_ticks,
        trailing_offset_ticks=sent.trailing_offset_ticks,
        trailing_offset_ppm=sent.trailing_offset_ppm,
        display_lots=sent.display_lots,
    )


def refused_when_overtaken(session: Session, sent: commands_pb2.NewOrder, seq_no: int) -> None:
    """Section 3, step 7. Raises CANCELLED_BEFORE_ENTRY."""
    for early in session.early_cancels:
        matches = (
            early.account_id == sent.account_id
            and early.market_id in (0, sent.market_id)
            and early.side in (0, sent.side)
            and early.tag in (0, sent.tag)
            and seq_no <= early.up_to_order_seq_no
        )
        if matches:
            raise Refusal(enums_pb2.REJECT_REASON_CANCELLED_BEFORE_ENTRY)
