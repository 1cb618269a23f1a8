"""Random short tapes: both engines give the same bytes, whatever is sent.

The number of tapes follows CAMBIST_TEST_COMMANDS, as in the bulk tests.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from tests.differential.bulk_size import COMMANDS
from tests.differential.contest import Engines, first_difference
from tests.differential.operations import Placed
from tests.differential.report import describe
from tests.differential.small import SHARD, SmallTape
from tests.differential.strategies import SECOND_TAPES, TAPES

pytest.importorskip("cambist_kernel")
EVERY_STEP = Engines(snapshot_every=1)
COMMANDS_PER_EXAMPLE = 300
EXAMPLES = max(50, COMMANDS // COMMANDS_PER_EXAMPLE)


SETTINGS = settings(
    max_examples=EXAMPLES // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)


@SETTINGS
@given(TAPES)
def test_engines_agree_on_any_short_tape(placed: list[Placed]) -> None:
    steps = SmallTape().steps(placed)
    found = first_difference(SHARD, steps, EVERY_STEP)
    assert found is None, describe(found, steps)


@SETTINGS
@given(SECOND_TAPES)
def test_engines_agree_on_any_short_tape_of_the_second_rules(placed: list[Placed]) -> None:
    steps = SmallTape(rules_version=2).steps(placed)
    found = first_difference(SHARD, steps, replace(EVERY_STEP, rules_version=2))
    assert found is None, describe(found, steps)
