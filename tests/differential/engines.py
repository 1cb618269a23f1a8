"""The two engines behind one interface, and what they answer to one step.

Used by the duel. Names are those of docs/semantics.md section 9.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

KERNEL: Final = "cambist_kernel"
REFERENCE: Final = "matching.reference"


class Engine(Protocol):
    """The state of a shard."""

    @property
    def last_seq(self) -> int: ...

    @property
    def time_ns(self) -> int: ...

    @property
    def next_timer_ns(self) -> int: ...

    @property
    def open_cursors(self) -> int: ...

    @property
    def state_hash(self) -> bytes: ...

    def apply(self, batch: bytes) -> bytes: ...

    def apply_expecting(self, batch: bytes, row: bytes) -> bool: ...

    def snapshot(self) -> bytes: ...

    def state_parts(self) -> dict[str, bytes]: ...


@dataclass(frozen=True, slots=True)
class Row:
    """A batch was applied: its event row and what the engine says of itself afterwards."""

    row: bytes
    state_hash: bytes
    last_seq: int
    time_ns: int
    next_timer_ns: int
    open_cursors: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A batch was refused; nothing changed, as the hash afterwards shows."""

    reason: str
    malformed: tuple[int, int, int] | None
    state_hash: bytes
    last_seq: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The engine stopped in the middle: always a fault."""

    message: str


Outcome = Row | Refused | Stopped


@dataclass(frozen=True, slots=True)
class Kind:
    """An implementation."""

    name: str
    make: Callable[[int], Engine]
    restore: Callable[[bytes], Engine]
    malformed: type[Exception]
    refused: type[Exception]
    snapshot_refused: type[Exception]

    def apply(self, engine: Engine, batch: bytes) -> Outcome:
        """Applies a batch; whatever is not a named refusal is a stop."""
        try:
            row = engine.apply(batch)
        except self.malformed as error:
            fault: Any = error
            numbers = (fault.reason, fault.index, fault.field)
            return Refused("MALFORMED", numbers, engine.state_hash, engine.last_seq)
        except self.refused as error:
            refusal: Any = error
            return Refused(refusal.reason, None, engine.state_hash, engine.last_seq)
        except Exception as error:  # noqa: BLE001  # any other error is what we look for
            return Stopped(f"{type(error).__name__}: {error}")
        return Row(
            row,
            engine.state_hash,
            engine.last_seq,
            engine.time_ns,
            engine.next_timer_ns,
            engine.open_cursors,
        )


def load(name: str, rules_newest: int = 1) -> Kind:
    """An implementation by the name of its module, and what rules it knows. Raises ImportError."""
    module: Any = importlib.import_module(name)
    return Kind(
        name=name,
        make=partial(module.Engine, rules_newest=rules_newest),
        restore=partial(module.Engine.restore, rules_newest=rules_newest),
        malformed=module.MalformedEnvelope,
        refused=module.BatchRefused,
        snapshot_refused=module.SnapshotRefused,
    )
