"""The engine a process runs: the kernel when it is installed, else the reference engine.

Both have the interface of docs/semantics.md §9. Called by whatever applies batches: the primary,
the standby, the snapshotter. An engine has one user at a time.
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from runtime.errors import ConfigurationError

KERNEL: Final = "kernel"
REFERENCE: Final = "reference"
AUTO: Final = "auto"
# The newest rules that a venue of this build may switch to; a new shard begins with version 1.
RULES_NEWEST: Final = 2
MODULES: Final = {KERNEL: "cambist_kernel", REFERENCE: "matching.reference"}


class Engine(Protocol):
    """The state of one shard; bytes in, bytes out."""

    @property
    def last_seq(self) -> int:
        """Last sequence applied."""
        ...

    @property
    def time_ns(self) -> int:
        """Engine time of the last batch."""
        ...

    @property
    def state_hash(self) -> bytes:
        """Chained hash after the last batch."""
        ...

    @property
    def next_timer_ns(self) -> int:
        """When the next timer is due; 0 = none waits."""
        ...

    @property
    def open_cursors(self) -> int:
        """How many markets are being cleared."""
        ...

    def apply(self, batch: bytes) -> bytes:
        """The event row of a batch. Raises the kind's `refused`, `malformed` and `panicked`."""
        ...

    def apply_expecting(self, batch: bytes, row: bytes) -> bool:
        """Applies a batch; whether its event row is `row`. Raises what `apply` does."""
        ...

    def snapshot(self) -> bytes:
        """The state in canonical bytes."""
        ...


@dataclass(frozen=True, slots=True)
class EngineKind:
    """One implementation: how its engines are made and what they raise."""

    name: str
    make: Callable[[int], Engine]
    # Raises `snapshot_refused`.
    restore: Callable[[bytes], Engine]
    # Raises `malformed`.
    check_envelope: Callable[[bytes], None]
    malformed: type[Exception]
    refused: type[Exception]
    panicked: type[Exception]
    snapshot_refused: type[Exception]


@dataclass(frozen=True, slots=True)
class Malformation:
    """Why an envelope was refused, as numbers of the contract."""

    reason: int
    index: int
    field: int

    @classmethod
    def of(cls, error: Exception) -> "Malformation":
        """The three numbers of a `malformed` error."""
        numbers: Any = error
        return cls(numbers.reason, numbers.index, numbers.field)


def has_kernel() -> bool:
    """Whether the kernel is installed and has an engine."""
    if importlib.util.find_spec(MODULES[KERNEL]) is None:
        return False
    return hasattr(importlib.import_module(MODULES[KERNEL]), "Engine")


def load(name: str) -> EngineKind:
    """The implementation called `name`, or with "auto" the best there is.

    Raises ConfigurationError when the kernel is asked for and is not installed.
    """
    chosen = name
    if name == AUTO:
        chosen = KERNEL if has_kernel() else REFERENCE
    if chosen == KERNEL and not has_kernel():
        raise ConfigurationError("the kernel is not installed: run `make kernel`")
    module: Any = importlib.import_module(MODULES[chosen])
    return EngineKind(
        name=chosen,
        make=partial(module.Engine, rules_newest=RULES_NEWEST),
        restore=partial(module.Engine.restore, rules_newest=RULES_NEWEST),
        check_envelope=module.check_envelope,
        malformed=module.MalformedEnvelope,
        refused=module.BatchRefused,
        panicked=module.EnginePanicked,
        snapshot_refused=module.SnapshotRefused,
    )
