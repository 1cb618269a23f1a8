"""A venue with custody, a node beside it and one WalletChain, on a real cluster."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.cluster.conftest import CHART
from tests.cluster.custody import call, keys_and_policies, node, roles
from tests.cluster.venue import READY_SECONDS, SETTINGS, Venue
from wallets.ethereum.addresses import text_of

ENABLED: Final = [
    *("--set", "wallets.enabled=true"),
    *("--set", "wallets.signer.secretName=signing,wallets.signer.seedsSecretName=seeds"),
    *("--set", "wallets.approver.secretName=approving"),
    *("--set", "wallets.approver.keysSecretName=approver-keys,wallets.approver.keyId=one"),
    *roles.SETTINGS,
]
FUNDED_ATOMS: Final = 10**20
CHAIN: Final[dict[str, Any]] = {
    "name": "eth",
    "spec": {
        "chain": "ethereum",
        "network": "dev",
        "chainFileSecretRef": {"name": "eth-chain"},
        "nodes": [{"name": "a", "ports": [8545]}],
        "scaling": {
            "maxReplicas": 2,
            "targetBacklogPerReplica": 10,
            "cooldownSeconds": 0,
            "stabilizationSeconds": {"up": 0, "down": 0},
            "stepPercent": 1000,
            "signalStaleSeconds": 30,
        },
        "resources": {"requests": {"cpu": "20m", "memory": "128Mi"}},
    },
}
CALL: Final = Path(call.__file__).read_text("utf-8")
WORKERS: Final = "cambist.dev/wallet-chain=eth"


class Custody(Venue):
    """A venue with custody."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def chain(self) -> dict[str, Any]:
        return self.get("walletchain", "eth")

    def condition(self, kind: str) -> dict[str, Any]:
        found = self.chain().get("status", {}).get("conditions", [])
        return next((one for one in found if one["type"] == kind), {})

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """Those that are not going."""
        found = self.get("pods", "--selector", selector)["items"]
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    def workers(self) -> list[dict[str, Any]]:
        """Pods of workers that are not going."""
        return self.pods(WORKERS)

    def replicas(self) -> int:
        found: int = self.get("deployment", "wallets-eth")["spec"]["replicas"]
        return found

    def ready_workers(self) -> int:
        return int(self.get("deployment", "wallets-eth")["status"].get("readyReplicas", 0))

    def ask(self, where: str, name: str, address: str) -> str:
        """What a call from a pod comes to."""
        return self.kubectl("exec", where, "--", "python", "-c", CALL, name, address).strip()

    def set_chain(self, *more: str) -> None:
        """The WalletChain as a value of the chart, also after it was deleted."""
        chains = ("--set-json", f"wallets.chains={json.dumps([CHAIN])}", *more)
        self.helm("upgrade", "venue", str(CHART), *SETTINGS, *ENABLED, *chains)

    def wait_chain(self) -> None:
        """Its workers are ready."""
        ready = ("walletchain/eth", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
        self.kubectl("wait", *ready)

    @contextmanager
    def watching_annotations(self) -> Iterator[Path]:
        """A file with the annotations that workers' pods get meanwhile."""
        path = self.folder / "annotations"
        shown = ("--watch", "--output", "jsonpath={.metadata.annotations}{'\\n'}")
        command = ["kubectl", "--namespace", self.namespace, "get", "pods", "--selector", WORKERS]
        with path.open("wb") as sink, subprocess.Popen([*command, *shown], stdout=sink) as watch:
            try:
                yield path
            finally:
                watch.terminate()


def fund_hot_wallet(venue: Custody) -> None:
    """Ether out of nothing. What reconciliation's first look finds is nobody's, later a surplus."""
    account = text_of(keys_and_policies.hot_account())
    node.call(venue, "anvil_setBalance", account, hex(FUNDED_ATOMS))


def install(venue: Custody) -> None:
    """All that docs/kubernetes/install.md says, in its order."""
    venue.apply(*keys_and_policies.make(venue.folder), *roles.documents(), *node.documents())
    venue.helm("install", "venue", str(CHART), *SETTINGS, *ENABLED)
    venue.wait_ready()
    venue.kubectl("wait", "pod/node", "--for=condition=Ready", "--timeout=60s")
    registration = keys_and_policies.registration(node.genesis_hash(venue))
    apply = ("deployment/venue-custody", "--", "python", "-m", "wallets", "apply", "/dev/stdin")
    venue.kubectl("exec", "--stdin", *apply, text=registration)
    fund_hot_wallet(venue)
    venue.set_chain()
    venue.wait_ready()
    venue.wait_chain()
