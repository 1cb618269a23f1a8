"""Deposit scripts (P2WPKH) of an extended public key: BIP32, not hardened, no private key near.

Called by the adapter, in a process pool for many. One elliptic curve addition and two hashes per
script, by coincurve: bitcoinlib derives the same keys a hundred times slower. Texts are made only
for addresses that are given out; look-ups compare script bytes.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import base58
from coincurve import PublicKey

from wallets.bitcoin.networks import BitcoinNetwork
from wallets.bitcoin.scripts import ScriptKind, script_of
from wallets.errors import Rejected

HARDENED: Final = 2**31
EXTENDED_KEY_BYTES: Final = 78


@dataclass(frozen=True, slots=True)
class Branch:
    """An extended public key whose children are keys of deposit addresses."""

    public_key: bytes
    chain_code: bytes

    def child(self, index: int) -> "Branch":
        """The child of an index below 2^31. Raises Rejected."""
        if not 0 <= index < HARDENED:
            raise Rejected("BAD_INDEX", f"{index} is not that of a child without a private key")
        digest = self._digest(index)
        try:
            key = PublicKey(self.public_key).add(digest[:32]).format()
        except ValueError as error:
            # One index in 2^127 has no key; BIP32 says to go on with the next.
            raise Rejected("BAD_INDEX", f"{index} has no key") from error
        return Branch(key, digest[32:])

    def scripts(self, start: int, count: int) -> Iterator[bytes]:
        """The scripts of `count` children from `start` on, in order."""
        if count < 0 or not 0 <= start <= HARDENED - count:
            raise Rejected("BAD_INDEX", f"{start} and {count} more")
        parent = PublicKey(self.public_key)
        for index in range(start, start + count):
            yield script_of_key(parent.add(self._digest(index)[:32]).format())

    def _digest(self, index: int) -> bytes:
        """What is added to the key, then the chain code of the child."""
        return hmac.digest(self.chain_code, self.public_key + index.to_bytes(4, "big"), "sha512")


def script_of_key(public_key: bytes) -> bytes:
    """P2WPKH of a compressed public key."""
    digest = hashlib.new("ripemd160", hashlib.sha256(public_key).digest()).digest()
    return script_of(ScriptKind.P2WPKH, digest)


def parse_branch(extended_public_key: str, network: BitcoinNetwork) -> Branch:
    """Reads xpub, zpub, tpub or vpub, as the network has them. Raises Rejected by name."""
    try:
        payload = base58.b58decode_check(extended_public_key)
    except ValueError as error:
        raise Rejected("BAD_EXTENDED_KEY", "not base58 or a wrong checksum") from error
    if len(payload) != EXTENDED_KEY_BYTES:
        raise Rejected("BAD_EXTENDED_KEY", f"{len(payload)} bytes")
    key = payload[45:]
    if key[0] == 0:
        # Never repeat it: what is in the message may end in a log.
        raise Rejected("PRIVATE_KEY", "an extended private key was given; it must not be here")
    if payload[:4] not in network.public_key_versions:
        raise Rejected("WRONG_NETWORK", f"version {payload[:4].hex()} on {network.chain}")
    try:
        PublicKey(key)
    except ValueError as error:
        raise Rejected("BAD_EXTENDED_KEY", "its key is not on the curve") from error
    return Branch(key, payload[13:45])
