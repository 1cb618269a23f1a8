"""Rates and percentiles from two readings of counters."""

import pytest

from cambist.admin.v1 import admin_pb2
from cambist.cli.stages import quantile, speeds

BOUNDS = [10, 20, 40]


def status(commands: int, *batches: int) -> admin_pb2.GetStatusResponse:
    stage = admin_pb2.StageStatistics(stage="durable", commands=commands, batches=batches)
    return admin_pb2.GetStatusResponse(duration_bounds_ns=BOUNDS, stages=[stage])


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ([0, 0, 0, 0], 0.5, None),
        ([10, 0, 0, 0], 0.5, 5.0),
        ([0, 10, 0, 0], 0.5, 15.0),
        ([5, 0, 5, 0], 0.5, 10.0),
        ([5, 0, 5, 0], 0.75, 30.0),
        ([0, 0, 0, 3], 0.99, 40.0),
        ([1, 0, 0, 0], 1.0, 10.0),
    ],
)
def test_quantiles_lie_in_their_class(
    counts: list[int], share: float, expected: float | None
) -> None:
    assert quantile(BOUNDS, counts, share) == expected


def test_speeds_are_of_what_passed_in_between() -> None:
    (speed,) = speeds(status(100, 4, 0, 0, 0), status(300, 4, 10, 0, 0), 2.0)
    assert speed.commands_per_second == 100.0
    assert (speed.p50_ns, speed.stage) == (15.0, "durable")


def test_a_process_that_began_anew_counts_from_zero() -> None:
    (speed,) = speeds(status(1_000, 9, 9, 9, 9), status(50, 10, 0, 0, 0), 1.0)
    assert (speed.commands_per_second, speed.p50_ns) == (50.0, 5.0)


def test_no_time_is_no_rate() -> None:
    (speed,) = speeds(status(1), status(2), 0.0)
    assert (speed.commands_per_second, speed.p50_ns) == (0.0, None)
