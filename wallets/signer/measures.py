"""What is measured of the signer besides its calls. No text of it holds a key.

Called by `server` once, and by `measured_calls` with each request.
"""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.metrics import CallbackOptions, Meter, Observation

from cambist.internal.signer.v1 import intent_pb2
from wallets.signer.service import Signer


def measure(signer: Signer, meter: Meter) -> None:
    """Signatures by network, and whether it refuses them all."""

    def signatures(_: CallbackOptions) -> list[Observation]:
        return [
            Observation(count, {"network_id": str(network_id)})
            for network_id, count in sorted(signer.signed.items())
        ]

    def stopped(_: CallbackOptions) -> list[Observation]:
        return [Observation(int(signer.is_refusing))]

    meter.create_observable_counter(
        "cambist.signer.signatures", [signatures], description="Signatures that were stored."
    )
    meter.create_observable_gauge(
        "cambist.signer.stopped", [stopped], description="1 = it was stopped, or its log went back."
    )


def subjects(method: str, request: Any) -> Sequence[bytes]:
    """The withdrawals that a call is about, as its approvals say, verified or not. Pure."""
    match method:
        case "Close":
            return (request.withdrawal_id,)
        case "Sign":
            contents = [request.approval, *(one.approval for one in request.more_approvals)]
            return [withdrawal_of(content) for content in contents if content]
        case _:
            return ()


def withdrawal_of(content: bytes) -> bytes:
    """The withdrawal of an approval; empty when it is none."""
    try:
        return intent_pb2.Approval.FromString(content).withdrawal_id
    except DecodeError:
        return b""
