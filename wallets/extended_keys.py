"""Extended public keys (BIP32) and their children, not hardened: no private key is near. Pure.

Used by the adapters of chains whose deposit addresses are made of such keys. One elliptic curve
addition per child, by coincurve: bitcoinlib derives the same keys a hundred times slower.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Self

import base58
from coincurve import PublicKey

from wallets.errors import Rejected

HARDENED: Final = 2**31
EXTENDED_KEY_BYTES: Final = 78


@dataclass(frozen=True, slots=True)
class ExtendedKey:
    """A public key whose children are keys of addresses."""

    public_key: bytes
    chain_code: bytes

    @classmethod
    def parse(cls, text: str, versions: Collection[bytes], place: str = "") -> Self:
        """Reads xpub and its like. Raises Rejected by name; `place` says where it was wrong."""
        try:
            payload = base58.b58decode_check(text)
        except ValueError as error:
            raise Rejected("BAD_EXTENDED_KEY", "not base58 or a wrong checksum") from error
        if len(payload) != EXTENDED_KEY_BYTES:
            raise Rejected("BAD_EXTENDED_KEY", f"{len(payload)} bytes")
        key = payload[45:]
        if key[0] == 0:
            # Never repeat it: what is in the message may end in a log.
            raise Rejected("PRIVATE_KEY", "an extended private key was given; it must not be here")
        if payload[:4] not in versions:
            raise Rejected("WRONG_NETWORK", f"version {payload[:4].hex()}{place}")
        try:
            PublicKey(key)
        except ValueError as error:
            raise Rejected("BAD_EXTENDED_KEY", "its key is not on the curve") from error
        return cls(key, payload[13:45])

    def child(self, index: int) -> Self:
        """The child of an index below 2^31. Raises Rejected."""
        if not 0 <= index < HARDENED:
            raise Rejected("BAD_INDEX", f"{index} is not that of a child without a private key")
        digest = self.digest(index)
        try:
            key = PublicKey(self.public_key).add(digest[:32]).format()
        except ValueError as error:
            # One index in 2^127 has no key; BIP32 says to go on with the next.
            raise Rejected("BAD_INDEX", f"{index} has no key") from error
        return type(self)(key, digest[32:])

    def digest(self, index: int) -> bytes:
        """What is added to the key, then the chain code of the child."""
        return hmac.digest(self.chain_code, self.public_key + index.to_bytes(4, "big"), "sha512")
