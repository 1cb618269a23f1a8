"""SandboxService as far as it is built: the faucet.

Called by the door. Whose account it is, is judged here; whether the venue is a sandbox at all, and
how much it gives, by matching alone. Nothing is tried again by itself.
"""

from collections.abc import Mapping
from typing import Final

import grpc
import grpc.aio

from cambist.internal.matching.v1 import matching_pb2
from cambist.sandbox.v1 import sandbox_pb2
from gateway.door.accounts import own_account, shard_for
from gateway.door.calls import Call, Received
from gateway.errors import GatewayError, Rejected, exhausted, invalid, outcome_unknown, unavailable
from gateway.queries.balances import amount_from
from gateway.shard.shard import Shard
from gateway.unary.service import seconds_for
from runtime.rpc_errors import Fault, fault_of

ID_BYTES: Final = 16
# Matching's own words about a request; everything else is no answer.
REFUSALS: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)


class SandboxService:
    """Play money for accounts of the caller's key."""

    def __init__(self, shards: Mapping[int, Shard]) -> None:
        self._shards = shards

    async def pay_in(
        self, received: Received[sandbox_pb2.PayInRequest], call: Call
    ) -> sandbox_pb2.PayInResponse:
        """Credits an account. The same request id again is carried out once."""
        asked = received.message
        assert asked is not None
        shard = shard_for(self._shards, asked.account_id)
        own_account(call.caller, shard, asked.account_id)
        if len(asked.request_id) != ID_BYTES:
            raise invalid("request_id", f"not {ID_BYTES} bytes")
        wanted = matching_pb2.PayInRequest(
            shard=shard.number,
            request_id=asked.request_id,
            account_id=asked.account_id,
            asset_id=asked.asset_id,
            amount_atoms=str(amount_from(asked.amount_atoms)),
        )
        try:
            answer = await shard.stub().PayIn(wanted, timeout=seconds_for(call))
        except grpc.aio.AioRpcError as error:
            raise told(fault_of(error), asked.request_id) from error
        return sandbox_pb2.PayInResponse(repeat=answer.repeat, as_of_seq=answer.as_of_seq)


def told(fault: Fault, request_id: bytes) -> GatewayError:
    """What the caller is told of a fault of matching. Pure."""
    if fault.reason == "NOT_PRIMARY":
        return unavailable("SHARD_UNAVAILABLE", "the shard has no primary now")
    if fault.reason == "FAUCET_EXHAUSTED":
        seconds = float(fault.metadata.get("retry_after_seconds", "1"))
        return exhausted(fault.reason, fault.message, seconds)
    if fault.reason and fault.code in REFUSALS:
        return Rejected(fault)
    if fault.reason and fault.code is grpc.StatusCode.UNAVAILABLE:
        return unavailable("SHARD_UNAVAILABLE", "matching cannot do it now")
    # Also a connection that broke: it may have been written down.
    return outcome_unknown(request_id)
