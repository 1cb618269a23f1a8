"""Processor time of a venue's processes, and of the database, while a load runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import psutil


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Seconds used so far, by name; children count for the process that started them."""

    seconds: Mapping[str, float]

    @classmethod
    def read(cls, pids: Mapping[str, int]) -> Self:
        """Of these processes; one that has ended is left out."""
        return cls({name: used for name, pid in pids.items() if (used := _used(pid)) is not None})

    def since(self, before: "ProcessorTime") -> dict[str, float]:
        """Seconds used after another reading."""
        return {
            name: max(0.0, used - before.seconds[name])
            for name, used in self.seconds.items()
            if name in before.seconds
        }


def _used(pid: int) -> float | None:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return None
    used = 0.0
    for one in family:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used += times.user + times.system
    return used
