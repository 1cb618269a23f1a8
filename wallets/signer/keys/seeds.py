"""The seeds of the branches, in memory: keys of places, and public keys of branches.

Made at start by `server`, used by the rebuilders. A branch has a seed of its own, so that one that
leaks opens no other. No method returns a seed, and no text of an error or repr holds one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from eth_account.hdaccount import key_from_seed

from cambist.internal.signer.v1 import intent_pb2
from wallets.errors import Rejected
from wallets.sealed_files import file_of, read_seed
from wallets.signer.keys.extended import VERSION, VERSION_TEST, extended_public_key
from wallets.signer.policy import NetworkPolicy

INDEX_MAX: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Seeds:
    """Seeds by name of the branch."""

    by_branch: Mapping[str, bytes] = field(repr=False)

    def private_key(self, network: NetworkPolicy, place: intent_pb2.KeyPlace) -> bytes:
        """The key of a place; raises Rejected for a branch that the policy does not name."""
        path = network.branches.get(place.branch)
        seed = self.by_branch.get(place.branch)
        if path is None or seed is None or place.index > INDEX_MAX:
            raise Rejected("KEY_UNKNOWN", f"branch {place.branch!r} on {network.network_id}")
        return bytes(key_from_seed(seed, f"{path}/{place.index}"))

    def public_key(self, network: NetworkPolicy, branch: str) -> str:
        """The extended public key of a branch, all that ever leaves; raises Rejected."""
        seed = self.by_branch.get(branch)
        if seed is None:
            raise Rejected("KEY_UNKNOWN", f"branch {branch!r} has no seed")
        is_test = network.chain == "bitcoin" and network.network != "main"
        version = VERSION_TEST if is_test else VERSION
        return extended_public_key(seed, network.branches[branch], version)


def read_seeds(directory: Path, branches: Iterable[str], passphrase: bytes) -> Seeds:
    """The seeds of all these branches; raises ConfigurationError when one is missing."""
    return Seeds({one: read_seed(file_of(directory, one), passphrase) for one in sorted(branches)})
