"""Processor time of a venue's processes, and of the database, while a load runs."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Seconds used so far, by name; children without a name count for who started them."""

    seconds: Mapping[str, float]

    @classmethod
    def read(cls, pids: Mapping[str, int]) -> Self:
        """Of these processes; one that has ended is left out."""
        named = frozenset(pids.values())
        return cls(
            {name: used for name, pid in pids.items() if (used := _used(pid, named)) is not None}
        )

    def since(self, before: "ProcessorTime") -> dict[str, float]:
        """Seconds used after another reading."""
        return {
            name: max(0.0, used - before.seconds[name])
            for name, used in self.seconds.items()
            if name in before.seconds
        }


def _used(pid: int, named: frozenset[int]) -> float | None:
    """Of a process and those it started, but not through one that has a name of its own."""
    try:
        waiting = [psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return None
    used = 0.0
    while waiting:
        process = waiting.pop()
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system
            waiting += (child for child in process.children() if child.pid not in named)
    return used
