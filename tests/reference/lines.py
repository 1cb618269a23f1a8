"""Events as short lines, so that a test shows what is told as a reader would write it down.

Each line has what the page says of its event; `test_order_events` compares whole messages.
"""

from typing import Any

from cambist.internal.journal.v1 import frames_pb2
from cambist.market_data.v1 import events_pb2 as market_events
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.differential.flow.messages import atoms


def name_of(enum: Any, prefix: str, number: int) -> str:
    """The name of a number without the enum's prefix."""
    name: str = enum.Name(number)
    return name.removeprefix(prefix + "_")


def reason_name(number: int) -> str:
    """The name of a reject reason; "" when there is none."""
    return name_of(enums.RejectReason, "REJECT_REASON", number) if number else ""


def phase_name(number: int) -> str:
    """The name of a phase."""
    return name_of(enums.MarketPhase, "MARKET_PHASE", number)


def report(told: events.ExecutionReport) -> str:
    """An execution report."""
    kind = name_of(enums.ExecType, "EXEC_TYPE", told.exec_type)
    priced = f"{told.quantity_lots}@{told.price_ticks}"
    match told.exec_type:
        case enums.EXEC_TYPE_REJECTED:
            line = f"{kind} {_refusal(told)}"
        case enums.EXEC_TYPE_NEW:
            line = f"{kind} {priced}"
        case enums.EXEC_TYPE_TRADE:
            liquidity = name_of(enums.Liquidity, "LIQUIDITY", told.liquidity)
            line = (
                f"{kind} {told.last_lots}@{told.last_price_ticks} {liquidity} "
                f"leaves {told.leaves_lots} fee {atoms(told.fee_atoms)}"
            )
        case enums.EXEC_TYPE_CANCELED:
            reason = name_of(enums.CancelReason, "CANCEL_REASON", told.cancel_reason)
            line = f"{kind} {reason} {told.quantity_lots} cum {told.cum_lots}"
        case enums.EXEC_TYPE_EXPIRED:
            line = f"{kind} {told.quantity_lots} cum {told.cum_lots}"
        case enums.EXEC_TYPE_TRIGGERED:
            line = f"{kind} {priced} at {told.trigger_price_ticks} by {told.last_price_ticks}"
        case enums.EXEC_TYPE_REPLACED:
            line = f"{kind} {priced} leaves {told.leaves_lots} cum {told.cum_lots}"
        case _:
            line = f"{kind} {told.quantity_lots} leaves {told.leaves_lots} by {told.last_lots}"
    return _with_repeat(line, told)


def _refusal(told: Any) -> str:
    phase = f" {phase_name(told.phase)}" if told.phase else ""
    return reason_name(told.reject_reason) + phase


def _with_repeat(line: str, told: Any) -> str:
    return f"{line} repeat of {told.first_answer_seq}" if told.repeat else line


def private(event: events.PrivateEvent) -> str:
    """A private event."""
    match event.WhichOneof("event"):
        case "execution_report":
            return report(event.execution_report)
        case "cancel_reject":
            told = event.cancel_reject
            return _with_repeat(f"CANCEL REJECTED {_refusal(told)}", told)
        case "mass_cancel_report":
            mass = event.mass_cancel_report
            return _with_repeat(f"MASS CANCEL {mass.affected_count}", mass)
        case "resolve_report":
            resolved = event.resolve_report
            return name_of(enums.ResolveState, "RESOLVE_STATE", resolved.state)
        case "prevented_match":
            match_ = event.prevented_match
            liquidity = name_of(enums.Liquidity, "LIQUIDITY", match_.liquidity)
            mode = name_of(enums.SelfTradePrevention, "SELF_TRADE_PREVENTION", match_.mode)
            return f"PREVENTED {match_.quantity_lots}@{match_.price_ticks} {liquidity} {mode}"
        case "money_report":
            return _money(event.money_report)
        case _:
            status = event.account_status_report
            flags = [name for name in ("frozen", "killed") if getattr(status, name)]
            return " ".join(["STATUS", str(status.open_orders_max), *flags])


def _money(told: events.MoneyReport) -> str:
    kind = name_of(events.MoneyKind, "MONEY_KIND", told.kind)
    line = f"{kind} {atoms(told.amount_atoms)}"
    if told.fee_atoms:
        line += f" fee {atoms(told.fee_atoms)}"
    if told.reject_reason:
        line += f" {reason_name(told.reject_reason)}"
    return _with_repeat(line, told)


def l3(event: market_events.L3Event) -> str:
    """An event of a book."""
    action = name_of(market_events.L3Action, "L3_ACTION", event.action)
    match event.action:
        case market_events.L3_ACTION_ADD:
            side = name_of(enums.Side, "SIDE", event.side)
            return f"{action} {event.public_order_id} {side} {event.quantity_lots}@" + str(
                event.price_ticks
            )
        case market_events.L3_ACTION_DELETE:
            return f"{action} {event.public_order_id}"
        case market_events.L3_ACTION_PHASE:
            return f"{action} {phase_name(event.phase)}"
        case _:
            return f"{action} {event.public_order_id} {event.quantity_lots}"


def session(event: events.SessionEvent) -> str:
    """An event of a session."""
    match event.WhichOneof("event"):
        case "opened":
            opened = event.opened
            return f"opened {opened.last_order_seq_no} {opened.last_cancel_seq_no}"
        case "applied":
            applied = event.applied
            return f"applied {_class(applied)} {applied.first_seq_no}+{applied.count}"
        case "not_applied":
            gap = event.not_applied
            if gap.reason:
                return f"not applied {_class(gap)} {reason_name(gap.reason)}"
            return f"not applied {_class(gap)} {gap.from_seq_no}+{gap.count}"
        case "refused":
            refused = event.refused
            reason = reason_name(refused.reason)
            return f"refused {_class(refused)} {refused.seq_no} {reason}"
        case "over":
            return f"over {'by client' if event.over.by_client else 'by venue'}"
        case _:
            return "dropped"


def _class(told: Any) -> str:
    return name_of(enums.CommandClass, "COMMAND_CLASS", told.command_class)


def system(event: frames_pb2.SystemEvent) -> str:
    """An event of the venue: the answer's reason, or the name of the event."""
    if event.WhichOneof("event") == "answer":
        return f"answer {reason_name(event.answer.reason)}".rstrip()
    return event.WhichOneof("event") or ""
