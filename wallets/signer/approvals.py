"""Approvals: what the approver and people signed, checked. Pure.

An approval is trusted for nothing but what its signature covers; it binds one withdrawal of the
journal to network, destination, asset, amount, highest fee and expiry.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.message import DecodeError

from cambist.internal.signer.v1 import intent_pb2
from wallets.contract import WithdrawalId
from wallets.errors import Rejected
from wallets.signer import limits
from wallets.signer.policy import Policy

APPROVAL_PREFIX: Final = b"cambist approval v1\x00"
CONSENT_PREFIX: Final = b"cambist consent v1\x00"
RESUME_PREFIX: Final = b"cambist resume v1\x00"
WITHDRAWAL_ID_BYTES: Final = 16
SHA256_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Terms:
    """What a withdrawal pays; the same in every attempt for it."""

    network_id: int
    destination: str
    # Empty = the native asset.
    contract: str
    amount_atoms: int


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval whose signature was verified."""

    withdrawal_id: WithdrawalId
    terms: Terms
    highest_fee_atoms: int
    expires_ns: int
    # Transaction id and SHA-256 of the proof of each attempt that is dead.
    dead_attempts: tuple[tuple[str, bytes], ...]
    # Who of the known people signed the same terms.
    people: frozenset[str]


def parse_atoms(text: str, what: str) -> int:
    """A decimal of atoms, 0 to 2^256 - 1, in its only spelling; raises Rejected."""
    if not (text.isascii() and text.isdigit()) or (len(text) > 1 and text[0] == "0"):
        raise Rejected("MALFORMED", f"{what} is not a plain decimal")
    # 78 digits are 2^256; longer texts are not even converted.
    value = int(text) if len(text) <= 78 else limits.AMOUNT_ATOMS_MAX + 1
    if value > limits.AMOUNT_ATOMS_MAX:
        raise Rejected("MALFORMED", f"{what} is beyond 256 bits")
    return value


def verified(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 signature is of this key over these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def consent_bytes(withdrawal_id: bytes, terms: Terms) -> bytes:
    """What a person signs."""
    consent = intent_pb2.Consent(
        withdrawal_id=withdrawal_id,
        network_id=terms.network_id,
        destination=terms.destination,
        contract=terms.contract,
        amount_atoms=str(terms.amount_atoms),
    )
    return CONSENT_PREFIX + consent.SerializeToString(deterministic=True)


def read_approval(approval: bytes, signature: bytes, policy: Policy) -> Approval:
    """An approval after its signature and shape were checked; raises Rejected.

    Says nothing about its use: expiry, fee and terms are checked against an intent by `rules`.
    """
    message = intent_pb2.Approval()
    try:
        message.ParseFromString(approval)
    except DecodeError:
        raise Rejected("MALFORMED", "the approval is no message") from None
    key = policy.approver_keys.get(message.key_id)
    if key is None:
        raise Rejected("APPROVER_UNKNOWN", f"key {message.key_id!r}")
    if not verified(key, signature, APPROVAL_PREFIX + approval):
        raise Rejected("APPROVAL_FORGED", "the signature does not fit")
    if len(message.withdrawal_id) != WITHDRAWAL_ID_BYTES:
        raise Rejected("MALFORMED", "a withdrawal id has 16 bytes")
    terms = Terms(
        network_id=message.network_id,
        destination=message.destination,
        contract=message.contract,
        amount_atoms=parse_atoms(message.amount_atoms, "amount"),
    )
    if terms.amount_atoms == 0:
        raise Rejected("MALFORMED", "an approval of nothing")
    return Approval(
        withdrawal_id=WithdrawalId(message.withdrawal_id),
        terms=terms,
        highest_fee_atoms=parse_atoms(message.highest_fee_atoms, "highest fee"),
        expires_ns=message.expires_ns,
        dead_attempts=read_dead_attempts(message),
        people=people_of(message.withdrawal_id, terms, message.people, policy),
    )


def read_dead_attempts(message: intent_pb2.Approval) -> tuple[tuple[str, bytes], ...]:
    """The death proofs that a retry cites; only a retry may, and it must. Raises Rejected."""
    is_retry = message.kind == intent_pb2.APPROVAL_KIND_RETRY
    if not is_retry and message.kind != intent_pb2.APPROVAL_KIND_PAYOUT:
        raise Rejected("MALFORMED", "an approval without a kind")
    if is_retry != bool(message.dead_attempts):
        raise Rejected("MALFORMED", "dead attempts belong to a retry, and to it alone")
    if len(message.dead_attempts) > limits.DEAD_ATTEMPTS_MAX:
        raise Rejected("MALFORMED", "too many dead attempts")
    for dead in message.dead_attempts:
        if not dead.txid or len(dead.proof_sha256) != SHA256_BYTES:
            raise Rejected("MALFORMED", "a dead attempt without a proof")
    return tuple((dead.txid, dead.proof_sha256) for dead in message.dead_attempts)


def people_of(
    withdrawal_id: bytes,
    terms: Terms,
    signatures: Sequence[intent_pb2.PersonSignature],
    policy: Policy,
) -> frozenset[str]:
    """Known people whose signature over these terms is right; a wrong one is no consent."""
    if len(signatures) > limits.PEOPLE_SIGNATURES_MAX:
        raise Rejected("MALFORMED", "too many signatures of people")
    message = consent_bytes(withdrawal_id, terms)
    return frozenset(
        entry.person
        for entry in signatures
        if (key := policy.people.get(entry.person)) is not None
        and verified(key, entry.signature, message)
    )


def check_resume(nonce: bytes, consents: Mapping[str, bytes], policy: Policy) -> None:
    """Whether two known people, and nobody unknown, signed the nonce of a stop; raises Rejected."""
    if len(consents) != limits.PEOPLE_TO_RESUME or not nonce:
        raise Rejected("TWO_PERSONS", "a stop is ended by two persons")
    for person, signature in consents.items():
        key = policy.people.get(person)
        if key is None or not verified(key, signature, RESUME_PREFIX + nonce):
            raise Rejected("CONSENT_FORGED", f"the signature of {person[:128]!r} does not fit")
    if len({policy.people[person] for person in consents}) != len(consents):
        raise Rejected("TWO_PERSONS", "two names with one key are one person")
