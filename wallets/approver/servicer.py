"""The gRPC face of the approver: calls become its methods.

Registered by `server` behind `wallets.callers`, which lets only named callers in and turns errors
into faults. It decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc.aio

from cambist.internal.approver.v1 import approver_pb2, approver_pb2_grpc
from wallets.approver import log
from wallets.approver.service import Approver

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


@dataclass(frozen=True, slots=True)
class Servicer(approver_pb2_grpc.ApproverServiceServicer):
    """One approver's calls."""

    approver: Approver
    shards: Sequence[int]

    async def Approve(  # noqa: N802
        self, request: approver_pb2.ApproveRequest, _: Context
    ) -> approver_pb2.ApproveResponse:
        """Approves one withdrawal."""
        issued = await self.approver.approve(request)
        return approver_pb2.ApproveResponse(
            approval=issued.approval.approval,
            signature=issued.approval.signature,
            key_id=issued.key_id,
        )

    async def Consent(  # noqa: N802
        self, request: approver_pb2.ConsentRequest, _: Context
    ) -> approver_pb2.ConsentResponse:
        """Keeps a person's signature."""
        return approver_pb2.ConsentResponse(people=await self.approver.consent(request))

    async def GetStatus(  # noqa: N802
        self, request: approver_pb2.GetStatusRequest, _: Context
    ) -> approver_pb2.GetStatusResponse:
        """How far the journals are read."""
        del request
        response = approver_pb2.GetStatusResponse()
        for shard in self.shards:
            seq = await log.read_cursor(self.approver.database, shard)
            response.shards.add(shard=shard, seq=seq or 0)
        return response
