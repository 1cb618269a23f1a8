"""Static keys in a PKCS#11 token (a hardware module, or SoftHSM): they never leave it.

Made at start by `server` for the branches that the policy calls `token_branches`; the rebuilders
see `Keys`. A key's label is "<branch>/<index>". A token gives r and s only: s is made low here, and
which of two keys it is of is found by recovery, so a token that signed with another key is noticed.
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pkcs11
from coincurve import PublicKey
from pkcs11.util.ec import encode_named_curve_parameters

from cambist.internal.signer.v1 import intent_pb2
from runtime.errors import ConfigurationError, Unavailable
from wallets.errors import Rejected
from wallets.signer.keys.places import CURVE_ORDER, Signature, path_of
from wallets.signer.policy import NetworkPolicy

POINT_BYTES: Final = 65
HALF_ORDER: Final = CURVE_ORDER // 2


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """One open session of a token; its PIN is not kept."""

    session: Any = field(repr=False)
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def public_key(self, network: NetworkPolicy, place: intent_pb2.KeyPlace) -> bytes:
        """The public key of a place, 33 bytes. Raises Rejected, Unavailable."""
        found = self._find(network, place, pkcs11.ObjectClass.PUBLIC_KEY)
        with self.turn:
            point = bytes(found[pkcs11.Attribute.EC_POINT])
        return bytes(PublicKey(point[-POINT_BYTES:]).format())

    def sign(self, network: NetworkPolicy, place: intent_pb2.KeyPlace, digest: bytes) -> Signature:
        """Of a digest of 32 bytes, made inside the token. Raises Rejected, Unavailable."""
        expected = self.public_key(network, place)
        found = self._find(network, place, pkcs11.ObjectClass.PRIVATE_KEY)
        try:
            with self.turn:
                raw = bytes(found.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))
        except pkcs11.PKCS11Error as error:
            raise Unavailable(f"the token: {type(error).__name__}") from error
        return recoverable(raw, digest, expected)

    def branch_key(self, network: NetworkPolicy, branch: str) -> str:
        """Static keys have no parent; always raises Rejected."""
        raise Rejected("KEY_STATIC", f"branch {branch!r} on {network.network_id} is in a token")

    def _find(self, network: NetworkPolicy, place: intent_pb2.KeyPlace, kind: Any) -> Any:
        # The policy must name the branch here as well; its path means nothing to a token.
        path_of(network, place)
        try:
            with self.turn:
                return self.session.get_key(object_class=kind, label=label_of(place))
        except (pkcs11.NoSuchKey, pkcs11.MultipleObjectsReturned):
            raise Rejected("KEY_UNKNOWN", f"the token has not one {label_of(place)}") from None
        except pkcs11.PKCS11Error as error:
            raise Unavailable(f"the token: {type(error).__name__}") from error


def label_of(place: intent_pb2.KeyPlace) -> str:
    """What a key is called in the token."""
    return f"{place.branch}/{place.index}"


def recoverable(raw: bytes, digest: bytes, expected: bytes) -> Signature:
    """A signature with a low s and its recovery number. Raises Unavailable when of another key."""
    r, s = raw[:32], int.from_bytes(raw[32:], "big")
    low = (CURVE_ORDER - s if s > HALF_ORDER else s).to_bytes(32, "big")
    for recovery in range(2):
        whole = r + low + bytes((recovery,))
        try:
            found = PublicKey.from_signature_and_message(whole, digest, hasher=None)
        except ValueError:
            continue
        if found.format() == expected:
            return Signature(r, low, recovery)
    raise Unavailable("the token signed with another key than it shows")


def open_token(module: Path, label: str, pin: bytes, *, writes: bool = False) -> TokenKeys:
    """Logs in; raises ConfigurationError without the PIN in its words."""
    try:
        token = pkcs11.lib(str(module)).get_token(token_label=label)
        return TokenKeys(token.open(user_pin=pin.decode(), rw=writes))
    except (pkcs11.PKCS11Error, UnicodeDecodeError) as error:
        raise ConfigurationError(f"token {label!r}: {type(error).__name__}") from None


def make_key(keys: TokenKeys, place: intent_pb2.KeyPlace) -> bytes:
    """A new key made inside the token, which never shows it: its public key, 33 bytes."""
    for _ in keys.session.get_objects({pkcs11.Attribute.LABEL: label_of(place)}):
        raise ConfigurationError(f"the token has {label_of(place)} already")
    curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256k1")}
    parameters = keys.session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
    closed = {pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False}
    public_key, _ = parameters.generate_keypair(
        label=label_of(place), store=True, private_template=closed
    )
    point = bytes(public_key[pkcs11.Attribute.EC_POINT])
    return bytes(PublicKey(point[-POINT_BYTES:]).format())
