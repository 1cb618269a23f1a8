"""Which private event answers which command, and the client log's record of an event."""

from dataclasses import dataclass

from cambist.orders.v1 import enums_pb2, events_pb2
from venue import client_log
from venue.client_log import Record

EXECUTION_CODES = {
    int(enums_pb2.EXEC_TYPE_NEW): client_log.ACCEPTED,
    int(enums_pb2.EXEC_TYPE_TRADE): client_log.FILLED,
    int(enums_pb2.EXEC_TYPE_CANCELED): client_log.CANCELED,
    int(enums_pb2.EXEC_TYPE_REPLACED): client_log.REPLACED,
    int(enums_pb2.EXEC_TYPE_REJECTED): client_log.REFUSED,
    int(enums_pb2.EXEC_TYPE_EXPIRED): client_log.EXPIRED,
    int(enums_pb2.EXEC_TYPE_RESTATED): client_log.RESTATED,
}
REQUESTED_MONEY = frozenset(
    {
        int(events_pb2.MONEY_KIND_TRANSFER_OUT),
        int(events_pb2.MONEY_KIND_WITHDRAWAL_REQUESTED),
    }
)
NO_ID = bytes(16)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command was told."""

    id: bytes
    is_accepted: bool
    is_repeat: bool


def record_of(event: events_pb2.PrivateEvent) -> Record:
    """The event as a client writes it down."""
    which = event.WhichOneof("event")
    head = event.account_id, event.account_seq, event.seq
    if which == "execution_report":
        return _execution(head, event.execution_report)
    if which == "cancel_reject":
        reject = event.cancel_reject
        return client_log.event(
            client_log.REFUSED + _repeat(reject.repeat),
            *head,
            reason=reject.reject_reason,
            order_id=reject.order_id,
            id=reject.request_id,
        )
    if which == "mass_cancel_report":
        mass = event.mass_cancel_report
        return client_log.event(
            client_log.MASS_CANCELED + _repeat(mass.repeat),
            *head,
            lots=mass.affected_count,
            request_id=mass.request_id,
        )
    if which == "resolve_report":
        resolved = event.resolve_report
        return client_log.event(
            client_log.RESOLVED,
            *head,
            reason=resolved.state,
            order_id=resolved.order_id,
            id=resolved.id,
        )
    if which == "money_report":
        money = event.money_report
        return client_log.event(
            client_log.MONEY + _repeat(money.repeat),
            *head,
            reason=money.reject_reason,
            market_id=money.kind,
            lots=money.asset_id,
            amount_atoms=int.from_bytes(money.amount_atoms, "little", signed=True),
            request_id=money.id,
        )
    if which == "prevented_match":
        match = event.prevented_match
        return client_log.event(
            client_log.PREVENTED,
            *head,
            market_id=match.market_id,
            order_id=match.order_id,
            lots=match.quantity_lots,
            price_ticks=match.price_ticks,
        )
    return client_log.event(client_log.STATUS, *head)


def _repeat(is_repeat: bool) -> int:
    return client_log.REPEAT if is_repeat else 0


def _execution(head: tuple[int, int, int], report: events_pb2.ExecutionReport) -> Record:
    code = EXECUTION_CODES.get(int(report.exec_type), 0)
    is_fill = code == client_log.FILLED
    if code == client_log.REFUSED:
        return client_log.event(
            code + _repeat(report.repeat),
            *head,
            reason=report.reject_reason,
            market_id=report.market_id,
            id=report.cl_ord_id,
        )
    return client_log.event(
        code + _repeat(report.repeat),
        *head,
        reason=report.cancel_reason,
        market_id=report.market_id,
        order_id=report.order_id,
        leaves_lots=report.leaves_lots,
        cum_lots=report.cum_lots,
        lots=report.last_lots if is_fill else report.quantity_lots,
        price_ticks=report.last_price_ticks if is_fill else report.price_ticks,
        trade_id=report.trade_id,
        amount_atoms=int.from_bytes(report.fee_atoms, "little", signed=True),
        id=report.cl_ord_id,
        request_id=report.request_id,
    )


def answer_of(record: Record) -> Answer | None:
    """Which command this event answers, if any. A Resolve answers for its own question only."""
    code = record.code & ~client_log.REPEAT
    is_repeat = bool(record.code & client_log.REPEAT)
    if code == client_log.ACCEPTED:
        return Answer(record.id, True, is_repeat)
    if code == client_log.REFUSED:
        return Answer(record.id, False, is_repeat)
    if code in (client_log.CANCELED, client_log.REPLACED):
        return Answer(record.request_id, True, is_repeat) if record.request_id != NO_ID else None
    if code == client_log.MASS_CANCELED:
        return Answer(record.request_id, True, is_repeat)
    if code == client_log.MONEY and record.market_id in REQUESTED_MONEY:
        return Answer(record.request_id, record.reason == 0, is_repeat)
    return None
