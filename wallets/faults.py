"""Errors of custody as faults of calls, and back. Used by servicers and clients of our services.

A refusal is FAILED_PRECONDITION with its reason; what waits by name is UNAVAILABLE with the
condition as its reason, so that the caller waits by the same name.
"""

from typing import Final

import grpc
import grpc.aio

from runtime.errors import Unavailable, Unknown
from runtime.rpc_errors import Fault, fault_of
from wallets.errors import Condition, Fenced, Rejected, Stuck

TOLD: Final = (Rejected, Stuck, Fenced, Unavailable, Unknown)
Code: Final = grpc.StatusCode
# Answers after which nothing is known, or nothing was done: the same call may be made again.
AGAIN: Final = frozenset(
    {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.UNKNOWN, Code.RESOURCE_EXHAUSTED, Code.ABORTED}
)
CONDITIONS: Final = {condition.value: condition for condition in Condition}


def fault_for(error: Exception) -> Fault:
    """What a caller is told of one of `TOLD`; never more than its own message."""
    match error:
        case Rejected():
            return Fault(Code.FAILED_PRECONDITION, error.reason, error.message)
        case Stuck():
            return Fault(Code.UNAVAILABLE, error.condition.value, str(error))
        case Fenced():
            return Fault(Code.ABORTED, "FENCED", str(error))
        case Unknown():
            return Fault(Code.UNKNOWN, "UNKNOWN", str(error))
        case _:
            return Fault(Code.UNAVAILABLE, "UNAVAILABLE", str(error))


def condition_of(error: grpc.aio.AioRpcError, away: Condition) -> Condition | None:
    """By which name a caller waits; None when waiting does not help. `away`: no answer."""
    fault = fault_of(error)
    if fault.reason in CONDITIONS:
        return CONDITIONS[fault.reason]
    return away if fault.code in AGAIN else None
