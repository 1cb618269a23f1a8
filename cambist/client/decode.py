"""Private events of the contract to the SDK's values. Pure; called by sessions and drop copies."""

from collections.abc import Callable
from typing import TypeAlias

from cambist.client.amounts import atoms_from_bytes
from cambist.client.enums import (
    CancelReason,
    Liquidity,
    MarketPhase,
    MoneyKind,
    OrderType,
    RejectReason,
    ResolveState,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from cambist.client.events import (
    Accepted,
    AccountStatus,
    Canceled,
    Event,
    Expired,
    Filled,
    MassCanceled,
    MatchPrevented,
    MoneyMoved,
    Refused,
    Replaced,
    Resolved,
    Restated,
    Triggered,
)
from cambist.orders.v1 import enums_pb2, events_pb2

Head: TypeAlias = tuple[int, int, int, int, int]
Report: TypeAlias = events_pb2.ExecutionReport

# Looked up once: an enum's call costs more than the rest of an event.
SIDES = {int(side): side for side in Side}
LIQUIDITIES = {int(liquidity): liquidity for liquidity in Liquidity}


def decode_event(event: events_pb2.PrivateEvent) -> Event | None:
    """The value of an event; None for a kind that a newer venue has added."""
    head = (
        event.seq,
        event.account_seq,
        event.account_id,
        event.received_ns,
        event.sequenced_ns,
    )
    kind = event.WhichOneof("event")
    if kind == "execution_report":
        report = event.execution_report
        decode = EXECUTIONS.get(report.exec_type)
        return None if decode is None else decode(head, report)
    other = OTHERS.get(kind or "")
    return None if other is None else other(head, event)


def accepted(head: Head, report: Report) -> Accepted:
    """NEW."""
    return Accepted(
        *head,
        report.cl_ord_id,
        report.order_id,
        report.market_id,
        SIDES.get(report.side, Side.UNSPECIFIED),
        report.price_ticks,
        report.quantity_lots,
        report.leaves_lots,
        report.cum_lots,
        OrderType(report.order_type),
        TimeInForce(report.time_in_force),
        report.tag,
        report.expire_time_ns,
        atoms_from_bytes(report.quote_budget_atoms),
        report.public_order_id,
        report.repeat,
        report.first_answer_seq,
        report.trigger_price_ticks,
        report.trailing_offset_ticks,
        report.trailing_offset_ppm,
        report.display_lots,
    )


def triggered(head: Head, report: Report) -> Triggered:
    """TRIGGERED."""
    return Triggered(
        *head,
        report.cl_ord_id,
        report.order_id,
        report.market_id,
        SIDES.get(report.side, Side.UNSPECIFIED),
        report.price_ticks,
        report.quantity_lots,
        report.leaves_lots,
        OrderType(report.order_type),
        TimeInForce(report.time_in_force),
        report.public_order_id,
        report.trigger_price_ticks,
        report.last_price_ticks,
    )


def filled(head: Head, report: Report) -> Filled:
    """TRADE."""
    return Filled(
        *head,
        report.cl_ord_id,
        report.order_id,
        report.market_id,
        SIDES.get(report.side, Side.UNSPECIFIED),
        report.last_lots,
        report.last_price_ticks,
        report.leaves_lots,
        report.cum_lots,
        atoms_from_bytes(report.cum_tick_lots),
        atoms_from_bytes(report.fee_atoms),
        report.fee_asset_id,
        LIQUIDITIES.get(report.liquidity, Liquidity.UNSPECIFIED),
        report.trade_id,
    )


def canceled(head: Head, report: Report) -> Canceled:
    """CANCELED."""
    return Canceled(
        *head,
        report.cl_ord_id,
        report.order_id,
        report.market_id,
        SIDES.get(report.side, Side.UNSPECIFIED),
        CancelReason(report.cancel_reason),
        report.request_id,
        report.quantity_lots,
        report.cum_lots,
        report.repeat,
        report.first_answer_seq,
    )


def replaced(head: Head, report: Report) -> Replaced:
    """REPLACED."""
    return Replaced(
        *head,
        report.cl_ord_id,
        report.order_id,
        report.market_id,
        SIDES.get(report.side, Side.UNSPECIFIED),
        report.request_id,
        report.price_ticks,
        report.quantity_lots,
        report.leaves_lots,
        report.cum_lots,
        report.public_order_id,
        report.repeat,
        report.first_answer_seq,
        report.display_lots,
    )


def refused(head: Head, report: Report) -> Refused:
    """REJECTED."""
    return Refused(
        *head,
        id=report.cl_ord_id,
        reason=RejectReason(report.reject_reason),
        market_id=report.market_id,
        order_id=report.order_id,
        phase=MarketPhase(report.phase),
        repeat=report.repeat,
        first_answer_seq=report.first_answer_seq,
    )


def expired(head: Head, report: Report) -> Expired:
    """EXPIRED."""
    return Expired(
        *head,
        report.cl_ord_id,
        report.order_id,
        report.market_id,
        SIDES.get(report.side, Side.UNSPECIFIED),
        report.quantity_lots,
        report.cum_lots,
    )


def restated(head: Head, report: Report) -> Restated:
    """RESTATED."""
    return Restated(
        *head,
        report.cl_ord_id,
        report.order_id,
        report.market_id,
        SIDES.get(report.side, Side.UNSPECIFIED),
        report.quantity_lots,
        report.leaves_lots,
        report.cum_lots,
        report.last_lots,
        report.public_order_id,
    )


def cancel_reject(head: Head, event: events_pb2.PrivateEvent) -> Refused:
    """CancelReject."""
    reject = event.cancel_reject
    return Refused(
        *head,
        id=reject.request_id,
        reason=RejectReason(reject.reject_reason),
        orig_cl_ord_id=reject.orig_cl_ord_id,
        order_id=reject.order_id,
        phase=MarketPhase(reject.phase),
        repeat=reject.repeat,
        first_answer_seq=reject.first_answer_seq,
    )


def mass_canceled(head: Head, event: events_pb2.PrivateEvent) -> MassCanceled:
    """MassCancelReport."""
    report = event.mass_cancel_report
    return MassCanceled(
        *head, report.request_id, report.affected_count, report.repeat, report.first_answer_seq
    )


def resolved(head: Head, event: events_pb2.PrivateEvent) -> Resolved:
    """ResolveReport."""
    report = event.resolve_report
    return Resolved(
        *head,
        report.id,
        ResolveState(report.state),
        report.order_id,
        report.cum_lots,
        report.leaves_lots,
        RejectReason(report.reject_reason),
        report.first_answer_seq,
    )


def match_prevented(head: Head, event: events_pb2.PrivateEvent) -> MatchPrevented:
    """PreventedMatch."""
    match = event.prevented_match
    return MatchPrevented(
        *head,
        match.market_id,
        match.order_id,
        SIDES.get(match.side, Side.UNSPECIFIED),
        match.price_ticks,
        match.quantity_lots,
        SelfTradePrevention(match.mode),
        LIQUIDITIES.get(match.liquidity, Liquidity.UNSPECIFIED),
    )


def money_moved(head: Head, event: events_pb2.PrivateEvent) -> MoneyMoved | Refused:
    """MoneyReport; a refusal of a transfer or withdrawal is Refused."""
    report = event.money_report
    if report.reject_reason:
        return Refused(
            *head,
            id=report.id,
            reason=RejectReason(report.reject_reason),
            repeat=report.repeat,
            first_answer_seq=report.first_answer_seq,
        )
    return MoneyMoved(
        *head,
        MoneyKind(report.kind),
        report.id,
        report.asset_id,
        atoms_from_bytes(report.amount_atoms),
        atoms_from_bytes(report.fee_atoms),
        report.counterparty_account_id,
        report.repeat,
        report.first_answer_seq,
    )


def account_status(head: Head, event: events_pb2.PrivateEvent) -> AccountStatus:
    """AccountStatusReport."""
    report = event.account_status_report
    return AccountStatus(*head, report.open_orders_max, report.frozen, report.killed)


EXECUTIONS: dict[int, Callable[[Head, Report], Event]] = {
    enums_pb2.EXEC_TYPE_NEW: accepted,
    enums_pb2.EXEC_TYPE_TRADE: filled,
    enums_pb2.EXEC_TYPE_CANCELED: canceled,
    enums_pb2.EXEC_TYPE_REPLACED: replaced,
    enums_pb2.EXEC_TYPE_REJECTED: refused,
    enums_pb2.EXEC_TYPE_EXPIRED: expired,
    enums_pb2.EXEC_TYPE_RESTATED: restated,
    enums_pb2.EXEC_TYPE_TRIGGERED: triggered,
}
OTHERS: dict[str, Callable[[Head, events_pb2.PrivateEvent], Event]] = {
    "cancel_reject": cancel_reject,
    "mass_cancel_report": mass_canceled,
    "resolve_report": resolved,
    "prevented_match": match_prevented,
    "money_report": money_moved,
    "account_status_report": account_status,
}
