"""The status of a failed call as one of the SDK's errors. Pure."""

from typing import Final

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

from cambist.client.errors import CambistError, Rejected, Unavailable, Unknown

DETAILS_KEY: Final = "grpc-status-details-bin"
DOMAIN: Final = "cambist"
NANOSECONDS: Final = 1e9
# Made by the transport, without a word of the venue: nobody knows how far the call came.
UNSURE: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
    }
)


def error_of(error: grpc.aio.AioRpcError) -> CambistError:
    """What the status says. A lost connection is Unavailable: callers who wrote make it Unknown."""
    code, text = error.code(), error.details() or ""
    info, fields, retry_seconds = read_details(error)
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unknown(text or "no answer in time")
    if code == grpc.StatusCode.UNAVAILABLE or (not info and code in UNSURE):
        return Unavailable(info or code.name, text, retry_after_seconds=retry_seconds)
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED and retry_seconds:
        return Unavailable(info or code.name, text, retry_after_seconds=retry_seconds)
    return Rejected(info or code.name, text, fields=fields)


def is_from_venue(error: Unavailable) -> bool:
    """Whether the venue itself said so, which means that surely nothing happened."""
    return error.reason not in {code.name for code in grpc.StatusCode}


def read_details(error: grpc.aio.AioRpcError) -> tuple[str, tuple[str, ...], float]:
    """ErrorInfo's reason, faulty fields, seconds until a retry; empty where there is none."""
    metadata = error.trailing_metadata() or ()
    raw = next((value for key, value in metadata if key == DETAILS_KEY), b"")
    status = status_pb2.Status()
    try:
        status.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
    except ValueError:
        return "", (), 0.0
    reason, fields, seconds = "", [], 0.0
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            reason = info.reason
        elif detail.Unpack(bad):
            fields = [violation.field for violation in bad.field_violations]
        elif detail.Unpack(retry):
            seconds = retry.retry_delay.seconds + retry.retry_delay.nanos / NANOSECONDS
    return reason, tuple(fields), seconds
