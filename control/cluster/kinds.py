"""The kinds of objects that the operator reads and writes, with their paths."""

import enum
from typing import Any

Object = dict[str, Any]


class Kind(enum.Enum):
    """Group and version, plural, and whether it is watched."""

    WALLET_CHAIN = ("WalletChain", "cambist.dev/v1alpha1", "walletchains")
    MARKET = ("Market", "cambist.dev/v1alpha1", "markets")
    DEPLOYMENT = ("Deployment", "apps/v1", "deployments")
    POD = ("Pod", "v1", "pods")
    SERVICE = ("Service", "v1", "services")
    SERVICE_ACCOUNT = ("ServiceAccount", "v1", "serviceaccounts")
    NETWORK_POLICY = ("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies")
    DISRUPTION_BUDGET = ("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets")
    EVENT = ("Event", "events.k8s.io/v1", "events")
    # Never the operator's: the chart's Job of credentials alone has a right to two of them.
    SECRET = ("Secret", "v1", "secrets")
    LEASE = ("Lease", "coordination.k8s.io/v1", "leases")

    @property
    def title(self) -> str:
        """As in `kind:`."""
        return self.value[0]

    @property
    def api_version(self) -> str:
        """As in `apiVersion:`."""
        return self.value[1]

    @property
    def plural(self) -> str:
        """As in paths."""
        return self.value[2]

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """Path of the collection, of one object, or of its subresource."""
        root = "/apis/" if "/" in self.api_version else "/api/"
        parts = [f"{root}{self.api_version}/namespaces/{namespace}/{self.plural}"]
        return "/".join([*parts, *(part for part in (name, subresource) if part)])


# What is kept in memory: resources of ours, and what carries our label.
CACHED = (Kind.WALLET_CHAIN, Kind.MARKET, Kind.DEPLOYMENT, Kind.POD)
# Name of the WalletChain that a Deployment or a pod belongs to.
CHAIN_LABEL = "cambist.dev/wallet-chain"
LABELLED = frozenset({Kind.DEPLOYMENT, Kind.POD})


def name_of(found: Object) -> str:
    """`metadata.name`."""
    return str(found["metadata"]["name"])


def label_of(found: Object, label: str) -> str:
    """One label; empty when it is not there."""
    return str((found["metadata"].get("labels") or {}).get(label, ""))


def annotations_of(found: Object) -> dict[str, str]:
    """All annotations."""
    return found["metadata"].get("annotations") or {}
