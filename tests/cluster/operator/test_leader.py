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


@pytest.mark.parametrize("fault", ["stall", "cut"])
def test_without_the_api_server_it_stays_alive_stops_acting_and_goes_on_afterwards(
    venue: Venue, fault: str
) -> None:
    venue.start(INSTANCE="only")
    venue.kubectl.apply(CHAIN)
    until(lambda: len(venue.pods()) == 1)
    worker = venue.run_pod(venue.pods()[0])
    until(lambda: venue.condition("SignalFresh").get("status") == "True")
    getattr(venue.link, fault)()
    until(lambda: '"leading": false' in venue.log())
    worker.report.claimable_count = 30
    venue.kubectl.run("patch", "wc", "btc", "--type=merge", "-p", '{"spec":{"image":{"tag":"v2"}}}')
    # Longer than the watches may be silent.
    time.sleep(25.0)
    assert venue.replicas() == 1
    venue.link.heal()
    until(lambda: venue.replicas() == 3)

    def image() -> str:
        found = venue.kubectl.get("deployment", "wallets-btc")["spec"]["template"]["spec"]
        return str(found["containers"][0]["image"])

    until(lambda: image().endswith(":v2"), 40.0)
    assert venue.operators[0].poll() is None
    # The watches live again: a change is seen long before the next full list.
    until(lambda: '"the Lease could not be renewed"' in venue.log())
