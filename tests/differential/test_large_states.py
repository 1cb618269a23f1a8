"""Both engines agree in states of ten thousand orders, of full tables and of huge numbers."""

import pytest

from tests.differential.census import Census
from tests.differential.contest import Engines
from tests.differential.duel import Difference
from tests.differential.large_states import LARGE_STATES, LargeState
from tests.differential.report import describe
from tests.differential.script import SHARD
from tests.differential.state import faults

pytest.importorskip("cambist_kernel")


@pytest.mark.slow
@pytest.mark.parametrize("state", LARGE_STATES.values(), ids=LARGE_STATES.keys())
def test_engines_agree_where_much_is_at_stake(state: LargeState) -> None:
    steps, census = state.steps(), Census()
    duel = Engines(snapshot_every=1, rules_version=state.rules_version).duel(SHARD)
    for step in steps:
        try:
            census.count(step, duel.step(step))
        except Difference as difference:
            pytest.fail(describe(difference.found, steps))
    occurred = census.rejects | census.events
    assert [name for name in state.occurs if not occurred[name]] == []
    assert census.refusals == {}
    assert faults(duel.kernel.snapshot()) == []
