"""Gives every step of a tape to both engines and compares all that they say.

Used by the bulk tests, the random tests, the replay of files and the hunt for planted bugs. After
every batch: the answer, the event row, the state hash, the times. Every so often: snapshot and
state parts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from tests.differential.engines import KERNEL, REFERENCE, Engine, Kind, Outcome, Row, Stopped, load
from tests.differential.tape import Restore, Step

DEFAULT_SNAPSHOT_EVERY: Final = 25
# The reference engine takes a second to read a large state: later restores are done now and then.
ALL_RESTORES_UNTIL_STEP: Final = 2_000
LATER_RESTORES_ONE_IN: Final = 8
T = TypeVar("T")


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
        self._restores = 0

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
            self._restores += 1
            is_early = self._step <= ALL_RESTORES_UNTIL_STEP
            if is_early or self._restores % LATER_RESTORES_ONE_IN == 0:
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
        snapshot = self._same("snapshots", *(engine.snapshot for engine in self._engines))
        self._same("state parts", *(engine.state_parts for engine in self._engines))
        return snapshot

    def _restore(self) -> None:
        snapshot = self.compare_states()
        kernel, reference = (_told(partial(kind.restore, snapshot)) for kind in self._kinds)
        if isinstance(kernel, Stopped) or isinstance(reference, Stopped):
            raise self._difference("restored engines", kernel, reference)
        self._engines = (kernel, reference)
        if self.compare_states() != snapshot:
            raise self._difference("restored engines' snapshots", snapshot, self.kernel.snapshot())
        self._same("restored engines", *(partial(_marks, engine) for engine in self._engines))

    def _same(self, aspect: str, kernel: Callable[[], T], reference: Callable[[], T]) -> T:
        """What both say, which must be the same."""
        ours, theirs = _told(kernel), _told(reference)
        if isinstance(ours, Stopped) or isinstance(theirs, Stopped) or ours != theirs:
            raise self._difference(aspect, ours, theirs)
        return ours

    def _difference(self, aspect: str, kernel: object, reference: object) -> Difference:
        return Difference(Disagreement(self._step, aspect, kernel, reference))


def _told(ask: Callable[[], T]) -> T | Stopped:
    """What an engine says when it is asked; an error is a stop."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001  # any error is what we look for
        return Stopped(f"{type(error).__name__}: {error}")


def _marks(engine: Engine) -> tuple[bytes, int, int, int, int]:
    return (
        engine.state_hash,
        engine.last_seq,
        engine.time_ns,
        engine.next_timer_ns,
        engine.open_cursors,
    )


def _aspect(kernel: Outcome, reference: Outcome) -> str:
    """What differs first between two answers."""
    if type(kernel) is not type(reference):
        return "kinds of answer"
    if isinstance(kernel, Row) and isinstance(reference, Row):
        for name in ("row", "last_seq", "time_ns", "next_timer_ns", "open_cursors", "state_hash"):
            if getattr(kernel, name) != getattr(reference, name):
                return f"{name}s" if name == "row" else name
    return "refusals"
