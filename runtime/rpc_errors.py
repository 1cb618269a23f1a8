"""Faults of whole calls, with details that programs can read (google.rpc.Status in trailers).

A servicer aborts a call with `abort(context, Fault(...))`; a caller reads it back with
`fault_of(error)`. A rejected order is not a fault: it is an answer inside the stream. Messages
are for people and may change; code and reason are the contract.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import grpc
import grpc.aio
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

DOMAIN: Final = "cambist"
NANOSECONDS_PER_SECOND: Final = 1_000_000_000
# Violations told at most; the rest is counted in the message by whoever collects them.
VIOLATIONS_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field of the request, as a path, and what is wrong with it."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class HelpLink:
    """Where to read on."""

    description: str
    url: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a call failed. `reason` is UPPER_SNAKE_CASE and part of the contract."""

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    # When trying again makes sense; None says nothing about it.
    retry_after_seconds: float | None = None
    violations: tuple[FieldViolation, ...] = ()
    help_links: tuple[HelpLink, ...] = ()


def status_of(fault: Fault) -> status_pb2.Status:
    """The google.rpc.Status of a fault."""
    details = [
        error_details_pb2.ErrorInfo(
            reason=fault.reason, domain=DOMAIN, metadata=dict(fault.metadata)
        )
    ]
    if fault.retry_after_seconds is not None:
        nanoseconds = int(fault.retry_after_seconds * NANOSECONDS_PER_SECOND)
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(nanoseconds)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if fault.violations:
        bad_request = error_details_pb2.BadRequest()
        for violation in fault.violations[:VIOLATIONS_MAX]:
            bad_request.field_violations.add(
                field=violation.field, description=violation.description
            )
        details.append(bad_request)
    if fault.help_links:
        links = error_details_pb2.Help()
        for link in fault.help_links:
            links.links.add(description=link.description, url=link.url)
        details.append(links)
    packed = []
    for detail in details:
        envelope = any_pb2.Any()
        envelope.Pack(detail)
        packed.append(envelope)
    number: int = fault.code.value[0]
    return status_pb2.Status(code=number, message=fault.message, details=packed)


async def abort(context: grpc.aio.ServicerContext[Any, Any], fault: Fault) -> NoReturn:
    """Ends the call with the fault; never returns."""
    await context.abort_with_status(rpc_status.to_status(status_of(fault)))
    raise AssertionError("abort_with_status raises")


def fault_of(error: grpc.aio.AioRpcError) -> Fault:
    """The fault in an error of a call; reason is empty when the other end gave no details."""
    message = error.details() or ""
    status = read_status(error)
    if status is None:
        return Fault(error.code(), "", message)
    reason, metadata = "", {}
    retry_after_seconds: float | None = None
    violations: tuple[FieldViolation, ...] = ()
    links: tuple[HelpLink, ...] = ()
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo.FromString(detail.value)
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo.FromString(detail.value)
            retry_after_seconds = retry.retry_delay.ToNanoseconds() / NANOSECONDS_PER_SECOND
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest.FromString(detail.value)
            violations = tuple(FieldViolation(v.field, v.description) for v in bad.field_violations)
        elif detail.Is(error_details_pb2.Help.DESCRIPTOR):
            parsed = error_details_pb2.Help.FromString(detail.value)
            links = tuple(HelpLink(link.description, link.url) for link in parsed.links)
    return Fault(error.code(), reason, message, metadata, retry_after_seconds, violations, links)


def read_status(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    """The google.rpc.Status in the trailers, None when there is none or it does not fit."""
    try:
        # It reads code, details and trailing metadata, which the asyncio error has too.
        status: status_pb2.Status | None = rpc_status.from_call(error)  # type: ignore[arg-type]
    except ValueError:
        return None
    return status
