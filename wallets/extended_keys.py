"""Extended public keys (BIP32) and their children, not hardened: no private key is near. Pure.

Used by the adapters of chains whose deposit addresses are made of such keys. One elliptic curve
addition per child, by coincurve: bitcoinlib derives the same keys a hundred times slower. What a
parent's text and bytes mean is remembered, for every address of a branch asks for it.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

import base58
from coincurve import PublicKey

from wallets.errors import Rejected

HARDENED: Final = 2**31
EXTENDED_KEY_BYTES: Final = 78
# Branches that are in use at once in one process, old generations included.
REMEMBERED_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class ExtendedKey:
    """A public key whose children are keys of addresses."""

    public_key: bytes
    chain_code: bytes

    @classmethod
    def parse(cls, text: str, versions: Collection[bytes], place: str = "") -> Self:
        """Reads xpub and its like. Raises Rejected by name; `place` says where it was wrong."""
        version, public_key, chain_code = parts_of(text)
        if version not in versions:
            raise Rejected("WRONG_NETWORK", f"version {version.hex()}{place}")
        try:
            point_of(public_key)
        except ValueError as error:
            raise Rejected("BAD_EXTENDED_KEY", "its key is not on the curve") from error
        return cls(public_key, chain_code)

    def child(self, index: int) -> Self:
        """The child of an index below 2^31. Raises Rejected."""
        digest = self.digest(index)
        return type(self)(self._added(index, digest).format(), digest[32:])

    def point(self, index: int) -> PublicKey:
        """The child's key alone, in whatever form an address needs it. Raises Rejected."""
        return self._added(index, self.digest(index))

    def _added(self, index: int, digest: bytes) -> PublicKey:
        try:
            return point_of(self.public_key).add(digest[:32])
        except ValueError as error:
            # One index in 2^127 has no key; BIP32 says to go on with the next.
            raise Rejected("BAD_INDEX", f"{index} has no key") from error

    def digest(self, index: int) -> bytes:
        """What is added to the key, then the chain code of the child. Raises Rejected."""
        if not 0 <= index < HARDENED:
            raise Rejected("BAD_INDEX", f"{index} is not that of a child without a private key")
        return hmac.digest(self.chain_code, self.public_key + index.to_bytes(4, "big"), "sha512")


@lru_cache(REMEMBERED_MAX)
def point_of(public_key: bytes) -> PublicKey:
    """A parent's key on the curve. Raises ValueError when it is not on it."""
    return PublicKey(public_key)


@lru_cache(REMEMBERED_MAX)
def parts_of(text: str) -> tuple[bytes, bytes, bytes]:
    """Version, public key and chain code of a text. Raises Rejected, and remembers no such text."""
    try:
        payload = base58.b58decode_check(text)
    except ValueError as error:
        raise Rejected("BAD_EXTENDED_KEY", "not base58 or a wrong checksum") from error
    if len(payload) != EXTENDED_KEY_BYTES:
        raise Rejected("BAD_EXTENDED_KEY", f"{len(payload)} bytes")
    if payload[45] == 0:
        # Never repeat it: what is in the message may end in a log.
        raise Rejected("PRIVATE_KEY", "an extended private key was given; it must not be here")
    return payload[:4], payload[45:], payload[13:45]
