"""From the chart's last release to this one and back, under load: nothing acknowledged is lost.

The last release's chart lies here as helm packed it. Both run images of now unless
CAMBIST_TEST_PREVIOUS_TAG names older ones; a changed chart replaces every pod either way.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import CHART
from tests.cluster.operator.waiting import until
from tests.cluster.upgrade import load
from tests.cluster.venue import SETTINGS, TAG, Venue

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

HERE = Path(load.__file__).resolve().parent
PREVIOUS = HERE / "cambist-0.1.0.tgz"
PREVIOUS_TAG = os.environ.get("CAMBIST_TEST_PREVIOUS_TAG", TAG)
LOAD_SECONDS = 120.0
ROLLOUT_SECONDS = "420s"
OLD = ["--set", f"image.tag={PREVIOUS_TAG}", "--set", "crds.install=false"]


def load_pod(test: dict[str, Any]) -> list[dict[str, Any]]:
    """A pod like that of `helm test`, with a program of ours."""
    spec = test["spec"]
    (container,) = spec["containers"]
    container = {
        **container,
        "name": "load",
        "command": ["python", "/load/load.py", "/trial/key.json"],
        "volumeMounts": [*container["volumeMounts"], {"name": "load", "mountPath": "/load"}],
    }
    kept = ("restartPolicy", "securityContext", "initContainers", "enableServiceLinks")
    content = {"load.py": (HERE / "load.py").read_text("utf-8")}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "load"},
            "data": content,
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "load", "labels": test["metadata"]["labels"]},
            "spec": {
                **{key: spec[key] for key in kept if key in spec},
                "automountServiceAccountToken": False,
                "containers": [container],
                "volumes": [*spec["volumes"], {"name": "load", "configMap": {"name": "load"}}],
            },
        },
    ]


def says(venue: Venue, word: str) -> bool:
    return word in venue.kubectl("logs", "load", "--container", "load")


def test_an_upgrade_and_a_rollback_under_load_lose_nothing_that_was_acknowledged(
    venue: Venue,
) -> None:
    venue.helm("install", "venue", str(PREVIOUS), *OLD)
    venue.wait_ready()
    # Makes market, firm and accounts.
    venue.trade()
    venue.apply(*load_pod(venue.get("pod", "venue-test-trade")))
    venue.kubectl("wait", "pod/load", "--for=condition=Ready", "--timeout=60s")
    until(lambda: says(venue, "loading"), LOAD_SECONDS)

    wait = ("--wait", "--timeout", ROLLOUT_SECONDS)
    venue.helm("upgrade", "venue", str(CHART), *SETTINGS, *wait, seconds=450)
    venue.wait_ready()
    venue.helm("rollback", "venue", "1", *wait, seconds=450)
    venue.wait_ready()

    venue.kubectl("exec", "load", "--container", "load", "--", "touch", "/trial/stop")
    until(lambda: says(venue, "acknowledged"), LOAD_SECONDS)
    lines = venue.kubectl("logs", "load", "--container", "load").splitlines()
    found = json.loads(lines[-1])
    print(found)
    assert found["acknowledged"] > 100
    assert found["lost"] == 0
    # Every command had an answer, however long it took.
    assert found["unknown"] == 0
