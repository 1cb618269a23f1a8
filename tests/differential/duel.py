"""Gives every step of a tape to both engines and compares all that they say.

Used by the bulk tests, the random tests, the replay of files and the hunt for planted bugs. After
every batch: the answer, the event row, the state hash, the times. Every so often: snapshot and
state parts.
"""

from dataclasses import dataclass
from typing import Final

from tests.differential.engines import KERNEL, REFERENCE, Engine, Kind, Outcome, Row, Stopped, load
from tests.differential.tape import Restore, Step

DEFAULT_SNAPSHOT_EVERY: Final = 25


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What both said to the same step. `aspect` names the first thing in which they differ."""

    step: int
    aspect: str
    kernel: object
    reference: object


class Difference(Exception):
    """The engines differ."""

    def __init__(self, found: Disagreement) -> None:
        super().__init__(f"step {found.step}: {found.aspect} differ")
        self.found = found


class Duel:
    """Two engines of one shard. Raises Difference at the first step at which they differ."""

    def __init__(
        self,
        shard: int,
        kernel: Kind | None = None,
        reference: Kind | None = None,
        snapshot_every: int = DEFAULT_SNAPSHOT_EVERY,
    ) -> None:
        self._kinds = (kernel or load(KERNEL), reference or load(REFERENCE))
        self._engines: tuple[Engine, Engine] = (
            self._kinds[0].make(shard),
            self._kinds[1].make(shard),
        )
        self._snapshot_every = snapshot_every
        self._step = 0

    @property
    def kernel(self) -> Engine:
        """The engine under test."""
        return self._engines[0]

    @property
    def reference(self) -> Engine:
        """The engine that is believed."""
        return self._engines[1]

    def step(self, step: Step) -> Outcome | None:
        """Takes a step with both. Gives what both answered to a batch."""
        self._step += 1
        if isinstance(step, Restore):
            self._restore()
            return None
        kernel, reference = (
            kind.apply(engine, step.batch)
            for kind, engine in zip(self._kinds, self._engines, strict=True)
        )
        if kernel != reference:
            raise self._difference(_aspect(kernel, reference), kernel, reference)
        if isinstance(reference, Stopped):
            raise self._difference("both engines stopped", kernel, reference)
        if self._step % self._snapshot_every == 0:
            self.compare_states()
        return kernel

    def compare_states(self) -> bytes:
        """Compares snapshots and state parts; gives the snapshot."""
        kernel, reference = (engine.snapshot() for engine in self._engines)
        if kernel != reference:
            raise self._difference("snapshots", kernel, reference)
        parts, other_parts = (engine.state_parts() for engine in self._engines)
        if parts != other_parts:
            raise self._difference("state parts", parts, other_parts)
        return kernel

    def _restore(self) -> None:
        snapshot = self.compare_states()
        self._engines = (
            self._kinds[0].restore(snapshot),
            self._kinds[1].restore(snapshot),
        )
        if self.compare_states() != snapshot:
            raise self._difference("snapshots of restored engines", snapshot, snapshot)
        marks, other = (
            (e.state_hash, e.last_seq, e.time_ns, e.next_timer_ns, e.open_cursors)
            for e in self._engines
        )
        if marks != other:
            raise self._difference("restored engines", marks, other)

    def _difference(self, aspect: str, kernel: object, reference: object) -> Difference:
        return Difference(Disagreement(self._step, aspect, kernel, reference))


def _aspect(kernel: Outcome, reference: Outcome) -> str:
    """What differs first between two answers."""
    if type(kernel) is not type(reference):
        return "kinds of answer"
    if isinstance(kernel, Row) and isinstance(reference, Row):
        for name in ("row", "last_seq", "time_ns", "next_timer_ns", "open_cursors", "state_hash"):
            if getattr(kernel, name) != getattr(reference, name):
                return f"{name}s" if name == "row" else name
    return "refusals"
