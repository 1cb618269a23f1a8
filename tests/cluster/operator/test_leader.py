"""One replica decides; when it stops, freezes or loses the API server, decisions go on."""

import signal
import time

import pytest

from tests.cluster.operator.conftest import CHAIN, Venue
from tests.cluster.operator.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.faults, pytest.mark.timeout(180)]


def two_replicas(venue: Venue) -> None:
    venue.start(INSTANCE="first")
    until(lambda: venue.holder() == "first")
    venue.start(INSTANCE="second")
    venue.kubectl.apply(CHAIN)
    until(lambda: len(venue.pods()) == 1)
    venue.run_pod(venue.pods()[0])
    until(lambda: venue.condition("SignalFresh").get("status") == "True")
    until(lambda: '"ready"' in venue.log(1))


def test_a_frozen_leader_is_replaced_within_ten_seconds_and_does_not_act_when_it_wakes(
    venue: Venue,
) -> None:
    two_replicas(venue)
    first, _second = venue.operators
    first.send_signal(signal.SIGSTOP)
    (worker,) = venue.workers.values()
    worker.report.claimable_count = 30
    assert until(lambda: venue.replicas() == 3) < 10.0
    assert venue.holder() == "second"
    worker.report.claimable_count = 40
    first.send_signal(signal.SIGCONT)
    until(lambda: venue.replicas() == 4)
    time.sleep(2.0)
    assert venue.holder() == "second"
    assert "applied 4" not in venue.log(0)


def test_a_leader_that_is_asked_to_end_hands_over_within_two_seconds(venue: Venue) -> None:
    two_replicas(venue)
    first, _second = venue.operators
    (worker,) = venue.workers.values()
    first.send_signal(signal.SIGTERM)
    assert until(lambda: venue.holder() == "second") < 2.0
    worker.report.claimable_count = 30
    until(lambda: venue.replicas() == 3)
    assert first.wait(10) == 0
