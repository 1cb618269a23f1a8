"""The Role grants exactly what the operator calls, by the API server's own audit log."""

import signal

import pytest
import yaml

from tests.cluster import audit
from tests.cluster.conftest import ROOT
from tests.cluster.operator.conftest import ACCOUNT, CHAIN, Venue
from tests.cluster.operator.engine import Matching
from tests.cluster.operator.test_markets import MARKET, operator
from tests.cluster.operator.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


def test_calls_made_are_verbs_granted(venue: Venue, matching: Matching) -> None:
    audit.need_log()
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
    role = yaml.safe_load((ROOT / "control" / "rbac.yaml").read_text(encoding="utf-8"))
    calls = audit.requests(venue.kubectl.namespace, ACCOUNT)
    assert audit.used(calls) == audit.granted(role["rules"])
