"""Which refusals of the engine are faults of a unary call, and with which code.

The table of the protocol: everything else is a field of an answer with status OK.
"""

from typing import Final

import grpc

from cambist.orders.v1 import enums_pb2, events_pb2
from gateway.errors import Rejected
from runtime.rpc_errors import Fault

_CODES: Final[dict[int, grpc.StatusCode]] = {
    enums_pb2.REJECT_REASON_ID_REUSED: grpc.StatusCode.ALREADY_EXISTS,
    enums_pb2.REJECT_REASON_UNKNOWN_ORDER: grpc.StatusCode.NOT_FOUND,
    enums_pb2.REJECT_REASON_UNKNOWN_ACCOUNT: grpc.StatusCode.NOT_FOUND,
    enums_pb2.REJECT_REASON_FOREIGN_ACCOUNT: grpc.StatusCode.NOT_FOUND,
    enums_pb2.REJECT_REASON_ACCOUNT_NOT_PERMITTED: grpc.StatusCode.PERMISSION_DENIED,
    enums_pb2.REJECT_REASON_MARKET_NOT_PERMITTED: grpc.StatusCode.PERMISSION_DENIED,
    enums_pb2.REJECT_REASON_STALE: grpc.StatusCode.FAILED_PRECONDITION,
    enums_pb2.REJECT_REASON_SENT_TIME_AHEAD: grpc.StatusCode.FAILED_PRECONDITION,
    enums_pb2.REJECT_REASON_EXPIRED: grpc.StatusCode.FAILED_PRECONDITION,
}


def fault_of_reason(reason: int, identifier: bytes) -> Rejected | None:
    """The fault for a reason; None when it is told as a field."""
    code = _CODES.get(reason)
    if code is None:
        return None
    name = reason_name(reason)
    text = f"{name.lower().replace('_', ' ')}"
    return Rejected(Fault(code, name, text, {"id": identifier.hex()}))


def reason_name(reason: int) -> str:
    """A reason's name as the contract's tables have it."""
    if reason not in enums_pb2.RejectReason.values():
        return "REJECTED"
    value = enums_pb2.RejectReason.ValueType(reason)
    return enums_pb2.RejectReason.Name(value).removeprefix("REJECT_REASON_")


def reject_reason(event: events_pb2.PrivateEvent) -> int:
    """Why the event refuses something; 0 when it does not."""
    match event.WhichOneof("event"):
        case "execution_report":
            return int(event.execution_report.reject_reason)
        case "cancel_reject":
            return int(event.cancel_reject.reject_reason)
        case "money_report":
            return int(event.money_report.reject_reason)
    return 0


def raise_refusal(event: events_pb2.PrivateEvent, identifier: bytes) -> None:
    """Raises Rejected when the refusal in the event is a fault of the call."""
    fault = fault_of_reason(reject_reason(event), identifier)
    if fault is not None:
        raise fault
