"""What an order may be: the checks that NewOrder and Amend share. Sections 4 and 6."""

from cambist.orders.v1 import commands_pb2, enums_pb2
from matching.reference import limits
from matching.reference.errors import Refusal
from matching.reference.run import Run
from matching.reference.state import BUY, PPM, Market
from matching.reference.types import Account, Session

CONTINUOUS = enums_pb2.MARKET_PHASE_CONTINUOUS
POST_ONLY = enums_pb2.MARKET_PHASE_POST_ONLY
CANCEL_ONLY = enums_pb2.MARKET_PHASE_CANCEL_ONLY


def refuse_if(
    condition: bool,
    reason: enums_pb2.RejectReason.ValueType,
) -> None:
    """Raises Refusal(reason) when the condition holds."""
    if condition:
        raise Refusal(reason)


def by_phase(phase: enums_pb2.MarketPhase.ValueType) -> Refusal:
    """The refusal that names a phase."""
    return Refusal(enums_pb2.REJECT_REASON_PHASE, phase)


def market_of_command(run: Run, market_id: int) -> Market:
    """Raises WRONG_SHARD, UNKNOWN_MARKET."""
    refuse_if(market_id >> 16 != run.state.shard, enums_pb2.REJECT_REASON_WRONG_SHARD)
    market = run.state.markets.get(market_id)
    if market is None:
        raise Refusal(enums_pb2.REJECT_REASON_UNKNOWN_MARKET)
    return market


def judge_rights(run: Run, account: Account, market: Market, session: Session | None) -> None:
    """Raises MARKET_NOT_PERMITTED, ACCOUNT_FROZEN, KILLED."""
    if session is not None and session.market_ids:
        refuse_if(
            market.market_id not in session.market_ids,
            enums_pb2.REJECT_REASON_MARKET_NOT_PERMITTED,
        )
    refuse_if(account.frozen, enums_pb2.REJECT_REASON_ACCOUNT_FROZEN)
    is_killed = run.state.is_killed(account) or market.killed or market.clearing
    refuse_if(is_killed, enums_pb2.REJECT_REASON_KILLED)


def judge_price(market: Market, price_ticks: int) -> None:
    """Raises INVALID_PRICE, OFF_TICK."""
    in_range = 1 <= price_ticks <= limits.PRICE_TICKS_MAX
    refuse_if(not in_range, enums_pb2.REJECT_REASON_INVALID_PRICE)
    step = market.parameters.price_step_ticks
    refuse_if(price_ticks % step != 0, enums_pb2.REJECT_REASON_OFF_TICK)


def edge_of(market: Market, side: enums_pb2.Side.ValueType) -> int:
    """The worst price that the static band leaves to a side; 0 = any."""
    reference, ppm = market.reference_price_ticks, market.parameters.static_band_ppm
    if not (reference and ppm):
        return 0
    distance = reference * ppm // PPM
    return reference + distance if side == BUY else reference - distance


def judge_band(market: Market, side: enums_pb2.Side.ValueType, price_ticks: int) -> None:
    """Raises OUTSIDE_PRICE_BAND."""
    edge = edge_of(market, side)
    is_beyond = price_ticks > edge if side == BUY else price_ticks < edge
    refuse_if(bool(edge and is_beyond), enums_pb2.REJECT_REASON_OUTSIDE_PRICE_BAND)


def judge_quantity(market: Market, quantity_lots: int) -> None:
    """Raises INVALID_QUANTITY, OFF_LOT, QUANTITY_BELOW_MINIMUM, QUANTITY_ABOVE_MAXIMUM."""
    in_range = 1 <= quantity_lots <= limits.QUANTITY_LOTS_MAX
    refuse_if(not in_range, enums_pb2.REJECT_REASON_INVALID_QUANTITY)
    parameters = market.parameters
    is_off = quantity_lots % parameters.quantity_step_lots != 0
    refuse_if(is_off, enums_pb2.REJECT_REASON_OFF_LOT)
    is_below = quantity_lots < parameters.minimum_quantity_lots
    refuse_if(is_below, enums_pb2.REJECT_REASON_QUANTITY_BELOW_MINIMUM)
    is_above = quantity_lots > parameters.maximum_quantity_lots
    refuse_if(is_above, enums_pb2.REJECT_REASON_QUANTITY_ABOVE_MAXIMUM)


def judge_display(market: Market, display_lots: int) -> None:
    """Raises OFF_LOT."""
    is_off = display_lots % market.parameters.quantity_step_lots != 0
    refuse_if(is_off, enums_pb2.REJECT_REASON_OFF_LOT)


def judge_notional(market: Market, price_ticks: int | None, quantity_lots: int) -> None:
    """Raises NOTIONAL_OVERFLOW, NOTIONAL_BELOW_MINIMUM, NOTIONAL_ABOVE_MAXIMUM."""
    base = quantity_lots * market.lot_size
    refuse_if(base > limits.AMOUNT_ATOMS_MAX, enums_pb2.REJECT_REASON_NOTIONAL_OVERFLOW)
    if price_ticks is None:
        return
    notional = price_ticks * quantity_lots * market.tick_value
    refuse_if(notional > limits.AMOUNT_ATOMS_MAX, enums_pb2.REJECT_REASON_NOTIONAL_OVERFLOW)
    parameters = market.parameters
    is_below = notional < parameters.minimum_notional_atoms
    refuse_if(is_below, enums_pb2.REJECT_REASON_NOTIONAL_BELOW_MINIMUM)
    is_above = 0 < parameters.maximum_notional_atoms < notional
    refuse_if(is_above, enums_pb2.REJECT_REASON_NOTIONAL_ABOVE_MAXIMUM)


def is_post_only(market: Market, *, post_only: bool) -> bool:
    """Whether an order must not trade on entry."""
    return post_only or market.phase == POST_ONLY


def has_later_features(order: commands_pb2.NewOrder) -> bool:
    """Whether an order asks for what no rules version carries out yet."""
    return bool(order.hidden or order.peg_offset_ticks)
