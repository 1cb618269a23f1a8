"""The kernel gives the bytes of the reference under rules version 2, all but icebergs.

Those the kernel refuses as UNSUPPORTED until it builds them.
"""

import importlib.util
from dataclasses import replace

import pytest
from hypothesis import given

from cambist.internal.journal.v1 import system_pb2 as system
from tests.differential.engines import KERNEL, REFERENCE
from tests.reference.conftest import second_rules
from tests.reference.triggers.test_properties import STEPS, Step, command, usual
from tests.reference.venue import Venue

ICEBERG = 3  # the choice of steps that makes a limit order an iceberg

pytestmark = pytest.mark.skipif(importlib.util.find_spec(KERNEL) is None, reason="no kernel")


def played(name: str, steps: list[Step], cut: int) -> tuple[list[object], bytes]:
    """What an engine tells of a tape, after each command, and its last snapshot."""
    venue = Venue.founded(second_rules(name))
    venue.operate(system.SwitchRules(version=2))
    told: list[object] = []
    for number, step in enumerate(steps):
        if number == cut:
            venue.restore()
        row = command(venue, step).row
        engine = venue.engine
        told.append((row, engine.state_hash, engine.next_timer_ns, engine.open_cursors))
    return told, venue.engine.snapshot()


@usual
@given(STEPS)
def test_both_engines_give_the_same_bytes(steps: list[Step]) -> None:
    shown = [
        replace(step, choice=2) if step.kind >= 5 and step.choice == ICEBERG else step
        for step in steps
    ]
    cut = len(shown) // 2
    assert played(KERNEL, shown, cut) == played(REFERENCE, shown, cut)
