"""A real cluster, named by KUBECONFIG, with our definitions; kubectl and helm are on the path."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.venue import Venue

ROOT = Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "helm" / "cambist"
COMMAND_SECONDS = 120


class Kubectl:
    """kubectl in one namespace."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def run(self, *arguments: str, document: dict[str, Any] | None = None) -> str:
        """Runs it; raises CalledProcessError, whose stderr is what the API server said."""
        given = ["kubectl", "--namespace", self.namespace, *arguments]
        done = subprocess.run(
            given,
            input=json.dumps(document) if document else None,
            capture_output=True,
            text=True,
            check=True,
            timeout=COMMAND_SECONDS,
        )
        return done.stdout

    def apply(self, document: dict[str, Any]) -> None:
        """Creates or changes one object."""
        self.run("apply", "--filename", "-", document=document)

    def refused(self, *arguments: str, document: dict[str, Any] | None = None) -> str:
        """What the API server said when it refused; fails when it did not."""
        with pytest.raises(subprocess.CalledProcessError) as refusal:
            self.run(*arguments, document=document)
        return str(refusal.value.stderr)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """One object."""
        found: dict[str, Any] = json.loads(self.run("get", kind, name, "--output", "json"))
        return found


@pytest.fixture(scope="session")
def definitions() -> None:
    """Custom resource definitions as the chart renders them."""
    if "KUBECONFIG" not in os.environ or not shutil.which("kubectl") or not shutil.which("helm"):
        pytest.skip("no cluster: set KUBECONFIG, with kubectl and helm on the path")
    rendered = subprocess.run(
        [
            *("helm", "template", "cambist", str(CHART), "--kube-version", "1.35.0"),
            # The definitions alone: the venue itself is what other tests install.
            *("--show-only", "templates/crds/markets.yaml"),
            *("--show-only", "templates/crds/walletchains.yaml"),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=COMMAND_SECONDS,
    ).stdout
    for arguments in (
        ["apply", "--server-side", "--filename", "-"],
        [
            "wait",
            "--for",
            "condition=Established",
            "crd",
            "--selector",
            "app.kubernetes.io/part-of=cambist",
        ],
    ):
        subprocess.run(
            ["kubectl", *arguments], input=rendered, text=True, check=True, timeout=COMMAND_SECONDS
        )


@pytest.fixture(scope="module")
def venue(definitions: None) -> Iterator[Venue]:
    """A namespace for a release of the chart; gone after the module."""
    made = Venue()
    yield made
    made.remove()


@pytest.fixture
def kubectl(definitions: None) -> Iterator[Kubectl]:
    """kubectl in a namespace of its own, gone after the test."""
    namespace = f"test-{secrets.token_hex(4)}"
    subprocess.run(
        ["kubectl", "create", "namespace", namespace], check=True, timeout=COMMAND_SECONDS
    )
    yield Kubectl(namespace)
    subprocess.run(
        ["kubectl", "delete", "namespace", namespace, "--wait=false"],
        check=True,
        timeout=COMMAND_SECONDS,
    )
