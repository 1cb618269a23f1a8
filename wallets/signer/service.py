"""The signer: checks, logs, and only then gives a signature. Called by `servicer`.

One request at a time holds the writer's row. After a commit that was not answered the same intent
asked again returns the stored bytes.
"""

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from cambist.internal.signer.v1 import intent_pb2, signer_pb2
from runtime.clock import Clock
from runtime.postgres import Connection, Database
from wallets.errors import Rejected
from wallets.signer import chains, limits, log, rules
from wallets.signer.approvals import WITHDRAWAL_ID_BYTES, Approval, read_approval
from wallets.signer.keys.places import Keys
from wallets.signer.policy import Policy


@dataclass(slots=True)
class Signer:
    """Everything a signature needs; no text of it holds a key."""

    database: Database
    policy: Policy
    keys: Keys
    epoch: int
    clock: Clock
    stopped: bool = False
    # The log is older than a caller saw: nobody can end that in this process.
    went_back: bool = False
    # Whether it signed nothing new when it last looked, for whoever measures.
    is_refusing: bool = False
    # New signatures by network since the start, for whoever measures.
    signed: Counter[int] = field(default_factory=Counter)
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
                self.went_back = self.is_refusing = True
                raise Rejected("LOG_WENT_BACK", f"entry {last_number} is the last one here")
            self.is_refusing = self.stopped or self.went_back or stopped is not None
            known = await log.stored(connection, intent.intent_id, digest)
            if known is not None:
                return answer(*known)
            if self.went_back:
                raise Rejected("LOG_WENT_BACK", "a log that is missing entries signs nothing")
            if stopped is not None or self.stopped:
                raise Rejected("STOPPED", stopped or "stopped")
            signed = answer(*await self.sign_new(connection, intent, digest, approvals))
        # After the commit: what was not stored was not signed.
        self.signed[intent.network_id] += 1
        return signed

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
        prepared = chains.prepare(intent, network, self.keys, approvals, now_ns)
        draft = prepared.draft
        if bool(draft.payments) != (intent.kind == intent_pb2.INTENT_KIND_PAYOUT):
            raise Rejected("MALFORMED", "the kind is not what the transaction does")
        rules.check_approvals(draft, approvals, self.policy, now_ns)
        ids = [approval.withdrawal_id for approval in approvals]
        histories = await log.histories(connection, ids)
        rules.check_conflicts(draft, approvals, histories)
        flow = rules.outflow(approvals, histories)
        spent = await log.spent(connection, intent.network_id, now_ns)
        rules.check_caps(flow, spent, network)
        signed = prepared.sign()
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
        self.stopped = self.is_refusing = True
        nonce = os.urandom(limits.RESUME_NONCE_BYTES)
        await log.stop(self.database, f"{actor[:128]}: {reason[:1000]}", nonce)

    async def resume(self, consents: Mapping[str, bytes]) -> None:
        """Ends a stop; raises Rejected without two people's signatures over its nonce."""
        async with self.turn, self.database.transaction() as connection:
            await log.lock(connection, self.epoch)
            await log.resume(connection, consents, self.policy)
        self.stopped = False
        self.is_refusing = self.went_back

    async def status(self) -> signer_pb2.GetStatusResponse:
        """Whether it signs, and how far its log is; raises Fenced, Unavailable."""
        async with self.turn, self.database.transaction() as connection:
            reason = await log.lock(connection, self.epoch)
            self.is_refusing = self.stopped or self.went_back or reason is not None
            return signer_pb2.GetStatusResponse(
                stopped=self.is_refusing,
                stopped_reason=reason or "",
                log_number=await log.last_number(connection),
                epoch=self.epoch,
                resume_nonce=await log.resume_nonce(connection),
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
