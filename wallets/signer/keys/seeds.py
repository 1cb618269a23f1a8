"""The seeds of the branches, in memory: keys of places, and public keys of branches.

Made at start by `server`, used by the rebuilders as `Keys`. A branch has a seed of its own, so that
one that leaks opens no other. No method returns a private key, and no error or repr holds one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from coincurve import PrivateKey
from eth_account.hdaccount import key_from_seed

from cambist.internal.signer.v1 import intent_pb2
from wallets.errors import Rejected
from wallets.signer.keys.extended import VERSION, VERSION_TEST, extended_public_key
from wallets.signer.keys.places import Signature, path_of
from wallets.signer.keys.stores import SeedStore
from wallets.signer.policy import NetworkPolicy


@dataclass(frozen=True, slots=True)
class Seeds:
    """Seeds by name of the branch."""

    by_branch: Mapping[str, bytes] = field(repr=False)

    def public_key(self, network: NetworkPolicy, place: intent_pb2.KeyPlace) -> bytes:
        """The public key of a place, 33 bytes; raises Rejected when there is no such key."""
        return bytes(self._private_key(network, place).public_key.format())

    def sign(self, network: NetworkPolicy, place: intent_pb2.KeyPlace, digest: bytes) -> Signature:
        """Of a digest of 32 bytes; the nonce is derived (RFC 6979), s is low. Raises Rejected."""
        found = self._private_key(network, place).sign_recoverable(digest, hasher=None)
        return Signature(found[:32], found[32:64], found[64])

    def _private_key(self, network: NetworkPolicy, place: intent_pb2.KeyPlace) -> PrivateKey:
        path = path_of(network, place)
        seed = self.by_branch.get(place.branch)
        if seed is None:
            raise Rejected("KEY_UNKNOWN", f"branch {place.branch!r} has no seed")
        return PrivateKey(bytes(key_from_seed(seed, path)))

    def branch_key(self, network: NetworkPolicy, branch: str) -> str:
        """The extended public key of a branch, all that ever leaves; raises Rejected."""
        seed = self.by_branch.get(branch)
        if seed is None:
            raise Rejected("KEY_UNKNOWN", f"branch {branch!r} has no seed")
        is_test = network.chain == "bitcoin" and network.network != "main"
        version = VERSION_TEST if is_test else VERSION
        return extended_public_key(seed, network.branches[branch], version)


def read_seeds(store: SeedStore, branches: Iterable[str]) -> Seeds:
    """The seeds of all these branches. Raises ConfigurationError, Unavailable."""
    return Seeds({one: store.read(one) for one in sorted(branches)})
