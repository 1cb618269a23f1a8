"""Random short tapes: both engines give the same bytes, whatever is sent.

The number of tapes follows CAMBIST_TEST_COMMANDS, as in the bulk tests.
"""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.differential.bulk_size import COMMANDS
from tests.differential.contest import Engines, first_difference
from tests.differential.report import describe
from tests.differential.small import SHARD, Placed, SmallTape
from tests.differential.strategies import TAPES

pytest.importorskip("cambist_kernel")
EVERY_STEP = Engines(snapshot_every=1)
COMMANDS_PER_EXAMPLE = 300
EXAMPLES = max(50, COMMANDS // COMMANDS_PER_EXAMPLE)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
@given(TAPES)
def test_engines_agree_on_any_short_tape(placed: list[Placed]) -> None:
    steps = SmallTape().steps(placed)
    found = first_difference(SHARD, steps, EVERY_STEP)
    assert found is None, describe(found, steps)
