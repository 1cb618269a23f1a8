"""Limits of single accounts in single markets. docs/semantics/risk.md, section 6.

Called by `system`, and by `new_order` and `requests` for every order that is judged. What is open
is summed anew each time.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from cambist.internal.journal.v1 import system_pb2
from cambist.orders.v1 import enums_pb2
from matching.reference import amounts, limits
from matching.reference.errors import Refusal
from matching.reference.money import firm_account
from matching.reference.order_checks import market_of_command, refuse_if
from matching.reference.run import Run
from matching.reference.state import BUY, Market
from matching.reference.types import Account, Order, TradingLimits

R = enums_pb2


class Size(NamedTuple):
    """What an order asks for, or is: quantities and price are 0 where it has none."""

    quantity_lots: int
    leaves_lots: int
    price_ticks: int
    budget_atoms: int


NOTHING: Final = Size(0, 0, 0, 0)


def size_of(order: Order) -> Size:
    """An order as it is."""
    return Size(order.quantity_lots, order.leaves_lots, order.price_ticks, order.budget_atoms)


def set_trading_limits(run: Run, sent: system_pb2.SetTradingLimits) -> Callable[[], None]:
    """Sets or takes back limits."""
    if run.rules_version < limits.FULL_RULES:
        raise Refusal(R.REJECT_REASON_UNSUPPORTED)
    account = firm_account(run, sent.account_id)
    market = market_of_command(run, sent.market_id)
    wanted = from_message(sent)
    refuse_if(not are_in_bounds(wanted), R.REJECT_REASON_INVALID_PARAMETER)
    known, key = run.state.trading_limits, (account.account_id, market.market_id)
    if any(wanted):
        is_full = key not in known and len(known) >= limits.TRADING_LIMITS_MAX
        refuse_if(is_full, R.REJECT_REASON_CAPACITY)
        known[key] = wanted
    else:
        known.pop(key, None)
    return lambda: run.tell_system(trading_limits_set=sent)


def from_message(sent: system_pb2.SetTradingLimits) -> TradingLimits:
    """The limits of a command or a snapshot."""
    return TradingLimits(
        order_lots_max=sent.order_lots_max,
        order_notional_atoms_max=amounts.from_bytes(sent.order_notional_atoms_max),
        open_orders_max=sent.open_orders_max,
        open_lots_max=sent.open_lots_max,
        open_notional_atoms_max=amounts.from_bytes(sent.open_notional_atoms_max),
        position_atoms_max=amounts.from_bytes(sent.position_atoms_max),
    )


def are_in_bounds(wanted: TradingLimits) -> bool:
    """Whether an account may have them."""
    lots = wanted.order_lots_max, wanted.open_lots_max
    atoms = (
        wanted.order_notional_atoms_max,
        wanted.open_notional_atoms_max,
        wanted.position_atoms_max,
    )
    return (
        all(0 <= each <= limits.QUANTITY_LOTS_MAX for each in lots)
        and all(0 <= each <= limits.AMOUNT_ATOMS_MAX for each in atoms)
        and wanted.open_orders_max <= limits.OPEN_ORDERS_MAX
    )


def judge(
    run: Run,
    account: Account,
    market: Market,
    side: enums_pb2.Side.ValueType,
    now: Size,
    before: Order | None = None,
    *,
    stays: bool,
) -> None:
    """An order as it would be, in place of what it is; None when it is new.

    Raises ORDER_QUANTITY_LIMIT, ORDER_NOTIONAL_LIMIT, OPEN_ORDERS_LIMIT, OPEN_QUANTITY_LIMIT,
    OPEN_NOTIONAL_LIMIT, POSITION_LIMIT.
    """
    bounds = run.state.trading_limits.get((account.account_id, market.market_id))
    if bounds is None:
        return
    was = size_of(before) if before else NOTHING
    others = [
        order
        for order in account.orders.values()
        if order.market_id == market.market_id and order is not before
    ]
    judge_one(market, bounds, was, now)
    if stays:
        is_many = bounds.open_orders_max and len(others) >= bounds.open_orders_max
        refuse_if(bool(before is None and is_many), R.REJECT_REASON_OPEN_ORDERS_LIMIT)
        same_side = [order for order in others if order.side == side]
        judge_open(market, bounds, was, now, same_side, others)
    if side == BUY:
        has = run.state.balances.get((account.account_id, market.created.base_asset_id))
        atoms = has.available + has.held + has.in_flight if has else 0
        lots = now.leaves_lots + sum(o.leaves_lots for o in others if o.side == BUY)
        judge_figure(
            was.leaves_lots,
            now.leaves_lots,
            atoms + lots * market.lot_size,
            bounds.position_atoms_max,
            R.REJECT_REASON_POSITION_LIMIT,
        )


def judge_one(market: Market, bounds: TradingLimits, was: Size, now: Size) -> None:
    """The order alone."""
    judge_figure(
        was.quantity_lots,
        now.quantity_lots,
        now.quantity_lots,
        bounds.order_lots_max,
        R.REJECT_REASON_ORDER_QUANTITY_LIMIT,
    )
    total = notional_of(now, now.quantity_lots, market)
    judge_figure(
        notional_of(was, was.quantity_lots, market),
        total,
        total,
        bounds.order_notional_atoms_max,
        R.REJECT_REASON_ORDER_NOTIONAL_LIMIT,
    )


def judge_open(
    market: Market,
    bounds: TradingLimits,
    was: Size,
    now: Size,
    same_side: list[Order],
    others: list[Order],
) -> None:
    """The order with all that is open besides."""
    judge_figure(
        was.leaves_lots,
        now.leaves_lots,
        now.leaves_lots + sum(order.leaves_lots for order in same_side),
        bounds.open_lots_max,
        R.REJECT_REASON_OPEN_QUANTITY_LIMIT,
    )
    open_notional = notional_of(now, now.leaves_lots, market)
    besides = sum(notional_of(size_of(order), order.leaves_lots, market) for order in others)
    judge_figure(
        notional_of(was, was.leaves_lots, market),
        open_notional,
        open_notional + besides,
        bounds.open_notional_atoms_max,
        R.REJECT_REASON_OPEN_NOTIONAL_LIMIT,
    )


def notional_of(size: Size, lots: int, market: Market) -> int:
    """What so many lots of an order cost, or its budget, in quote atoms."""
    return size.price_ticks * lots * market.tick_value + size.budget_atoms


def judge_figure(
    before: int, after: int, told: int, most: int, reason: enums_pb2.RejectReason.ValueType
) -> None:
    """Raises a refusal when what grows leads beyond a limit; 0 = none."""
    refuse_if(most != 0 and after > before and told > most, reason)
