"""The engine behind fakes: the kernel, else the reference engine, which needs no compiler.

Both give the same bytes, so tests never ask which one it is.
"""

import importlib
import importlib.util
from typing import Protocol


class Engine(Protocol):
    """What fakes use of docs/semantics.md section 9."""

    @property
    def last_seq(self) -> int: ...

    @property
    def time_ns(self) -> int: ...

    def apply(self, batch: bytes) -> bytes: ...

    def snapshot(self) -> bytes: ...

    def check_envelope(self, envelope: bytes) -> None: ...


def new_engine(shard: int) -> Engine:
    """An empty engine, under rules version 1 until it is switched to 2."""
    for name in ("cambist_kernel", "matching.reference"):
        try:
            engine: Engine = importlib.import_module(name).Engine(shard, rules_newest=2)
        except (ImportError, AttributeError):
            continue
        return engine
    raise AssertionError("neither engine can be imported")
