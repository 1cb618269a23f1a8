"""Workers follow what waits: up within seconds, held without a signal, down by drain."""

import json
import subprocess

import pytest

from tests.cluster.operator.conftest import CHAIN, Venue
from tests.cluster.operator.waiting import until
from tests.cluster.operator.workers import Worker

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]


def begin(venue: Venue) -> Worker:
    """An operator, a chain, and its one pod, that reports."""
    venue.start()
    venue.kubectl.apply(CHAIN)
    until(lambda: len(venue.pods()) == 1)
    worker = venue.run_pod(venue.pods()[0])
    until(lambda: venue.condition("SignalFresh").get("status") == "True")
    return worker


def grow(venue: Venue, first: Worker) -> None:
    """Two workers, both running and reporting the same."""
    first.report.claimable_count = 20
    until(lambda: venue.replicas() == 2 and len(venue.pods()) == 2)
    for pod in venue.pods():
        if pod not in venue.workers:
            venue.run_pod(pod).report.claimable_count = 20
    until(lambda: venue.chain()["status"]["decision"]["current"] == 2)


def spec(venue: Venue, change: dict[str, object]) -> None:
    patch = json.dumps({"spec": change})
    venue.kubectl.run("patch", "wc", "btc", "--type=merge", "--patch", patch)


def test_a_backlog_adds_workers_in_five_seconds_and_a_lost_signal_holds_them(venue: Venue) -> None:
    first = begin(venue)
    first.report.claimable_count = 25
    assert until(lambda: venue.replicas() == 3) < 5.0
    until(lambda: venue.chain()["status"]["decision"]["claimable"] == 25)
    assert venue.chain()["status"]["decision"]["wanted"] == 3
    assert "Scaling" in venue.kubectl.run("get", "events")
    first.stop()
    until(lambda: venue.condition("SignalFresh").get("reason") == "SignalStale")
    assert venue.condition("Scaling")["reason"] == "Held"
    assert venue.replicas() == 3
    assert "SignalStale" in venue.kubectl.run("get", "events")


def test_a_worker_goes_only_when_it_is_empty_and_the_drained_one_goes(venue: Venue) -> None:
    first = begin(venue)
    grow(venue, first)
    for worker in venue.workers.values():
        worker.is_empty.clear()
        worker.report.claimable_count = 0
    until(lambda: venue.condition("Draining").get("status") == "True")
    victim = venue.chain()["status"]["draining"]
    assert venue.replicas() == 2
    asked = {name for name, worker in venue.workers.items() if worker.drains}
    assert asked == {victim}
    venue.workers[victim].is_empty.set()
    until(lambda: venue.replicas() == 1)
    until(lambda: victim not in venue.pods())
    assert len(venue.pods()) == 1
    transitions = venue.kubectl.get("lease", "cambist-control")["spec"]["leaseTransitions"]
    assert venue.workers[victim].drains == [str(transitions)]


def test_new_work_undoes_a_drain(venue: Venue) -> None:
    first = begin(venue)
    grow(venue, first)
    for worker in venue.workers.values():
        worker.is_empty.clear()
        worker.report.claimable_count = 0
    until(lambda: venue.condition("Draining").get("status") == "True")
    victim = venue.chain()["status"]["draining"]
    for worker in venue.workers.values():
        worker.report.claimable_count = 20
    until(lambda: venue.workers[victim].undrains >= 1)
    until(lambda: venue.condition("Draining").get("status") == "False")
    annotations = venue.kubectl.get("pod", victim)["metadata"].get("annotations", {})
    assert "cambist.dev/drain" not in annotations
    assert venue.replicas() == 2


def test_a_drain_that_is_late_is_refused_told_and_undone(venue: Venue) -> None:
    first = begin(venue)
    grow(venue, first)
    for worker in venue.workers.values():
        worker.is_empty.clear()
        worker.report.claimable_count = 0
    until(lambda: venue.condition("Draining").get("reason") == "DrainRefused", 40.0)
    assert venue.replicas() == 2
    assert sum(worker.undrains for worker in venue.workers.values()) == 1
    venue.kubectl.run("annotate", "wc", "btc", "cambist.dev/skip-drain=true")
    until(lambda: venue.replicas() == 1)


def test_manual_dry_run_and_pause_do_what_they_say(venue: Venue) -> None:
    first = begin(venue)
    spec(venue, {"scaling": {"dryRun": True}})
    first.report.claimable_count = 50
    until(lambda: venue.chain()["status"]["decision"]["wanted"] == 5)
    assert venue.chain()["status"]["decision"]["clampedBy"] == "dryRun"
    assert venue.condition("Scaling")["reason"] == "DryRun"
    assert venue.replicas() == 1
    spec(venue, {"scaling": {"dryRun": False, "pause": True}})
    until(lambda: venue.condition("Scaling").get("reason") == "Paused")
    assert venue.replicas() == 1
    spec(venue, {"scaling": {"pause": False, "mode": "Manual"}, "replicas": 2})
    until(lambda: venue.replicas() == 2)
    assert venue.condition("Scaling")["reason"] == "Manual"


def test_a_new_leader_holds_what_it_finds_until_a_worker_reports(venue: Venue) -> None:
    first = begin(venue)
    grow(venue, first)
    for worker in venue.workers.values():
        worker.stop()
    venue.operators[0].kill()
    venue.operators[0].wait()
    venue.start()
    until(lambda: venue.condition("SignalFresh").get("reason") == "SignalStale")
    assert venue.replicas() == 2


def test_kubectl_scale_in_auto_is_told_to_have_no_effect(venue: Venue) -> None:
    begin(venue)
    venue.kubectl.run("scale", "wc", "btc", "--replicas=4")
    until(lambda: venue.condition("ReplicasIgnored").get("status") == "True")
    with pytest.raises(subprocess.CalledProcessError):
        venue.kubectl.run(
            "get",
            "secrets",
            "--as",
            f"system:serviceaccount:{venue.kubectl.namespace}:cambist-control",
        )
