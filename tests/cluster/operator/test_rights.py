"""The Role grants exactly what the operator calls, by the API server's own audit log.

Needs a cluster that writes one (CLUSTER_AUDIT=1 of the one-node cluster), named by
CAMBIST_AUDIT_LOG.
"""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import ROOT
from tests.cluster.operator.conftest import ACCOUNT, CHAIN, Venue
from tests.cluster.operator.engine import Matching
from tests.cluster.operator.test_markets import MARKET, operator
from tests.cluster.operator.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]
Right = tuple[str, str, str]
CREATED = 201


def granted() -> set[Right]:
    role = yaml.safe_load((ROOT / "control" / "rbac.yaml").read_text(encoding="utf-8"))
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def requests(namespace: str) -> Iterator[dict[str, Any]]:
    """Finished requests of the operator about objects."""
    user = f"system:serviceaccount:{namespace}:{ACCOUNT}"
    for line in Path(os.environ["CAMBIST_AUDIT_LOG"]).read_text().splitlines():
        entry = json.loads(line)
        # Whoever could not be told has no name.
        if entry["user"].get("username") == user and "objectRef" in entry:
            yield entry


def rights_of(entry: dict[str, Any]) -> set[Right]:
    about = entry["objectRef"]
    parts = [about["resource"], about.get("subresource", "")]
    resource = "/".join(part for part in parts if part)
    group, verb = about.get("apiGroup", ""), entry["verb"]
    found = {(group, resource, verb)}
    # An apply that makes the object needs the right to create as well.
    if verb == "patch" and entry.get("responseStatus", {}).get("code") == CREATED:
        found.add((group, resource, "create"))
    return found


def test_calls_made_are_verbs_granted(venue: Venue, matching: Matching) -> None:
    if "CAMBIST_AUDIT_LOG" not in os.environ:
        pytest.skip("no audit log: set CAMBIST_AUDIT_LOG")
    operator(venue, matching)
    venue.kubectl.apply(CHAIN)
    venue.kubectl.apply(MARKET)
    until(lambda: len(venue.pods()) == 1)
    worker = venue.run_pod(venue.pods()[0])
    worker.report.claimable_count = 20
    until(lambda: venue.replicas() == 2)
    until(lambda: matching.phase() == "CONTINUOUS")
    worker.report.claimable_count = 0
    until(lambda: venue.replicas() == 1)
    venue.operators[0].send_signal(signal.SIGTERM)
    venue.operators[0].wait(20)
    seen = list(requests(venue.kubectl.namespace))
    refused = [entry["requestURI"] for entry in seen if entry["responseStatus"]["code"] == 403]
    assert refused == []
    assert {right for entry in seen for right in rights_of(entry)} == granted()
