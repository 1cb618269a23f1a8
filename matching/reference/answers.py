"""Answers that repeat or refuse: how each kind of command is told. Section 3."""

from typing import Any

from cambist.orders.v1 import enums_pb2, events_pb2
from matching.reference import amounts
from matching.reference.errors import Refusal
from matching.reference.run import Run
from matching.reference.types import Key

MONEY_KINDS = {
    "transfer": events_pb2.MONEY_KIND_TRANSFER_OUT,
    "request_withdrawal": events_pb2.MONEY_KIND_WITHDRAWAL_REQUESTED,
}


def refuse(
    run: Run, account_id: int, name: str, sent: Any, refusal: Refusal, **repeat: Any
) -> None:
    """The refusal of a command; `repeat` holds the fields of a repeated one."""
    fields: dict[str, Any] = {"reject_reason": refusal.reason, **repeat}
    if name in MONEY_KINDS:
        run.tell(account_id, money_report=money_report(name, sent, **fields))
        return
    fields["phase"] = refusal.phase
    if name in ("new_order", "replace"):
        order = sent if name == "new_order" else sent.new_order
        report = events_pb2.ExecutionReport(
            cl_ord_id=order.cl_ord_id,
            market_id=order.market_id,
            exec_type=enums_pb2.EXEC_TYPE_REJECTED,
            side=order.side,
            **fields,
        )
        run.tell(account_id, execution_report=report)
        return
    if name in ("cancel", "amend"):
        fields |= {"orig_cl_ord_id": sent.orig_cl_ord_id, "order_id": sent.order_id}
    request_id = sent.id if name == "resolve" else sent.request_id
    reject = events_pb2.CancelReject(request_id=request_id, **fields)
    run.tell(account_id, cancel_reject=reject)


def money_report(name: str, sent: Any, **fields: Any) -> events_pb2.MoneyReport:
    """The report of a money command with the amounts of its body."""
    if name == "request_withdrawal":
        fields["fee_atoms"] = same_amount(sent.fee_atoms)
    return events_pb2.MoneyReport(
        kind=MONEY_KINDS[name],
        id=sent.request_id,
        asset_id=sent.asset_id,
        amount_atoms=same_amount(sent.amount_atoms),
        **fields,
    )


def same_amount(raw: bytes) -> bytes:
    """An amount as it is told: zero is absent."""
    return amounts.to_bytes(amounts.from_bytes(raw))


def repeat_answer(run: Run, account_id: int, name: str, sent: Any, key: Key) -> None:
    """The first answer again. It says what the body said, and changes nothing."""
    fields: dict[str, Any] = {"repeat": True, "first_answer_seq": key.answer_seq}
    if key.reason:
        phase: Any = key.detail if key.reason == enums_pb2.REJECT_REASON_PHASE else 0
        refuse(run, account_id, name, sent, Refusal(key.reason, phase), **fields)
    elif name in MONEY_KINDS:
        run.tell(account_id, money_report=money_report(name, sent, **fields))
    elif name in ("mass_cancel", "cancel_all_after"):
        report = events_pb2.MassCancelReport(
            request_id=sent.request_id, affected_count=key.detail, **fields
        )
        run.tell(account_id, mass_cancel_report=report)
    else:
        sent = sent.new_order if name == "replace" else sent
        run.tell(account_id, execution_report=repeated_report(name, sent, key, fields))


def repeated_report(
    name: str, sent: Any, key: Key, fields: dict[str, Any]
) -> events_pb2.ExecutionReport:
    """Of an accepted NewOrder, Cancel or Amend."""
    if name in ("new_order", "replace"):
        return events_pb2.ExecutionReport(
            cl_ord_id=sent.cl_ord_id,
            order_id=key.order_id,
            market_id=sent.market_id,
            exec_type=enums_pb2.EXEC_TYPE_NEW,
            side=sent.side,
            price_ticks=sent.price_ticks,
            quantity_lots=sent.quantity_lots,
            order_type=sent.order_type,
            time_in_force=sent.time_in_force,
            tag=sent.tag,
            expire_time_ns=sent.expire_time_ns,
            quote_budget_atoms=same_amount(sent.quote_budget_atoms),
            trigger_price_ticks=sent.trigger_price_ticks,
            trailing_offset_ticks=sent.trailing_offset_ticks,
            trailing_offset_ppm=sent.trailing_offset_ppm,
            display_lots=sent.display_lots,
            **fields,
        )
    if name == "cancel":
        fields |= {
            "exec_type": enums_pb2.EXEC_TYPE_CANCELED,
            "cancel_reason": enums_pb2.CANCEL_REASON_REQUESTED,
        }
    else:
        fields |= {
            "exec_type": enums_pb2.EXEC_TYPE_REPLACED,
            "price_ticks": sent.price_ticks,
            "quantity_lots": sent.quantity_lots,
        }
    return events_pb2.ExecutionReport(
        cl_ord_id=sent.orig_cl_ord_id,
        request_id=sent.request_id,
        order_id=key.order_id,
        **fields,
    )
