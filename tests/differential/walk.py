"""Walks one engine along a tape and keeps what it said. Used by the property tests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.differential.engines import Engine, Kind, Outcome, Row
from tests.differential.tape import Apply, Restore, Step


@dataclass(frozen=True, slots=True)
class Walked:
    """A step, its answer, and the engine after it."""

    step: Step
    outcome: Outcome | None
    engine: Engine

    @property
    def row(self) -> bytes | None:
        """The event row, if there is one."""
        return self.outcome.row if isinstance(self.outcome, Row) else None


def walk(kind: Kind, shard: int, steps: Sequence[Step]) -> Iterator[Walked]:
    """Every step with its answer. The engine goes on with the next one."""
    engine = kind.make(shard)
    for step in steps:
        if isinstance(step, Restore):
            engine = kind.restore(engine.snapshot())
            yield Walked(step, None, engine)
        else:
            yield Walked(step, kind.apply(engine, step.batch), engine)


def rows(kind: Kind, shard: int, steps: Sequence[Step]) -> list[bytes | None]:
    """The rows of a tape."""
    return [walked.row for walked in walk(kind, shard, steps) if isinstance(walked.step, Apply)]
