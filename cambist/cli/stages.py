"""Rates and durations per stage from two readings of a process's status. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from cambist.admin.v1 import admin_pb2

NS_PER_SECOND = 1e9


@dataclass(frozen=True, slots=True)
class StageSpeed:
    """One stage between two readings."""

    stage: str
    commands_per_second: float
    # Nanoseconds; None when nothing passed.
    p50_ns: float | None
    p99_ns: float | None


def speeds(
    before: admin_pb2.GetStatusResponse, now: admin_pb2.GetStatusResponse, seconds: float
) -> list[StageSpeed]:
    """All stages; a process that began anew in between counts from zero."""
    earlier = {stage.stage: stage for stage in before.stages}
    if any(stage.commands < earlier_commands(earlier, stage.stage) for stage in now.stages):
        earlier = {}
    found = []
    for stage in now.stages:
        old = earlier.get(stage.stage, admin_pb2.StageStatistics())
        batches = list(stage.batches)
        for index, count in enumerate(old.batches):
            batches[index] -= count
        found.append(
            StageSpeed(
                stage.stage,
                (stage.commands - old.commands) / seconds if seconds > 0 else 0.0,
                quantile(now.duration_bounds_ns, batches, 0.5),
                quantile(now.duration_bounds_ns, batches, 0.99),
            )
        )
    return found


def earlier_commands(earlier: dict[str, admin_pb2.StageStatistics], stage: str) -> int:
    """Commands of a stage at the reading before."""
    known = earlier.get(stage)
    return known.commands if known is not None else 0


def quantile(bounds_ns: Sequence[int], counts: Sequence[int], share: float) -> float | None:
    """The duration that `share` of the batches did not exceed, as far as classes tell.

    Within a class batches count as evenly spread; those above the last bound count as that bound.
    """
    total = sum(counts)
    if not total:
        return None
    wanted = share * total
    for index, seen in enumerate(accumulate(counts)):
        if seen < wanted or not counts[index]:
            continue
        if index >= len(bounds_ns):
            break
        low = bounds_ns[index - 1] if index else 0
        part = (wanted - (seen - counts[index])) / counts[index]
        return low + (bounds_ns[index] - low) * part
    return float(bounds_ns[-1])
