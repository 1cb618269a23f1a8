"""The approver as the worker sees it: contract `Approves` over gRPC with mutual TLS.

Called by the pipeline. Nothing is asked but the id and the highest fee: destination and amount
are what the approver itself read in the journal.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import grpc
import grpc.aio

from cambist.internal.approver.v1 import approver_pb2, approver_pb2_grpc
from cambist.internal.signer.v1 import intent_pb2
from runtime.errors import Unavailable
from runtime.rpc_errors import fault_of
from wallets.contract import Approval, Death, WithdrawalId
from wallets.errors import Condition, Rejected, Stuck, WalletError
from wallets.faults import condition_of

CALL_SECONDS: Final = 15.0
PAYOUT: Final = "payout"
RETRY: Final = "retry"


@dataclass(slots=True)
class ApproverClient:
    """One connection."""

    channel: grpc.aio.Channel
    stub: "approver_pb2_grpc.ApproverServiceAsyncStub" = field(init=False)

    def __post_init__(self) -> None:
        """Makes the stub; nothing is called."""
        self.stub = approver_pb2_grpc.ApproverServiceStub(self.channel)

    async def approve(
        self, withdrawal_id: WithdrawalId, fee_atoms_max: int, dead: Sequence[Death]
    ) -> Approval:
        """The approver's word. Raises Rejected (never), Stuck (not now), Unavailable."""
        request = approver_pb2.ApproveRequest(
            intent_id=withdrawal_id,
            kind=RETRY if dead else PAYOUT,
            highest_fee_atoms=str(fee_atoms_max),
            dead_attempts=[
                intent_pb2.DeadAttempt(
                    txid=one.txid, proof_sha256=hashlib.sha256(one.proof).digest()
                )
                for one in dead
            ],
        )
        try:
            answer = await self.stub.Approve(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise told(error) from error
        return Approval(answer.approval, answer.signature)


def told(error: grpc.aio.AioRpcError) -> WalletError | Unavailable:
    """What the pipeline is told of a failed call."""
    fault = fault_of(error)
    if fault.code is grpc.StatusCode.FAILED_PRECONDITION and fault.reason:
        return Rejected(fault.reason, fault.message)
    condition = condition_of(error, Condition.APPROVAL_MISSING)
    if condition is not None and fault.reason == condition.value:
        return Stuck(condition, fault.message)
    return Unavailable(f"approver: {fault.reason or fault.code.name}: {fault.message}")
