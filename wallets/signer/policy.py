"""What a signer may sign at most, whoever asks. Pure; read from a file by `policy_file`.

Nothing here is told by a caller: limits, keys of the approver and of people, and the list of
addresses that internal transfers may pay come from the signer's own file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wallets.errors import Rejected


@dataclass(frozen=True, slots=True)
class AssetPolicy:
    """Bounds of one asset of one network, in atoms."""

    hourly_cap_atoms: int
    # Above this amount people's signatures are needed, verified here.
    people_above_atoms: int


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """Bounds of one network."""

    network_id: int
    chain: str
    network: str
    # Of Ethereum; 0 elsewhere.
    chain_id: int
    # Branch name to derivation path, for example {"hot": "m/84'/1'/1'/0"}.
    branches: Mapping[str, str]
    # By contract as the chain writes it; empty = the native asset. Others are never paid.
    assets: Mapping[str, AssetPolicy]
    # Of one transaction, in atoms of the native asset.
    fee_cap_atoms: int
    # Where internal transfers may go besides keys of ours: cold addresses, set offline.
    listed_destinations: frozenset[str] = frozenset()
    # Of TRON: burnt per byte without bandwidth, in sun, and how long a transaction may live.
    byte_price_sun: int = 1_000
    lifetime_seconds_max: int = 3_600

    def asset(self, contract: str) -> AssetPolicy:
        """Bounds of an asset; raises Rejected."""
        found = self.assets.get(contract)
        if found is None:
            raise Rejected("ASSET_NOT_ALLOWED", f"{contract or 'native'} on {self.network_id}")
        return found


@dataclass(frozen=True, slots=True)
class Policy:
    """All a signer knows of the world."""

    networks: Mapping[int, NetworkPolicy]
    # Ed25519 public keys (32 bytes) by key id; at most two.
    approver_keys: Mapping[str, bytes]
    # Ed25519 public keys by person.
    people: Mapping[str, bytes]
    # How many people above `people_above_atoms`.
    people_needed: int
    # Methods by name of the caller's certificate; nobody else may call anything.
    callers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # Branches whose keys are static, in a PKCS#11 token.
    token_branches: frozenset[str] = frozenset()

    @property
    def branches(self) -> frozenset[str]:
        """All branches of all networks that have a seed."""
        named = frozenset(name for one in self.networks.values() for name in one.branches)
        return named - self.token_branches

    def network(self, network_id: int) -> NetworkPolicy:
        """Bounds of a network; raises Rejected."""
        found = self.networks.get(network_id)
        if found is None:
            raise Rejected("NETWORK_NOT_ALLOWED", f"network {network_id}")
        return found
