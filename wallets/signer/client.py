"""The signer as the worker sees it: contract `Signs` over gRPC with mutual TLS.

Called by the pipeline. It holds no key and checks nothing: what may be signed is the signer's
word alone. No call is made again here; the same intent asked again gets the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import grpc
import grpc.aio

from cambist.internal.signer.v1 import intent_pb2, signer_pb2, signer_pb2_grpc
from runtime.rpc_errors import fault_of
from wallets.contract import Approval, Plan, WithdrawalId
from wallets.errors import Broken, Condition, Stuck, WalletError
from wallets.faults import condition_of

C: Final = Condition
# Longer than the signer itself takes to give up.
CALL_SECONDS: Final = 15.0
ENTRIES_PAGE: Final = 1_000
# Refusals that time, people or settings end; any other says that what we built is wrong.
WAITS: Final = {
    "STOPPED": C.WITHDRAWALS_STOPPED,
    "LOG_WENT_BACK": C.WITHDRAWALS_STOPPED,
    "APPROVAL_EXPIRED": C.APPROVAL_MISSING,
    "APPROVER_UNKNOWN": C.APPROVAL_MISSING,
    "PEOPLE_MISSING": C.APPROVAL_MISSING,
    "HOURLY_CAP": C.AT_CEILING,
    "FEE_ABOVE_CAP": C.AT_CEILING,
    "FEE_NOT_APPROVED": C.AT_CEILING,
    "ASSET_NOT_ALLOWED": C.ASSET_SUSPENDED,
    "KEY_UNKNOWN": C.SIGNER_KEY_MISSING,
    "NETWORK_NOT_ALLOWED": C.SIGNER_KEY_MISSING,
    "CHAIN_NOT_SUPPORTED": C.SIGNER_KEY_MISSING,
}


@dataclass(slots=True)
class SignerClient:
    """One connection. `seen_log_number` is the highest one that custody ever stored, at start."""

    channel: grpc.aio.Channel
    seen_log_number: int = 0
    stub: "signer_pb2_grpc.SignerServiceAsyncStub" = field(init=False)

    def __post_init__(self) -> None:
        """Makes the stub; nothing is called."""
        self.stub = signer_pb2_grpc.SignerServiceStub(self.channel)

    async def sign(self, plan: Plan, approvals: Sequence[Approval]) -> bytes:
        """The signed transaction. Raises Stuck, and Broken for what must never be asked."""
        request = signer_pb2.SignRequest(
            intent=plan.intent,
            more_approvals=[
                intent_pb2.SignedApproval(approval=one.approval, signature=one.signature)
                for one in approvals[1:]
            ],
            seen_log_number=self.seen_log_number,
        )
        if approvals:
            request.approval = approvals[0].approval
            request.approval_signature = approvals[0].signature
        try:
            answer = await self.stub.Sign(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise told(error) from error
        self.seen_log_number = max(self.seen_log_number, answer.log_number)
        return bytes(answer.raw_transaction)

    async def close(self, withdrawal_id: WithdrawalId) -> Sequence[bytes]:
        """What was ever signed for it; nothing = never, and from now on never. Raises Stuck."""
        request = signer_pb2.CloseRequest(withdrawal_id=withdrawal_id)
        try:
            answer = await self.stub.Close(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise told(error) from error
        if answer.never_signed == bool(answer.raw_transactions):
            raise Broken("the signer says both that it signed and that it never did")
        return tuple(answer.raw_transactions)

    async def entries(self, network_id: int, after: int) -> Sequence[signer_pb2.LogEntry]:
        """The oldest entries of the log with a higher number, a page. Raises Stuck."""
        request = signer_pb2.ListEntriesRequest(
            after_log_number=after, network_id=network_id, page_size=ENTRIES_PAGE
        )
        try:
            answer = await self.stub.ListEntries(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise told(error) from error
        return answer.entries

    async def public_keys(self, network_id: int) -> dict[str, str]:
        """Extended public keys of a network by branch. Raises Stuck."""
        request = signer_pb2.GetPublicKeysRequest(network_id=network_id)
        try:
            answer = await self.stub.GetPublicKeys(request, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise told(error) from error
        return {one.branch: one.extended_public_key for one in answer.branches}


def told(error: grpc.aio.AioRpcError) -> WalletError:
    """What the pipeline is told of a failed call."""
    fault = fault_of(error)
    if error.code() is grpc.StatusCode.PERMISSION_DENIED:
        return Stuck(C.SIGNER_UNAVAILABLE, "our certificate is not permitted to ask this")
    condition = WAITS.get(fault.reason) or condition_of(error, C.SIGNER_UNAVAILABLE)
    if condition is None:
        return Broken(f"the signer refused: {fault.reason or fault.code.name}: {fault.message}")
    return Stuck(condition, f"{fault.reason or fault.code.name}: {fault.message}")
