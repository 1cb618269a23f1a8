"""Which store has the keys of a branch: seeds in memory, or a token. Pure; made by `server`."""

from collections.abc import Mapping
from dataclasses import dataclass

from cambist.internal.signer.v1 import intent_pb2
from wallets.signer.keys.places import Keys, Signature
from wallets.signer.policy import NetworkPolicy


@dataclass(frozen=True, slots=True)
class BranchKeys:
    """A store by branch; every other branch is in `rest`."""

    by_branch: Mapping[str, Keys]
    rest: Keys

    def public_key(self, network: NetworkPolicy, place: intent_pb2.KeyPlace) -> bytes:
        """As the store of the branch has it."""
        return self._store(place.branch).public_key(network, place)

    def sign(self, network: NetworkPolicy, place: intent_pb2.KeyPlace, digest: bytes) -> Signature:
        """As the store of the branch signs."""
        return self._store(place.branch).sign(network, place, digest)

    def branch_key(self, network: NetworkPolicy, branch: str) -> str:
        """As the store of the branch has it."""
        return self._store(branch).branch_key(network, branch)

    def _store(self, branch: str) -> Keys:
        return self.by_branch.get(branch, self.rest)
