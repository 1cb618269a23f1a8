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
SEEDS: Final = range(1, 9)
TRADING_SHARE: Final = 0.2
# A tape of this many commands reaches every corner by itself.
COMMANDS_FOR_ALL: Final = 100_000
# What only large states reach.
OF_LARGE_STATES: Final = ("REJECT_REASON_CAPACITY", "CANCEL_REASON_WORK_LIMIT")


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_engines_agree_on_a_bulk_tape(seed: int) -> None:
    census, engines = Census(), Engines(snapshot_every=50)
    commands = COMMANDS // len(SEEDS)
    found = contest(seed, commands, census, engines)
    assert found is None, explain(found, f"bulk-{seed}", engines)
    assert census.trading >= TRADING_SHARE * census.commands
    assert premature(census) == []
    if commands >= COMMANDS_FOR_ALL:
        assert missing(census, OF_LARGE_STATES) == []
