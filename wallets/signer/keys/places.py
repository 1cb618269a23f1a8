"""Keys by their place in a branch, as the rebuilders see them: never the private ones. Pure."""

from dataclasses import dataclass
from typing import Final, Protocol

from cambist.internal.signer.v1 import intent_pb2
from wallets.errors import Rejected
from wallets.signer.policy import NetworkPolicy

INDEX_MAX: Final = 2**31 - 1
CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
INTEGER_SIGN_BIT: Final = 0x80


@dataclass(frozen=True, slots=True)
class Signature:
    """Of secp256k1 with a low s; `recovery` says which of two keys it is of."""

    r: bytes
    s: bytes
    recovery: int

    def der(self) -> bytes:
        """As Bitcoin writes it."""
        body = b"".join(
            b"\x02" + bytes((len(one),)) + one for one in map(as_integer, (self.r, self.s))
        )
        return b"\x30" + bytes((len(body),)) + body


class Keys(Protocol):
    """Where keys are; a caller names a place and never sees a private key."""

    def public_key(self, network: NetworkPolicy, place: intent_pb2.KeyPlace) -> bytes:
        """The public key of a place, 33 bytes; raises Rejected when there is no such key."""

    def sign(self, network: NetworkPolicy, place: intent_pb2.KeyPlace, digest: bytes) -> Signature:
        """Of a digest of 32 bytes; raises Rejected."""

    def branch_key(self, network: NetworkPolicy, branch: str) -> str:
        """The extended public key of a branch; raises Rejected when it has none."""


def path_of(network: NetworkPolicy, place: intent_pb2.KeyPlace) -> str:
    """The path of a place; raises Rejected for a branch that the policy does not name."""
    path = network.branches.get(place.branch)
    if path is None or place.index > INDEX_MAX:
        raise Rejected("KEY_UNKNOWN", f"branch {place.branch!r} on {network.network_id}")
    return f"{path}/{place.index}"


def as_integer(number: bytes) -> bytes:
    """Without leading zeros, and with one where the first bit would be a sign."""
    short = number.lstrip(b"\0") or b"\0"
    return b"\0" + short if short[0] & INTEGER_SIGN_BIT else short
