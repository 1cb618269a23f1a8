"""Tapes of rules version 2 on which firms and the shard are stopped and go on again."""

import pytest

from tests.differential.census import Census
from tests.differential.contest import Engines, contest
from tests.differential.flow import stream
from tests.differential.flow.plays import SECOND_DECK, kill_switches
from tests.differential.report import describe

COMMANDS = 3_000


@pytest.mark.parametrize("seed", [5, 6])
def test_engines_agree_on_tapes_with_switches_of_firms_and_of_the_shard(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cambist_kernel")
    # Dealt several times, so that a short tape has many.
    monkeypatch.setattr(stream, "SECOND_DECK", SECOND_DECK + 4 * kill_switches.PLAYS)
    found = contest(seed, COMMANDS, Census(), Engines(rules_version=2))
    assert found is None, describe(found.disagreement, found.steps)
