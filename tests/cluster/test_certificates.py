"""Certificates that a Job of the chart makes, on a real cluster: made once, renewed when due."""

import pytest

from tests.cluster.conftest import CHART
from tests.cluster.venue import SETTINGS, Venue

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

BY_JOB = [*SETTINGS, "--set", "credentials.mode=job"]
SECRET = "venue-credentials"


def test_the_job_makes_certificates_once_and_again_those_that_are_due(venue: Venue) -> None:
    venue.helm("install", "venue", str(CHART), *BY_JOB)
    venue.wait_ready()
    before = venue.get("secret", SECRET)["data"]
    venue.helm("upgrade", "venue", str(CHART), *BY_JOB)
    assert venue.get("secret", SECRET)["data"] == before

    # The edge is called by another name: its leaf alone is made anew.
    names = ("--set", "edge.hostNames={venue.example.com},credentials.revision=another")
    venue.helm("upgrade", "venue", str(CHART), *BY_JOB, *names)
    after = venue.get("secret", SECRET)["data"]
    assert {name for name in after if after[name] != before.get(name)} == {"edge.pem"}
    venue.wait_ready()
    assert "traded and canceled through the edge" in venue.trade()
