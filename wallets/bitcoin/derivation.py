"""Deposit scripts (P2WPKH) of an extended public key; no private key near.

Called by the adapter, in a process pool for many. Texts are made only for addresses that are given
out; look-ups compare script bytes.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from wallets.bitcoin.addresses import address_of
from wallets.bitcoin.networks import BitcoinNetwork
from wallets.bitcoin.scripts import ScriptKind, script_of
from wallets.contract import Destination
from wallets.errors import Rejected
from wallets.extended_keys import HARDENED, ExtendedKey


@dataclass(frozen=True, slots=True)
class Branch(ExtendedKey):
    """An extended public key whose children are keys of deposit addresses."""

    def scripts(self, start: int, count: int) -> Iterator[bytes]:
        """The scripts of `count` children from `start` on, in order."""
        if count < 0 or not 0 <= start <= HARDENED - count:
            raise Rejected("BAD_INDEX", f"{start} and {count} more")
        for index in range(start, start + count):
            yield script_of_key(self.point(index).format())


def script_of_key(public_key: bytes) -> bytes:
    """P2WPKH of a compressed public key."""
    digest = hashlib.new("ripemd160", hashlib.sha256(public_key).digest()).digest()
    return script_of(ScriptKind.P2WPKH, digest)


def wallet_at(extended_public_key: str, index: int, network: BitcoinNetwork) -> Destination:
    """The deposit address of a place of a branch. Raises Rejected by name."""
    branch = parse_branch(extended_public_key, network)
    script = script_of_key(branch.point(index).format())
    return Destination(address_of(script, network), script)


def parse_branch(extended_public_key: str, network: BitcoinNetwork) -> Branch:
    """Reads xpub, zpub, tpub or vpub, as the network has them. Raises Rejected by name."""
    place = f" on {network.chain}"
    return Branch.parse(extended_public_key, network.public_key_versions, place)
