"""The tapes reach what they must reach: every refusal, every event, enough trades."""

import pytest

from tests.differential.census import Census
from tests.differential.closed_sets import RESERVED, expected, missing, premature
from tests.differential.conftest import best_engine
from tests.differential.engines import Kind, Row
from tests.differential.flow.stream import Stream
from tests.differential.large_states import LARGE_STATES
from tests.differential.script import SHARD
from tests.differential.state import faults
from tests.differential.tape import Restore, Step
from tests.differential.walk import walk

COMMANDS = 60_000
CHECKED_EVERY = 100


def bulk(kind: Kind, seed: int, commands: int, rules_version: int = 1) -> tuple[Census, list[Step]]:
    """A bulk tape on one engine, whose state is looked at now and then."""
    stream, census = Stream(seed, rules_version=rules_version), Census()
    engine, steps = kind.make(stream.world.shard), []
    while engine.last_seq < commands:
        step = stream.next_step()
        steps.append(step)
        if isinstance(step, Restore):
            engine = kind.restore(engine.snapshot())
            census.count(step, None)
            continue
        outcome = kind.apply(engine, step.batch)
        census.count(step, outcome)
        row = outcome.row if isinstance(outcome, Row) else None
        stream.observe(row, engine.last_seq, engine.open_cursors)
        if len(steps) % CHECKED_EVERY == 0:
            assert faults(engine.snapshot()) == []
    return census, steps


@pytest.mark.slow
@pytest.mark.parametrize("rules_version", [1, 2])
def test_tapes_reach_every_refusal_and_every_event(rules_version: int) -> None:
    kind = best_engine(rules_version)
    census, _ = bulk(kind, 1, COMMANDS, rules_version)
    assert census.trading >= census.commands / 5
    for name in ("tables_of_the_venue_are_full", "takers_reach_the_work_limit"):
        for walked in walk(kind, SHARD, LARGE_STATES[name].steps()):
            census.count(walked.step, walked.outcome)
    assert missing(census, (), rules_version) == []
    assert premature(census, rules_version) == []


def test_what_is_reserved_is_a_part_of_the_contract() -> None:
    names = {name for names in expected().values() for name in names}
    assert set(RESERVED) <= names


def test_a_seed_gives_the_same_tape_again(engine_kind: Kind) -> None:
    assert bulk(engine_kind, 3, 3_000)[1] == bulk(engine_kind, 3, 3_000)[1]
    assert bulk(engine_kind, 3, 500)[1] != bulk(engine_kind, 4, 500)[1]
