"""Bulk tapes: both engines give the same bytes, hashes, snapshots and refusals.

The number of commands in all is CAMBIST_TEST_COMMANDS; `make test-differential` sets it.
"""

from typing import Final

import pytest

from tests.differential.bulk_size import COMMANDS
from tests.differential.census import Census
from tests.differential.closed_sets import missing, premature
from tests.differential.contest import Engines, contest, explain

pytest.importorskip("cambist_kernel")
SEEDS: Final = range(1, 5)
VERSIONS: Final = (1, 2)
# Under version 2 many orders wait.
TRADING_SHARES: Final = {1: 0.2, 2: 0.15}
# A tape of this many commands reaches every corner by itself.
COMMANDS_FOR_ALL: Final = 100_000
# What only large states reach.
OF_LARGE_STATES: Final = ("REJECT_REASON_CAPACITY", "CANCEL_REASON_WORK_LIMIT")


@pytest.mark.slow
@pytest.mark.parametrize("rules_version", VERSIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_engines_agree_on_a_bulk_tape(seed: int, rules_version: int) -> None:
    census, engines = Census(), Engines(snapshot_every=200, rules_version=rules_version)
    commands = COMMANDS // len(SEEDS) // len(VERSIONS)
    found = contest(seed, commands, census, engines)
    assert found is None, explain(found, f"bulk-{rules_version}-{seed}", engines)
    assert census.trading >= TRADING_SHARES[rules_version] * census.commands
    assert premature(census, rules_version) == []
    if commands >= COMMANDS_FOR_ALL:
        assert missing(census, OF_LARGE_STATES, rules_version) == []
