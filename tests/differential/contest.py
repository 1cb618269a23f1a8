"""A whole contest: a stream of steps, both engines, counts, and what is done about a difference.

Used by the bulk tests, by the hunt for planted bugs and from the command line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.differential import tape
from tests.differential.census import Census
from tests.differential.duel import DEFAULT_SNAPSHOT_EVERY, Difference, Disagreement, Duel
from tests.differential.engines import KERNEL, REFERENCE, Kind, Row, load
from tests.differential.flow.stream import Stream
from tests.differential.report import describe
from tests.differential.shrink import DEFAULT_WORK_COMMANDS, shrink
from tests.differential.tape import Step

REPLAY_FOLDER: Final = Path("build/differential")


@dataclass(frozen=True, slots=True)
class Found:
    """A difference: where, after how many commands, and the steps up to it."""

    disagreement: Disagreement
    commands: int
    shard: int
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Engines:
    """Which implementations meet, and how often their snapshots are compared."""

    kernel: Kind | None = None
    reference: Kind | None = None
    snapshot_every: int = DEFAULT_SNAPSHOT_EVERY
    # The newest rules that they know.
    rules_version: int = 1

    def duel(self, shard: int) -> Duel:
        """A duel of new engines."""
        newest = self.rules_version
        kernel = self.kernel or load(KERNEL, newest)
        reference = self.reference or load(REFERENCE, newest)
        return Duel(shard, kernel, reference, self.snapshot_every)


def contest(
    seed: int, commands: int, census: Census, engines: Engines | None = None
) -> Found | None:
    """Runs the stream of a seed until `commands` were applied or the engines differ."""
    engines = engines or Engines()
    stream = Stream(seed, rules_version=engines.rules_version)
    shard = stream.world.shard
    duel = engines.duel(shard)
    steps: list[Step] = []
    applied = 0
    while applied < commands:
        step = stream.next_step()
        steps.append(step)
        try:
            outcome = duel.step(step)
        except Difference as difference:
            return Found(difference.found, applied, shard, steps)
        census.count(step, outcome)
        if outcome is not None:
            row = outcome.row if isinstance(outcome, Row) else None
            applied = duel.reference.last_seq
            stream.observe(row, applied, duel.reference.open_cursors)
    duel.compare_states()
    return None


def first_difference(
    shard: int, steps: Sequence[Step], engines: Engines | None = None
) -> Disagreement | None:
    """Gives a tape to new engines; what they first differ in."""
    duel = (engines or Engines()).duel(shard)
    try:
        for step in steps:
            duel.step(step)
        duel.compare_states()
    except Difference as difference:
        return difference.found
    return None


def explain(
    found: Found,
    name: str,
    engines: Engines | None = None,
    work_commands: int = DEFAULT_WORK_COMMANDS,
) -> str:
    """Shrinks a difference, writes both tapes to files and gives a report to read."""
    often = replace(engines or Engines(), snapshot_every=1)

    def trial(steps: Sequence[Step]) -> int | None:
        disagreement = first_difference(found.shard, steps, often)
        return min(disagreement.step, len(steps)) if disagreement else None

    whole = REPLAY_FOLDER / f"{name}.tape"
    tape.write(whole, found.shard, found.steps)
    short = shrink(found.steps, trial, work_commands)
    shortest = REPLAY_FOLDER / f"{name}-short.tape"
    tape.write(shortest, found.shard, short)
    disagreement = first_difference(found.shard, short, often)
    assert disagreement is not None, "a shrunk tape still differs"
    return "\n".join(
        [
            f"the engines differ after {found.commands} commands",
            f"whole tape  {whole}",
            f"short tape  {shortest} ({len(short)} steps)",
            f"again: python -m tests.differential {shortest} --rules {often.rules_version}",
            describe(disagreement, short),
        ]
    )
