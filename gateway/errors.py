"""Errors of the gateway; each carries the fault that the caller of an rpc is told.

    GatewayError
    ├── Rejected      the call is refused for a named reason; as it is it will be refused again
    ├── Unavailable   nothing was sent on; the same call may be tried again
    └── Unknown       it was sent on and no answer came: ask by id, never report a failure

Faults of a stream's own messages are answers inside the stream, not errors.
"""

from collections.abc import Mapping
from typing import Final

import grpc

from runtime.rpc_errors import Fault, FieldViolation

RETRY_SECONDS: Final = 0.25


class GatewayError(Exception):
    """Base of what the gateway raises on purpose."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.reason}: {fault.message}")
        self.fault = fault


class Rejected(GatewayError):
    """The call is refused for a named reason."""


class Unavailable(GatewayError):
    """Nothing was sent on."""


class Unknown(GatewayError):
    """It was sent on and no answer came."""


def invalid(field: str, description: str) -> Rejected:
    """A field of the request that cannot be."""
    violation = FieldViolation(field, description)
    fault = Fault(
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        f"{field}: {description}",
        violations=(violation,),
    )
    return Rejected(fault)


def malformed(reason: str, message: str, metadata: Mapping[str, str] | None = None) -> Rejected:
    """Bytes that are not the message they should be; `reason` starts with MALFORMED."""
    return Rejected(Fault(grpc.StatusCode.INVALID_ARGUMENT, reason, message, metadata or {}))


def unauthenticated(reason: str, message: str) -> Rejected:
    """No credentials, or bad ones."""
    return Rejected(Fault(grpc.StatusCode.UNAUTHENTICATED, reason, message))


def denied(reason: str, message: str) -> Rejected:
    """Known, and not allowed."""
    return Rejected(Fault(grpc.StatusCode.PERMISSION_DENIED, reason, message))


def not_found(reason: str, message: str, metadata: Mapping[str, str] | None = None) -> Rejected:
    """It does not exist, or is somebody else's: the two look the same."""
    return Rejected(Fault(grpc.StatusCode.NOT_FOUND, reason, message, metadata or {}))


def exhausted(reason: str, message: str, retry_after_seconds: float) -> Rejected:
    """A limit of the caller is reached."""
    fault = Fault(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        reason,
        message,
        retry_after_seconds=retry_after_seconds,
    )
    return Rejected(fault)


def unavailable(reason: str, message: str) -> Unavailable:
    """Surely not executed; try again soon."""
    fault = Fault(grpc.StatusCode.UNAVAILABLE, reason, message, retry_after_seconds=RETRY_SECONDS)
    return Unavailable(fault)


def outcome_unknown(identifier: bytes) -> Unknown:
    """Sent on, not answered in time; `identifier` is what to resolve."""
    fault = Fault(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "OUTCOME_UNKNOWN",
        "sent on, no answer in time: resolve the id",
        {"id": identifier.hex()},
    )
    return Unknown(fault)


def partly_cancelled(done: int, of: int, cancelled_count: int, why: str) -> Unknown:
    """Of `of` accounts `done` have answered; calling again cancels what is left."""
    fault = Fault(
        grpc.StatusCode.DEADLINE_EXCEEDED,
        "OUTCOME_UNKNOWN",
        f"{done} of {of} accounts answered, call again: {why}",
        {"accounts_answered": str(done), "cancelled_count": str(cancelled_count)},
    )
    return Unknown(fault)
