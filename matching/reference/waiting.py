"""Orders that wait for a price: what they may be. docs/semantics/triggers.md, sections 3 and 6.

Called by `new_order` and `requests`; `triggers` lets them see prices.
"""

from typing import Final

from cambist.orders.v1 import commands_pb2, enums_pb2
from matching.reference import amounts, limits
from matching.reference.order_checks import (
    judge_band,
    judge_notional,
    judge_price,
    judge_quantity,
    refuse_if,
)
from matching.reference.state import BUY, Market
from matching.reference.types import Order

GTC, IOC = enums_pb2.TIME_IN_FORCE_GTC, enums_pb2.TIME_IN_FORCE_IOC
GTD, DAY = enums_pb2.TIME_IN_FORCE_GTD, enums_pb2.TIME_IN_FORCE_DAY
RESTING: Final = (GTC, GTD, DAY)  # orders with these may rest
STOPS: Final = frozenset({enums_pb2.ORDER_TYPE_STOP, enums_pb2.ORDER_TYPE_STOP_LIMIT})
TRAILING: Final = enums_pb2.ORDER_TYPE_TRAILING_STOP
TAKERS_OF_PROFIT: Final = frozenset(
    {enums_pb2.ORDER_TYPE_TAKE_PROFIT, enums_pb2.ORDER_TYPE_TAKE_PROFIT_LIMIT}
)
TYPES: Final = STOPS | TAKERS_OF_PROFIT | {TRAILING}
LIMIT_KINDS: Final = frozenset(
    {enums_pb2.ORDER_TYPE_STOP_LIMIT, enums_pb2.ORDER_TYPE_TAKE_PROFIT_LIMIT}
)


def has_trigger(sent: commands_pb2.NewOrder) -> bool:
    """Whether an order names a trigger of any kind."""
    return bool(sent.trigger_price_ticks or sent.trailing_offset_ticks or sent.trailing_offset_ppm)


def judge_combination(sent: commands_pb2.NewOrder) -> None:
    """Check 6 of waiting types. Raises INVALID_COMBINATION."""
    offsets = bool(sent.trailing_offset_ticks) + bool(sent.trailing_offset_ppm)
    if sent.order_type == TRAILING:
        is_wrong = sent.trigger_price_ticks != 0 or offsets != 1
    else:
        is_wrong = offsets != 0
    refuse_if(
        is_wrong
        or sent.post_only
        or sent.minimum_lots != 0
        or sent.display_lots != 0
        or (sent.expire_time_ns != 0 and sent.time_in_force != GTD)
        or not _pays_rightly(sent),
        enums_pb2.REJECT_REASON_INVALID_COMBINATION,
    )


def _pays_rightly(sent: commands_pb2.NewOrder) -> bool:
    """Whether time in force, price, quantity and budget go together."""
    has_budget = amounts.from_bytes(sent.quote_budget_atoms) != 0
    if sent.order_type in LIMIT_KINDS:
        return sent.time_in_force in (*RESTING, IOC) and not has_budget
    if sent.time_in_force not in RESTING:
        return False
    if sent.side != BUY:
        return not has_budget
    if has_budget:
        decrements = sent.self_trade_prevention == enums_pb2.SELF_TRADE_PREVENTION_DECREMENT
        return sent.quantity_lots == 0 and sent.price_ticks == 0 and not decrements
    return sent.price_ticks != 0


def judge_amounts(market: Market, sent: commands_pb2.NewOrder) -> None:
    """Checks 7 to 9 of waiting types: trigger, price, quantity, notional."""
    if sent.order_type == TRAILING:
        in_range = (
            0 <= sent.trailing_offset_ticks <= limits.PRICE_TICKS_MAX
            and sent.trailing_offset_ppm <= limits.TRAILING_PPM_MAX
        )
        refuse_if(not in_range, enums_pb2.REJECT_REASON_INVALID_PRICE)
    else:
        judge_price(market, sent.trigger_price_ticks)
    if sent.price_ticks or sent.order_type in LIMIT_KINDS:
        judge_price(market, sent.price_ticks)
        judge_band(market, sent.side, sent.price_ticks)
    budget = amounts.from_bytes(sent.quote_budget_atoms)
    if budget:
        in_range = 1 <= budget <= limits.AMOUNT_ATOMS_MAX
        refuse_if(not in_range, enums_pb2.REJECT_REASON_INVALID_QUANTITY)
        return
    judge_quantity(market, sent.quantity_lots)
    judge_notional(market, sent.price_ticks or None, sent.quantity_lots)


def judge_amendment(order: Order, sent: commands_pb2.Amend) -> None:
    """What a waiting order does not have cannot be amended. Raises INVALID_COMBINATION."""
    is_wrong = (sent.price_ticks != 0 and order.price_ticks == 0) or (
        sent.quantity_lots != 0 and order.budget_atoms != 0
    )
    refuse_if(is_wrong, enums_pb2.REJECT_REASON_INVALID_COMBINATION)
