"""Counts and times of the stages that every order passes.

received (off the wire) → sequenced (given a number) → matched (kernel done) → durable (committed)
→ delivered (written to the client). Each process records the stages it owns, once per batch.
"""

import enum
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

from opentelemetry import metrics

from runtime.clock import NANOSECONDS_PER_SECOND


class Stage(enum.Enum):
    """Stages in the order an order passes them."""

    RECEIVED = "received"
    SEQUENCED = "sequenced"
    MATCHED = "matched"
    DURABLE = "durable"
    DELIVERED = "delivered"


COUNTER_NAME: Final = "cambist.stage.commands"
HISTOGRAM_NAME: Final = "cambist.stage.duration"
# Seconds. From a matched batch (tens of microseconds) to a database that stands still.
BUCKETS_SECONDS: Final = (
    0.000_05,
    0.000_1,
    0.000_25,
    0.000_5,
    0.001,
    0.002_5,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    10.0,
    60.0,
)


# The same in ns, for those who read them from the process itself.
BOUNDS_NS: Final = tuple(round(bound * NANOSECONDS_PER_SECOND) for bound in BUCKETS_SECONDS)


@dataclass(slots=True)
class StageCounts:
    """What passed a stage since the process started."""

    commands: int = 0
    # Batches by duration: one count per bound of BOUNDS_NS (at most so long), one for those above.
    batches: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_NS) + 1))


class StageMeter:
    """Records batches per stage; one per process.

    It counts for itself too, so that the operator's status works without a collector.
    """

    __slots__ = ("_attributes", "_commands", "_duration", "counts")

    def __init__(self, meter: metrics.Meter) -> None:
        self._commands = meter.create_counter(
            COUNTER_NAME, unit="{command}", description="Commands that passed a stage."
        )
        self._duration = meter.create_histogram(
            HISTOGRAM_NAME,
            unit="s",
            description="Time a batch spent in a stage.",
            explicit_bucket_boundaries_advisory=BUCKETS_SECONDS,
        )
        self._attributes = {stage: {"stage": stage.value} for stage in Stage}
        self.counts = {stage: StageCounts() for stage in Stage}

    def record(self, stage: Stage, commands: int, duration_ns: int) -> None:
        """A batch of `commands` left `stage` after `duration_ns` nanoseconds in it."""
        counts = self.counts[stage]
        counts.commands += commands
        counts.batches[bisect_left(BOUNDS_NS, duration_ns)] += 1
        attributes = self._attributes[stage]
        self._commands.add(commands, attributes)
        self._duration.record(duration_ns / NANOSECONDS_PER_SECOND, attributes)
