"""Approvals are what their signatures cover, and nothing else."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from cambist.internal.signer.v1 import intent_pb2
from wallets.errors import Rejected
from wallets.signer import approvals
from wallets.signer.approvals import APPROVAL_PREFIX, Terms, consent_bytes, read_approval
from wallets.signer.policy import Policy

APPROVER = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
PERSON = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
POLICY = Policy(
    {},
    {"k1": APPROVER.public_key().public_bytes_raw()},
    {"one": PERSON.public_key().public_bytes_raw()},
    1,
)
TERMS = Terms(1, "address", "", 100)
W = b"w" * 16


def message() -> intent_pb2.Approval:
    return intent_pb2.Approval(
        kind=intent_pb2.APPROVAL_KIND_PAYOUT,
        withdrawal_id=W,
        network_id=1,
        destination="address",
        amount_atoms="100",
        highest_fee_atoms="5",
        expires_ns=9,
        key_id="k1",
    )


def read(one: intent_pb2.Approval) -> approvals.Approval:
    encoded = one.SerializeToString()
    return read_approval(encoded, APPROVER.sign(APPROVAL_PREFIX + encoded), POLICY)


def test_an_approval_says_what_was_signed() -> None:
    found = read(message())
    assert (found.withdrawal_id, found.terms) == (W, TERMS)
    assert (found.highest_fee_atoms, found.expires_ns, found.people) == (5, 9, frozenset())


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_any_changed_bit_makes_it_forged_or_malformed(position: int, bit: int) -> None:
    encoded = message().SerializeToString()
    changed = bytearray(encoded)
    changed[position % len(encoded)] ^= 1 << bit
    with pytest.raises(Rejected):
        read_approval(bytes(changed), APPROVER.sign(APPROVAL_PREFIX + encoded), POLICY)


def test_a_signature_for_another_purpose_is_none() -> None:
    encoded = message().SerializeToString()
    with pytest.raises(Rejected, match="APPROVAL_FORGED"):
        read_approval(encoded, APPROVER.sign(encoded), POLICY)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": intent_pb2.APPROVAL_KIND_UNSPECIFIED},
        {"kind": intent_pb2.APPROVAL_KIND_RETRY},
        {"dead_attempts": [intent_pb2.DeadAttempt(txid="a", proof_sha256=b"p" * 32)]},
        {"withdrawal_id": b"short"},
        {"amount_atoms": "0"},
        {"amount_atoms": "-1"},
        {"amount_atoms": "01"},
        {"amount_atoms": "1e3"},
        {"amount_atoms": "٣"},
        {"amount_atoms": str(2**256)},
        {"amount_atoms": "9" * 5_000},
        {"highest_fee_atoms": ""},
    ],
)
def test_a_malformed_approval_is_refused_though_it_is_signed(change: dict[str, object]) -> None:
    one = message()
    one.MergeFrom(intent_pb2.Approval(**change))  # type: ignore[arg-type]
    for name, value in change.items():
        if not isinstance(value, list):
            setattr(one, name, value)
    with pytest.raises(Rejected, match="MALFORMED"):
        read(one)


@pytest.mark.parametrize(
    ("person", "signed", "counted"),
    [
        ("one", TERMS, {"one"}),
        ("one", Terms(1, "address", "", 101), set()),
        ("stranger", TERMS, set()),
    ],
)
def test_people_count_who_signed_the_same_terms(
    person: str, signed: Terms, counted: set[str]
) -> None:
    one = message()
    one.people.add(person=person, signature=PERSON.sign(consent_bytes(W, signed)))
    one.people.add(person=person, signature=b"wrong" * 8)
    assert read(one).people == counted
