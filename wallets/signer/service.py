"""The gRPC face of the signer: checks, logs, and only then gives a signature.

One request at a time holds the writer's row. A refusal is FAILED_PRECONDITION with its reason; a
commit that was not answered is UNKNOWN, and the same intent asked again returns the stored bytes.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from cambist.internal.signer.v1 import intent_pb2, signer_pb2, signer_pb2_grpc
from runtime.clock import Clock
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Connection, Database
from wallets.errors import Fenced, Rejected
from wallets.signer import limits, log, rules
from wallets.signer.approvals import WITHDRAWAL_ID_BYTES, Approval, read_approval
from wallets.signer.ethereum import transactions as ethereum
from wallets.signer.keys.extended import extended_public_key
from wallets.signer.policy import Policy


@dataclass(slots=True)
class Signer:
    """Everything a signature needs; `seed` is never printed."""

    database: Database
    policy: Policy
    seed: bytes = field(repr=False)
    epoch: int
    clock: Clock
    stopped: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def sign(self, request: signer_pb2.SignRequest) -> signer_pb2.SignResponse:
        """Signs one intent or returns what was signed for it. Raises Rejected, Fenced,
        Unavailable, Unknown.
        """
        intent = read_intent(request.intent)
        approvals = self.read_approvals(request)
        digest = hashlib.sha256(request.intent).digest()
        async with self.turn, self.database.transaction() as connection:
            stopped = await log.lock(connection, self.epoch)
            last_number = await log.last_number(connection)
            if request.seen_log_number > last_number:
                self.stopped = True
                raise Rejected("LOG_WENT_BACK", f"entry {last_number} is the last one here")
            known = await log.stored(connection, intent.intent_id, digest)
            if known is not None:
                return answer(*known)
            if stopped is not None or self.stopped:
                raise Rejected("STOPPED", stopped or "stopped")
            return answer(*await self.sign_new(connection, intent, digest, approvals))

    def read_approvals(self, request: signer_pb2.SignRequest) -> list[Approval]:
        """The approvals of a request, verified; raises Rejected."""
        if len(request.more_approvals) >= limits.APPROVALS_MAX:
            raise Rejected("MALFORMED", "too many approvals")
        pairs = [(one.approval, one.signature) for one in request.more_approvals]
        if request.approval:
            pairs.insert(0, (request.approval, request.approval_signature))
        return [read_approval(approval, signature, self.policy) for approval, signature in pairs]

    async def sign_new(
        self,
        connection: Connection,
        intent: intent_pb2.Intent,
        digest: bytes,
        approvals: list[Approval],
    ) -> tuple[log.Signed, int]:
        """Checks everything, signs, and appends; nothing leaves before the caller's commit."""
        now_ns = self.clock.wall_ns()
        network = self.policy.network(intent.network_id)
        if network.chain != "ethereum" or not intent.HasField("ethereum"):
            raise Rejected("CHAIN_NOT_SUPPORTED", f"{network.chain} is not signed here")
        draft, fields = ethereum.read(intent.ethereum, network, self.seed)
        if bool(draft.payments) != (intent.kind == intent_pb2.INTENT_KIND_PAYOUT):
            raise Rejected("MALFORMED", "the kind is not what the transaction does")
        rules.check_approvals(draft, approvals, self.policy, now_ns)
        ids = [approval.withdrawal_id for approval in approvals]
        histories = await log.histories(connection, ids)
        rules.check_conflicts(draft, approvals, histories)
        flow = rules.outflow(approvals, histories)
        spent = await log.spent(connection, intent.network_id, now_ns)
        rules.check_caps(flow, spent, network)
        signed = ethereum.sign(fields, intent.ethereum, network, self.seed)
        new = log.NewEntry(intent.intent_id, digest, draft, approvals, flow, signed, now_ns)
        return signed, await log.append(connection, new)

    async def close(self, withdrawal_id: bytes) -> tuple[bytes, ...]:
        """Closes a withdrawal for good, or its stored transactions."""
        if len(withdrawal_id) != WITHDRAWAL_ID_BYTES:
            raise Rejected("MALFORMED", "a withdrawal id has 16 bytes")
        async with self.turn, self.database.transaction() as connection:
            await log.lock(connection, self.epoch)
            return await log.close(connection, withdrawal_id)

    async def stop(self, actor: str, reason: str) -> None:
        """Nothing new is signed from now on; durable when it returns."""
        self.stopped = True
        await log.stop(self.database, f"{actor[:128]}: {reason[:1000]}")

    async def status(self) -> signer_pb2.GetStatusResponse:
        """Whether it signs, and how far its log is; raises Fenced, Unavailable."""
        async with self.turn, self.database.transaction() as connection:
            reason = await log.lock(connection, self.epoch)
            return signer_pb2.GetStatusResponse(
                stopped=self.stopped or reason is not None,
                stopped_reason=reason or "",
                log_number=await log.last_number(connection),
                epoch=self.epoch,
            )


def read_intent(content: bytes) -> intent_pb2.Intent:
    """An intent; raises Rejected."""
    intent = intent_pb2.Intent()
    try:
        intent.ParseFromString(content)
    except DecodeError:
        raise Rejected("MALFORMED", "the intent is no message") from None
    if len(intent.intent_id) != WITHDRAWAL_ID_BYTES:
        raise Rejected("MALFORMED", "an intent id has 16 bytes")
    return intent


def answer(signed: log.Signed, number: int) -> signer_pb2.SignResponse:
    """The answer for an entry of the log."""
    return signer_pb2.SignResponse(raw_transaction=signed.raw, txid=signed.txid, log_number=number)


Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
STATUS: Final[dict[type[Exception], grpc.StatusCode]] = {
    Rejected: grpc.StatusCode.FAILED_PRECONDITION,
    Fenced: grpc.StatusCode.ABORTED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    Unknown: grpc.StatusCode.UNKNOWN,
}
FAULTS: Final = tuple(STATUS)


@dataclass(frozen=True, slots=True)
class Servicer(signer_pb2_grpc.SignerServiceServicer):
    """Turns calls into the signer's methods and its errors into statuses."""

    signer: Signer

    async def Sign(  # noqa: N802
        self, request: signer_pb2.SignRequest, context: Context
    ) -> signer_pb2.SignResponse:
        """Signs one approved intent."""
        try:
            return await self.signer.sign(request)
        except FAULTS as error:
            return await context.abort(STATUS[type(error)], str(error))

    async def Close(  # noqa: N802
        self, request: signer_pb2.CloseRequest, context: Context
    ) -> signer_pb2.CloseResponse:
        """Closes a withdrawal id."""
        try:
            raws = await self.signer.close(request.withdrawal_id)
        except FAULTS as error:
            return await context.abort(STATUS[type(error)], str(error))
        return signer_pb2.CloseResponse(never_signed=not raws, raw_transactions=raws)

    async def Stop(  # noqa: N802
        self, request: signer_pb2.StopRequest, context: Context
    ) -> signer_pb2.StopResponse:
        """Stops everything."""
        try:
            await self.signer.stop(request.actor, request.reason)
        except FAULTS as error:
            return await context.abort(STATUS[type(error)], str(error))
        return signer_pb2.StopResponse()

    async def GetPublicKeys(  # noqa: N802
        self, request: signer_pb2.GetPublicKeysRequest, context: Context
    ) -> signer_pb2.GetPublicKeysResponse:
        """Extended public keys of all branches of a chain or network."""
        del context
        response = signer_pb2.GetPublicKeysResponse()
        for network in self.signer.policy.networks.values():
            if request.chain not in ("", network.chain):
                continue
            if request.network_id not in (0, network.network_id):
                continue
            for branch, path in sorted(network.branches.items()):
                key = await asyncio.to_thread(extended_public_key, self.signer.seed, path)
                response.branches.add(
                    branch=branch, extended_public_key=key, network_id=network.network_id
                )
        return response

    async def GetStatus(  # noqa: N802
        self, request: signer_pb2.GetStatusRequest, context: Context
    ) -> signer_pb2.GetStatusResponse:
        """State of the signer."""
        del request
        try:
            return await self.signer.status()
        except FAULTS as error:
            return await context.abort(STATUS[type(error)], str(error))
