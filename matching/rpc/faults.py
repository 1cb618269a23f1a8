"""How errors of matching are told to callers."""

from typing import Any, NoReturn, TypeAlias

import grpc
import grpc.aio
from grpc_status import rpc_status

from matching.errors import NoSnapshot, NotPrimary, Rejected
from runtime.errors import Unavailable, Unknown
from runtime.rpc_errors import Fault, status_of

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
TOLD = (NotPrimary, NoSnapshot, Rejected, Unavailable, Unknown)


def fault_of(error: Exception) -> Fault:
    """What a caller is told of an error that a servicer raised."""
    match error:
        case NotPrimary():
            metadata = {"primary": error.primary} if error.primary else {}
            return Fault(
                grpc.StatusCode.FAILED_PRECONDITION, "NOT_PRIMARY", str(error), metadata=metadata
            )
        case NoSnapshot():
            return Fault(grpc.StatusCode.NOT_FOUND, "NO_SNAPSHOT", str(error))
        case Rejected():
            return Fault(error.code, error.reason, error.message, metadata=error.metadata)
        case Unknown():
            return Fault(grpc.StatusCode.DEADLINE_EXCEEDED, "OUTCOME_UNKNOWN", str(error))
        case _:
            return Fault(
                grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE", str(error), retry_after_seconds=1.0
            )


async def abort(context: Context, fault: Fault) -> NoReturn:
    """Ends the call with the fault; its metadata also stands in the trailers, for plain clients."""
    status = rpc_status.to_status(status_of(fault))
    trailers = (*(status.trailing_metadata or ()), *fault.metadata.items())
    await context.abort(status.code, status.details, trailers)
    raise AssertionError("abort raises")
