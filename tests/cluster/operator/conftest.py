"""The operator as a process of this machine against the cluster, under its own Role alone.

Pods of its Deployments fit no node; tests make them Running at loopback addresses, where workers
of the test answer.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from runtime.embedded_postgres import EmbeddedPostgres
from tests.cluster.conftest import ROOT, Kubectl
from tests.cluster.operator import engine
from tests.cluster.operator.link import Link
from tests.cluster.operator.waiting import free_port
from tests.cluster.operator.workers import Worker

ACCOUNT = "cambist-control"
CHAIN: dict[str, Any] = {
    "apiVersion": "cambist.dev/v1alpha1",
    "kind": "WalletChain",
    "metadata": {"name": "btc"},
    "spec": {
        "chain": "bitcoin",
        "network": "regtest",
        "chainFileSecretRef": {"name": "node", "key": "chain.json"},
        "nodes": [{"name": "a"}],
        "scaling": {
            "targetBacklogPerReplica": 10,
            "cooldownSeconds": 0,
            "stabilizationSeconds": {"up": 0, "down": 0},
            "stepPercent": 1000,
            "signalStaleSeconds": 5,
        },
    },
}


class Venue:
    """A namespace with operators in front of it."""

    def __init__(self, kubectl: Kubectl, folder: Path) -> None:
        self.kubectl = kubectl
        self.folder = folder
        self.port = free_port()
        self.operators: list[subprocess.Popen[bytes]] = []
        self.workers: dict[str, Worker] = {}
        self.more: dict[str, str] = {}
        self._kubeconfig = folder / "kubeconfig"
        self._template = folder / "template.yaml"
        self._template.write_text(yaml.safe_dump({"spec": {"nodeSelector": {"fits": "nothing"}}}))
        self._grant()

    def _grant(self) -> None:
        self.kubectl.run("create", "serviceaccount", ACCOUNT)
        role = yaml.safe_load((ROOT / "control" / "rbac.yaml").read_text(encoding="utf-8"))
        self.kubectl.apply(role)
        subject = f"--serviceaccount={self.kubectl.namespace}:{ACCOUNT}"
        self.kubectl.run("create", "rolebinding", ACCOUNT, f"--role={ACCOUNT}", subject)
        token = self.kubectl.run("create", "token", ACCOUNT).strip()
        shown = self.kubectl.run("config", "view", "--raw", "--minify", "--output", "json")
        document = json.loads(shown)
        document["users"][0]["user"] = {"token": token}
        cluster = document["clusters"][0]["cluster"]
        address = urlsplit(cluster["server"])
        assert address.hostname
        self.link = Link(address.hostname, address.port or 443)
        cluster["server"] = f"https://127.0.0.1:{self.link.port}"
        self._kubeconfig.write_text(json.dumps(document))

    def start(self, **settings: str) -> subprocess.Popen[bytes]:
        """One more replica of the operator."""
        prefix = "CAMBIST_CONTROL_"
        given = {
            "NAMESPACE": self.kubectl.namespace,
            "HEALTH_ADDRESS": "127.0.0.1:0",
            "WORKER_PORT": str(self.port),
            "WORKER_TEMPLATE_FILE": str(self._template),
            "WORKER_DRAIN_SECONDS": "10",
            **settings,
        }
        environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        environment |= {prefix + key: value for key, value in given.items()}
        environment["KUBECONFIG"] = str(self._kubeconfig)
        log = (self.folder / f"operator-{len(self.operators)}.log").open("wb")
        operator = subprocess.Popen(
            [sys.executable, "-m", "control"], cwd=ROOT, env=environment, stderr=log
        )
        log.close()
        self.operators.append(operator)
        return operator

    def log(self, index: int = 0) -> str:
        return (self.folder / f"operator-{index}.log").read_text()

    def chain(self, name: str = "btc") -> dict[str, Any]:
        return self.kubectl.get("walletchain", name)

    def condition(self, kind: str, name: str = "btc") -> dict[str, Any]:
        conditions = self.chain(name).get("status", {}).get("conditions", [])
        return next((found for found in conditions if found["type"] == kind), {})

    def pods(self) -> list[str]:
        found = json.loads(
            self.kubectl.run("get", "pods", "-l", "cambist.dev/wallet-chain", "-o", "json")
        )
        return [
            pod["metadata"]["name"]
            for pod in found["items"]
            if not pod["metadata"].get("deletionTimestamp")
        ]

    def replicas(self) -> int:
        try:
            return int(self.kubectl.get("deployment", "wallets-btc")["spec"]["replicas"])
        except subprocess.CalledProcessError:
            return -1

    def run_pod(self, name: str) -> Worker:
        """Makes a pod Running, with a worker at its address."""
        address = f"127.0.0.{len(self.workers) + 2}"
        self.workers[name] = worker = Worker(address, self.port)
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
        patch = json.dumps({"status": status})
        self.kubectl.run("patch", "pod", name, "--subresource=status", "--patch", patch)
        return worker

    def holder(self) -> str:
        try:
            lease = self.kubectl.get("lease", "cambist-control")
        except subprocess.CalledProcessError:
            return ""
        return str(lease["spec"].get("holderIdentity") or "")

    def stop(self) -> None:
        for operator in self.operators:
            if operator.poll() is None:
                operator.send_signal(signal.SIGCONT)
                operator.kill()
            operator.wait()
        for worker in self.workers.values():
            worker.stop()
        self.link.stop()


@pytest.fixture
def venue(kubectl: Kubectl, tmp_path: Path) -> Iterator[Venue]:
    made = Venue(kubectl, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def matching(postgres_server: EmbeddedPostgres) -> Iterator[engine.Matching]:
    with engine.running(postgres_server) as started:
        yield started
