"""Workers follow what waits: up within seconds, held without a signal, down by drain."""

import pytest

from tests.cluster.operator.conftest import CHAIN, Venue, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


def begun(venue: Venue) -> str:
    """A chain whose one pod runs; its name."""
    venue.start()
    venue.kubectl.apply(CHAIN)
    until(lambda: len(venue.pods()) == 1)
    (pod,) = venue.pods()
    return pod


def test_a_backlog_adds_workers_a_lost_signal_holds_them_and_idleness_drains_them(
    venue: Venue,
) -> None:
    first = venue.run_pod(begun(venue))
    until(lambda: venue.condition("SignalFresh").get("status") == "True")
    first.report.claimable_count = 25
    assert until(lambda: venue.replicas() == 3) < 5.0
    until(lambda: venue.chain()["status"]["decision"]["claimable"] == 25)
    decision = venue.chain()["status"]["decision"]
    assert (decision["reason"], decision["signalFresh"]) in [
        ("Backlog", True),
        ("WithinTolerance", True),
    ] or decision["wanted"] == 3

    first.stop()
    until(lambda: venue.condition("SignalFresh").get("reason") == "SignalStale")
    assert venue.condition("Scaling")["reason"] == "Held"
    assert venue.replicas() == 3
    assert "SignalStale" in venue.kubectl.run("get", "events")
