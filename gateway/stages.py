"""The two stages that a gateway owns: a batch was received and sent on; its answers were delivered.

Called once per batch by sessions and unary calls. It looks at no order but those that are traced.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.clock import Clock
from runtime.order_traces import Numbered, OrderTraces
from runtime.stages import Stage, StageMeter


@dataclass(frozen=True, slots=True)
class GatewayStages:
    """Counters, histograms and spans of one process."""

    meter: StageMeter
    traces: OrderTraces
    clock: Clock

    def received(self, batch: Numbered, received_ns: int) -> None:
        """A batch that came at `received_ns` (wall clock) waits for the link now."""
        now_ns = self.clock.wall_ns()
        self.meter.record(Stage.RECEIVED, batch.count, max(0, now_ns - received_ns))
        self.traces.record(Stage.RECEIVED, (batch,), received_ns, now_ns)

    def delivered(self, batches: Sequence[Numbered], durable_ns: int) -> None:
        """Answers of these batches, durable since `durable_ns` (wall clock), were written."""
        now_ns = max(durable_ns, self.clock.wall_ns())
        count = sum(batch.count for batch in batches)
        self.meter.record(Stage.DELIVERED, count, now_ns - durable_ns)
        self.traces.record(Stage.DELIVERED, batches, durable_ns, now_ns)
