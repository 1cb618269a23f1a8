"""Approves withdrawals: what the journal says, within policy and counters, signed once.

Called by `servicer`. Destination and amount are never the caller's word. The same question gets
the same answer, and a refusal stays one, because custody gives the money back after it. A proof
of death is bound by its hash and not checked here: custody's nodes made it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cambist.internal.approver.v1 import approver_pb2
from cambist.internal.signer.v1 import intent_pb2
from runtime.clock import Clock
from runtime.postgres import Connection, Database
from wallets.approver import limits, log, policy
from wallets.approver.policy import Policy, Request
from wallets.contract import Approval
from wallets.errors import Condition, Rejected, Stuck
from wallets.signer.approvals import (
    APPROVAL_PREFIX,
    SHA256_BYTES,
    WITHDRAWAL_ID_BYTES,
    consent_bytes,
    parse_atoms,
    verified,
)

KINDS: Final = {
    "payout": intent_pb2.APPROVAL_KIND_PAYOUT,
    "retry": intent_pb2.APPROVAL_KIND_RETRY,
}
SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that signs now; the signer knows it and, during a rotation, one other."""

    key_id: str
    private_key: Ed25519PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, checked for its shape."""

    withdrawal_id: bytes
    kind: intent_pb2.ApprovalKind.ValueType
    fee_atoms: int
    dead: Sequence[intent_pb2.DeadAttempt]

    def sha256(self) -> bytes:
        """The same for the same question."""
        asked = intent_pb2.Approval(
            withdrawal_id=self.withdrawal_id,
            kind=self.kind,
            highest_fee_atoms=str(self.fee_atoms),
            dead_attempts=self.dead,
        )
        return hashlib.sha256(asked.SerializeToString(deterministic=True)).digest()


@dataclass(frozen=True, slots=True)
class Approver:
    """One approver; any number share the tables."""

    database: Database
    policy: Policy
    key: SigningKey
    clock: Clock

    async def approve(self, message: approver_pb2.ApproveRequest) -> log.Issued:
        """The approval of one withdrawal. Raises Rejected, Stuck, Unavailable, Unknown."""
        asked = question_of(message)
        now_ns = self.clock.wall_ns()
        async with self.database.transaction() as connection:
            await log.take_turn(connection)
            request = await self._known(connection, asked.withdrawal_id)
            outcome = await self._answer(connection, asked, request, now_ns)
        # After the commit: a refusal must be stored before anybody acts on it.
        if isinstance(outcome, Rejected):
            raise outcome
        return outcome

    async def _answer(
        self, connection: Connection, asked: Question, request: Request, now_ns: int
    ) -> log.Issued | Rejected:
        """The stored approval, a new one, or the refusal; raises Stuck."""
        digest = asked.sha256()
        given = await log.issued(connection, request.withdrawal_id, digest)
        if given and now_ns < given[0].expires_ns:
            return given[0]
        if len(given) >= limits.APPROVALS_OF_WITHDRAWAL_MAX:
            raise Stuck(Condition.AT_CEILING, "approved too often")
        try:
            await self._decide(connection, asked, request, now_ns)
        except Rejected as error:
            if await log.is_counted(connection, request.withdrawal_id):
                # An approval of it is out: giving the money back could pay twice.
                raise Stuck(Condition.APPROVAL_MISSING, f"approved before: {error}") from error
            await log.refuse(connection, request.withdrawal_id, error.reason, now_ns)
            return error
        people = await self._people(connection, request)
        new = self._sign(asked, request, people, now_ns)
        await log.issue(connection, request.withdrawal_id, digest, new)
        return new

    async def consent(self, message: approver_pb2.ConsentRequest) -> int:
        """Keeps one person's signature over the journal's terms; how many there are."""
        person, signature = message.person.person, message.person.signature
        async with self.database.transaction() as connection:
            await log.take_turn(connection)
            request = await self._known(connection, message.withdrawal_id)
            signed = consent_bytes(request.withdrawal_id, self.policy.terms(request))
            key = self.policy.people.get(person)
            if key is None or not verified(key, signature, signed):
                raise Rejected("CONSENT_FORGED", f"the signature of {person[:128]!r} does not fit")
            await log.consent(connection, request.withdrawal_id, person, signature)
            return len(await log.consents(connection, request.withdrawal_id))

    async def _known(self, connection: Connection, withdrawal_id: bytes) -> Request:
        request = await log.request(connection, withdrawal_id)
        if request is None:
            raise Stuck(Condition.APPROVAL_MISSING, "no such request in the journal yet")
        reason = await log.refusal(connection, withdrawal_id)
        if reason is not None:
            raise Rejected(reason, "refused before, and for good")
        return request

    async def _decide(
        self, connection: Connection, asked: Question, request: Request, now_ns: int
    ) -> None:
        """Whether to approve; counts a first approval. Raises Rejected, Stuck."""
        policy.check_request(request, self.policy)
        policy.check_fee(request, asked.fee_atoms, self.policy)
        people = frozenset(await self._people(connection, request))
        policy.check_people(request, people, self.policy)
        if await log.is_counted(connection, request.withdrawal_id):
            return
        if asked.dead:
            raise Stuck(Condition.APPROVAL_MISSING, "a retry of what was never approved")
        first_ns = await log.first_seen_ns(connection, request)
        policy.check_hold(first_ns, now_ns, self.policy)
        spent = await log.spent(connection, request, now_ns)
        policy.check_velocity(request, spent, self.policy)
        amount_atoms = self.policy.terms(request).amount_atoms
        await log.count(connection, request, amount_atoms, now_ns)

    async def _people(self, connection: Connection, request: Request) -> dict[str, bytes]:
        """Consents of people who are still known."""
        kept = await log.consents(connection, request.withdrawal_id)
        signed = consent_bytes(request.withdrawal_id, self.policy.terms(request))
        return {
            person: signature
            for person, signature in sorted(kept.items())
            if (key := self.policy.people.get(person)) is not None
            and verified(key, signature, signed)
        }

    def _sign(
        self, asked: Question, request: Request, people: dict[str, bytes], now_ns: int
    ) -> log.Issued:
        """The signed bytes; they say nothing that the caller said but the fee and the deaths."""
        terms = self.policy.terms(request)
        expires_ns = now_ns + self.policy.approval_seconds * SECOND_NS
        message = intent_pb2.Approval(
            kind=asked.kind,
            withdrawal_id=request.withdrawal_id,
            network_id=terms.network_id,
            destination=terms.destination,
            contract=terms.contract,
            amount_atoms=str(terms.amount_atoms),
            highest_fee_atoms=str(asked.fee_atoms),
            expires_ns=expires_ns,
            key_id=self.key.key_id,
            dead_attempts=asked.dead,
            people=[
                intent_pb2.PersonSignature(person=person, signature=signature)
                for person, signature in people.items()
            ],
        )
        content = message.SerializeToString(deterministic=True)
        signature = self.key.private_key.sign(APPROVAL_PREFIX + content)
        return log.Issued(Approval(content, signature), self.key.key_id, expires_ns)


def question_of(message: approver_pb2.ApproveRequest) -> Question:
    """What is asked; raises Rejected for what has no right shape."""
    kind = KINDS.get(message.kind)
    if kind is None or len(message.intent_id) != WITHDRAWAL_ID_BYTES:
        raise Rejected("MALFORMED", "kind or withdrawal id")
    if bool(message.dead_attempts) != (kind == intent_pb2.APPROVAL_KIND_RETRY):
        raise Rejected("MALFORMED", "dead attempts belong to a retry, and to it alone")
    if len(message.dead_attempts) > limits.DEAD_ATTEMPTS_MAX:
        raise Rejected("MALFORMED", "too many dead attempts")
    for dead in message.dead_attempts:
        is_named = 0 < len(dead.txid) <= limits.TXID_LENGTH_MAX
        if not is_named or len(dead.proof_sha256) != SHA256_BYTES:
            raise Rejected("MALFORMED", "a dead attempt without a proof")
    fee_atoms = parse_atoms(message.highest_fee_atoms, "highest fee")
    return Question(message.intent_id, kind, fee_atoms, tuple(message.dead_attempts))
