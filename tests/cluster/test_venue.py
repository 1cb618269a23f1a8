"""The chart on a real cluster: fresh install, trade, takeover, changed values, uninstall.

Images cambist-SERVICE:dev must be in the cluster (tools/cluster_images.sh); the variable
CAMBIST_TEST_IMAGE_TAG names another tag.
"""

import datetime
import json
import subprocess
import time
from pathlib import Path

import pytest

from runtime.development_certificates import make_authority
from tests.cluster.conftest import CHART
from tests.cluster.venue import READY_SECONDS, SETTINGS, Venue

# The ladder out of a halt has steps of two seconds.
PHASE_SECONDS = 20
# In the assets that `helm test` made.
BY_VALUES = {
    "name": "by-values",
    "spec": {
        "marketId": 65_536 + 65_003,
        "base": "UNIT",
        "quote": "HELMTEST",
        "lotSizeAtoms": "10000",
        "tickSizeAtoms": "1000000",
    },
}

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


def open_halt_and_resume(venue: Venue) -> None:
    """The chart's operator makes a market in the engine, halts it and opens it again."""
    market = {
        "apiVersion": "cambist.dev/v1alpha1",
        "kind": "Market",
        "metadata": {"name": "helmtest", "namespace": venue.namespace},
        # In the assets that `helm test` made.
        "spec": {
            "marketId": 65_536 + 65_002,
            "base": "UNIT",
            "quote": "HELMTEST",
            "lotSizeAtoms": "10000",
            "tickSizeAtoms": "1000000",
        },
    }
    text = json.dumps(market)
    subprocess.run(["kubectl", "apply", "--filename", "-"], input=text, text=True, check=True)
    venue.wait_phase("CONTINUOUS", PHASE_SECONDS)
    for is_halted, phase in ((True, "HALTED"), (False, "CONTINUOUS")):
        change = json.dumps({"spec": {"halted": is_halted}})
        venue.kubectl("patch", "market", "helmtest", "--type=merge", "--patch", change)
        venue.wait_phase(phase, PHASE_SECONDS)
    venue.kubectl("delete", "market", "helmtest")


def replace_credentials(venue: Venue, folder: Path) -> None:
    """Another authority and all its leaves, as docs/kubernetes/operations.md says."""
    now = datetime.datetime.now(datetime.UTC)
    authority = make_authority(folder, now)
    data = {"authority.pem": (folder / "authority.pem").read_text("ascii")}
    for name in ("matching", "operator", "control"):
        issued = authority.issue(name, now)
        data[f"{name}.pem"] = Path(issued.certificate_file).read_text("ascii")
        data[f"{name}.key.pem"] = Path(issued.private_key_file).read_text("ascii")
    edge = authority.issue("venue-edge", now)
    files = (edge.certificate_file, edge.private_key_file)
    data["edge.pem"] = "".join(Path(file).read_text("ascii") for file in files)
    change = json.dumps({"stringData": data})
    venue.kubectl("patch", "secret", "venue-credentials", "--type=merge", "--patch", change)
    revision = ("--set", "credentials.revision=another")
    venue.helm("upgrade", "venue", str(CHART), *SETTINGS, *revision)
    venue.wait_ready()


def test_a_venue_lives_from_install_to_uninstall(venue: Venue, tmp_path: Path) -> None:
    """One venue, step after step: each needs the one before."""
    started = time.monotonic()
    venue.helm("install", "venue", str(CHART), *SETTINGS)
    venue.wait_ready()
    assert time.monotonic() - started < READY_SECONDS
    said = venue.trade()
    assert "deposited from the faucet through the edge" in said
    assert "traded and canceled through the edge" in said
    open_halt_and_resume(venue)

    # Both pods of the shard die, one after the other: whoever was primary, trading goes on. That
    # nothing acknowledged is lost is not looked at here: tests/faults does, without Kubernetes.
    for index in (0, 1):
        pod = f"venue-matching-1-{index}"
        venue.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
        assert "traded and canceled through the edge" in venue.trade()
        venue.wait_ready()

    credentials = venue.kubectl("get", "secret", "venue-credentials", "--output", "json")
    markets = ("--set-json", f"markets={json.dumps([BY_VALUES])}", "--set", "logLevel=debug")
    said = venue.helm("upgrade", "venue", str(CHART), *SETTINGS, *markets)
    assert "Market by-values is applied" in said
    venue.wait_ready()
    after = venue.kubectl("get", "secret", "venue-credentials", "--output", "json")
    assert json.loads(credentials)["data"] == json.loads(after)["data"]
    assert "traded and canceled through the edge" in venue.trade()

    another = venue.helm_refuses("install", "second", str(CHART), *SETTINGS)
    assert f"venue is a venue in namespace {venue.namespace}" in another
    moved = venue.helm_refuses(
        "upgrade", "venue", str(CHART), *SETTINGS, "--set", "postgres.mode=cnpg"
    )
    assert "postgres.mode was evaluation" in moved

    # The trade below trusts the new authority alone, at the edge and at matching.
    replace_credentials(venue, tmp_path)
    assert "traded and canceled through the edge" in venue.trade()

    said = venue.helm("uninstall", "venue", "--wait")
    assert "kept: the database: claim data-venue-postgres-0 and Secret venue-postgres" in said
    assert venue.names("markets") == set()
    venue.kubectl("delete", "pod", "venue-test-trade", "--ignore-not-found")
    kinds = (
        "roles,rolebindings,leases,deployments,statefulsets,jobs,services,configmaps,secrets,networkpolicies,"
        "poddisruptionbudgets,horizontalpodautoscalers,persistentvolumeclaims"
    )
    assert venue.names(kinds) == {
        "ConfigMap/kube-root-ca.crt",
        # The operator's, released: no chart made it.
        "Lease/cambist-control",
        "Secret/venue-postgres",
        "PersistentVolumeClaim/data-venue-postgres-0",
    }
