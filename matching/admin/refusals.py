"""What operators are told when the engine refuses a command. Pure."""

from typing import Final

import grpc

from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import enums_pb2
from matching.engines import Malformation
from matching.errors import Rejected

PREFIX: Final = "REJECT_REASON_"
MALFORMED_PREFIX: Final = "MALFORMED_REASON_"
INVALID: Final = frozenset(
    {
        enums_pb2.REJECT_REASON_INVALID_PARAMETER,
        enums_pb2.REJECT_REASON_INVALID_AMOUNT,
        enums_pb2.REJECT_REASON_INVALID_COMBINATION,
        enums_pb2.REJECT_REASON_TICK_VALUE_NOT_INTEGER,
        enums_pb2.REJECT_REASON_WRONG_SHARD,
    }
)
NOT_FOUND: Final = frozenset(
    {
        enums_pb2.REJECT_REASON_UNKNOWN_ACCOUNT,
        enums_pb2.REJECT_REASON_UNKNOWN_ASSET,
        enums_pb2.REJECT_REASON_UNKNOWN_FIRM,
        enums_pb2.REJECT_REASON_UNKNOWN_MARKET,
    }
)
DUPLICATE: Final = enums_pb2.REJECT_REASON_DUPLICATE_ID


def refusal(reason: int) -> Rejected:
    """The error for a RejectReason."""
    value = enums_pb2.RejectReason.ValueType(reason)
    name = enums_pb2.RejectReason.Name(value).removeprefix(PREFIX)
    if value in INVALID:
        code = grpc.StatusCode.INVALID_ARGUMENT
    elif value in NOT_FOUND:
        code = grpc.StatusCode.NOT_FOUND
    elif value == DUPLICATE:
        code = grpc.StatusCode.ALREADY_EXISTS
    elif value == enums_pb2.REJECT_REASON_UNSUPPORTED:
        code = grpc.StatusCode.UNIMPLEMENTED
    else:
        code = grpc.StatusCode.FAILED_PRECONDITION
    return Rejected(name, "the engine refused it", code)


def malformed(malformation: Malformation) -> Rejected:
    """The error for a command that the strict decoder does not take."""
    value = matching_pb2.MalformedReason.ValueType(malformation.reason)
    name = matching_pb2.MalformedReason.Name(value).removeprefix(MALFORMED_PREFIX)
    return Rejected(name, f"field {malformation.field} of the command is {name}")
