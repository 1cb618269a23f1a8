"""`kubectl cambist` against a real API server, operator and engine."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.cluster.operator.conftest import CHAIN, Venue
from tests.cluster.operator.engine import Matching
from tests.cluster.operator.test_markets import MARKET, operator
from tests.cluster.operator.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]
PLUGIN = '#!/bin/sh\nexec {python} -m cambist.kubectl "$@"\n'


def plugin(venue: Venue, *arguments: str, folder: Path | None = None) -> str:
    """Runs it as kubectl finds it: a program on the path."""
    programs = venue.folder / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / "kubectl-cambist"
    program.write_text(PLUGIN.format(python=sys.executable))
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["kubectl", "cambist", "--namespace", venue.kubectl.namespace, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
        cwd=folder,
    )
    return done.stdout + done.stderr


def test_markets_are_shown_halted_and_resumed(venue: Venue, matching: Matching) -> None:
    operator(venue, matching)
    venue.kubectl.apply(MARKET)
    until(lambda: "CONTINUOUS" in plugin(venue, "markets"))
    assert plugin(venue, "halt", "btc-usdt") == "btc-usdt is halted\n"
    assert matching.phase() == "HALTED"
    assert plugin(venue, "resume", "btc-usdt") == "btc-usdt is in phase CONTINUOUS\n"
    matching.ask("halt", 65_537)
    assert plugin(venue, "resume", "btc-usdt") == "btc-usdt is in phase CONTINUOUS\n"
    assert matching.phase() == "CONTINUOUS"
    assert "not found" in plugin(venue, "halt", "nothing")


def test_chains_are_shown_paused_drained_and_explained(venue: Venue) -> None:
    venue.start()
    venue.kubectl.apply(CHAIN)
    until(lambda: len(venue.pods()) == 1)
    worker = venue.run_pod(venue.pods()[0])
    worker.report.claimable_count = 12
    until(lambda: venue.condition("SignalFresh").get("status") == "True")
    shown = plugin(venue, "status")
    assert "bitcoin/regtest" in shown
    assert "WorkersStarting" in shown
    assert "kept back by" in plugin(venue, "scale", "btc", "--dry-run")
    before = venue.chain()["spec"]
    assert "would go" in plugin(venue, "scale", "btc", "--replicas", "7", "--dry-run")
    assert venue.chain()["spec"] == before
    assert plugin(venue, "pause", "btc") == "btc is paused\n"
    until(lambda: venue.condition("Scaling").get("reason") == "Paused")
    plugin(venue, "pause", "btc", "--undo")
    plugin(venue, "drain", "btc")
    until(lambda: venue.replicas() == 0)
    assert sum(len(each.drains) for each in venue.workers.values()) >= 1
    plugin(venue, "drain", "btc", "--undo")
    until(lambda: venue.replicas() >= 1)
    assert plugin(venue, "reconcile", "walletchain", "btc") == "walletchain btc is looked at\n"


def test_a_report_holds_what_is_needed_and_no_secret(venue: Venue) -> None:
    venue.start()
    venue.kubectl.apply(CHAIN)
    until(lambda: venue.replicas() == 1)
    literal = "--from-literal=url=http://user:hunter2@node"
    venue.kubectl.run("create", "secret", "generic", "node", literal)
    venue.kubectl.run("set", "env", "deployment/wallets-btc", "PASSWORD=hunter2")
    plugin(venue, "report", folder=venue.folder)
    with tarfile.open(venue.folder / "cambist-report.tar.gz") as bundle:
        names = bundle.getnames()
        texts = [found.read().decode() for name in names if (found := bundle.extractfile(name))]
    assert "cambist-report/walletchains.json" in names
    assert any("wallets-btc" in text for text in texts)
    assert not any("hunter2" in text for text in texts)
