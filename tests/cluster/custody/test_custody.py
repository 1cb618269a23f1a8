"""Custody of the chart on a real cluster, with a real node: pods, certificates, policies, scaling.

Images cambist-SERVICE:TAG and cambist-test-node:TAG must be in the cluster.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import CHART
from tests.cluster.custody import call, keys_and_policies, node
from tests.cluster.operator.waiting import until
from tests.cluster.venue import READY_SECONDS, SETTINGS, Venue

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

GROW_SECONDS = 30.0
SHRINK_SECONDS = 120.0
ENABLED = [
    *("--set", "wallets.enabled=true"),
    *("--set", "wallets.signer.secretName=signing,wallets.signer.seedsSecretName=seeds"),
    *("--set", "wallets.approver.secretName=approving"),
    *("--set", "wallets.approver.keysSecretName=approver-keys,wallets.approver.keyId=one"),
]
CHAIN: dict[str, Any] = {
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
CALL = Path(call.__file__).read_text("utf-8")
PAYOUTS = """
set custody.actor = 'test';
insert into custody.payout (withdrawal_id, kind, shard, journal_seq, account_id, network_id,
    asset_id, destination_text, amount_atoms, engine_amount_atoms, engine_fee_atoms, state)
select decode(lpad(to_hex(n), 32, '0'), 'hex'), 'customer', 1, 0, 1, 2, 1,
    '0x000000000000000000000000000000000000dEaD', 10000000000, 1, 0, 'requested'
from generate_series(1, {count}) n
on conflict do nothing
"""


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

    def workers(self) -> list[dict[str, Any]]:
        """Pods of workers that are not going."""
        pods = self.get("pods", "--selector", "cambist.dev/wallet-chain=eth")["items"]
        return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]

    def replicas(self) -> int:
        found: int = self.get("deployment", "wallets-eth")["spec"]["replicas"]
        return found

    def ask(self, where: str, name: str, address: str) -> str:
        """What a call from a pod comes to."""
        return self.kubectl("exec", where, "--", "python", "-c", CALL, name, address).strip()

    @contextmanager
    def watching_annotations(self) -> Iterator[Path]:
        """A file with the annotations that workers' pods get meanwhile."""
        path = self.folder / "annotations"
        shown = ("--watch", "--output", "jsonpath={.metadata.annotations}{'\\n'}")
        selected = ("--selector", "cambist.dev/wallet-chain=eth")
        command = ["kubectl", "--namespace", self.namespace, "get", "pods", *selected, *shown]
        with path.open("wb") as sink, subprocess.Popen(command, stdout=sink) as watch:
            try:
                yield path
            finally:
                watch.terminate()


@pytest.fixture(scope="module")
def custody(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Custody]:
    if "KUBECONFIG" not in os.environ or not shutil.which("helm"):
        pytest.skip("no cluster: set KUBECONFIG, with kubectl and helm on the path")
    request.getfixturevalue("definitions")
    made = Custody(tmp_path_factory.mktemp("custody"))
    try:
        install(made, made.folder)
        yield made
    finally:
        made.remove()


def install(venue: Custody, folder: Path) -> None:
    """All that docs/kubernetes/install.md says, in its order."""
    venue.apply(*keys_and_policies.make(folder), *node.documents())
    venue.helm("install", "venue", str(CHART), *SETTINGS, *ENABLED)
    venue.wait_ready()
    venue.kubectl("wait", "pod/node", "--for=condition=Ready", "--timeout=60s")
    registration = keys_and_policies.registration(node.genesis_hash(venue))
    apply = ("deployment/venue-custody", "--", "python", "-m", "wallets", "apply", "/dev/stdin")
    venue.kubectl("exec", "--stdin", *apply, text=registration)
    chains = ("--set-json", f"wallets.chains={json.dumps([CHAIN])}")
    venue.helm("upgrade", "venue", str(CHART), *SETTINGS, *ENABLED, *chains)
    venue.wait_ready()
    ready = ("walletchain/eth", "--for=condition=Ready", f"--timeout={READY_SECONDS}s")
    venue.kubectl("wait", *ready)


def test_a_worker_reports_and_calls_signer_and_approver_by_its_certificate(
    custody: Custody,
) -> None:
    until(lambda: custody.condition("SignalFresh").get("status") == "True")
    (worker,) = custody.workers()
    pod = f"pod/{worker['metadata']['name']}"
    for address in ("venue-signer:7301", "venue-approver:7302"):
        assert custody.ask(pod, "wallets", address) == "ok"
        # Without a certificate there is no connection.
        assert custody.ask(pod, "", address) == "UNAVAILABLE"


def test_nobody_else_reaches_the_signer(custody: Custody) -> None:
    """The approver has a certificate of the same authority; the network stops it."""
    reached = custody.ask("deployment/venue-approver", "approver", "venue-signer:7301")
    assert reached in ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def test_a_backlog_brings_a_second_worker_and_an_empty_one_is_drained(custody: Custody) -> None:
    """The journal does not know these payouts, so the approver lets them wait: none is paid."""
    custody.sql(PAYOUTS.format(count=2_000))
    took = until(lambda: custody.replicas() == 2, GROW_SECONDS)
    ready = until(
        lambda: custody.get("deployment", "wallets-eth")["status"].get("readyReplicas") == 2,
        READY_SECONDS,
    )
    print(f"second worker wanted after {took:.1f} s, ready {ready:.1f} s later")
    asked = "select count(*) from custody.payout where condition = 'ApprovalMissing'"
    until(lambda: int(custody.sql(asked)) > 0, GROW_SECONDS)
    assert custody.sql("select count(*) from custody.payout where state <> 'requested'") == "0"
    with custody.watching_annotations() as seen:
        custody.sql("update custody.payout set not_before = 'infinity'")
        took = until(lambda: custody.replicas() == 1, SHRINK_SECONDS)
        until(lambda: len(custody.workers()) == 1, SHRINK_SECONDS)
    print(f"drained to one worker in {took:.1f} s")
    assert "cambist.dev/drain" in seen.read_text("utf-8")


def test_workers_stay_up_while_their_node_is_away(custody: Custody) -> None:
    custody.kubectl("delete", "pod", "node", "--grace-period=0", "--force")
    (worker,) = custody.workers()
    before = worker["status"]["containerStatuses"][0]["restartCount"]
    custody.sql(PAYOUTS.format(count=2_000))
    custody.sql("update custody.payout set not_before = '-infinity'")
    until(lambda: custody.chain()["status"].get("backlog", 0) > 0, GROW_SECONDS)
    # The backlog may have brought another one beside it.
    names = [one["metadata"]["name"] for one in custody.workers()]
    assert worker["metadata"]["name"] in names
    worker = custody.get("pod", worker["metadata"]["name"])
    status = worker["status"]["containerStatuses"][0]
    assert status["restartCount"] == before
    assert "waiting" not in status["state"]
