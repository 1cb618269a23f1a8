"""Instruments of the operator; names are those of dashboards and alerts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, Observation, _Gauge

from control.scaling.decision import Decision


@dataclass(frozen=True, slots=True)
class Instruments:
    """What reconciles count and measure."""

    decisions: Counter
    wanted: _Gauge
    applied: _Gauge
    signal_age: _Gauge
    nodes_synced: _Gauge
    reconcile_seconds: Histogram
    reconcile_failures: Counter
    watch_missed: Counter
    watch_restarts: Counter

    @classmethod
    def of(cls, meter: Meter) -> "Instruments":
        """Made once per process."""
        prefix = "cambist.control."
        return cls(
            decisions=meter.create_counter(prefix + "decisions"),
            wanted=meter.create_gauge(prefix + "replicas.wanted"),
            applied=meter.create_gauge(prefix + "replicas.applied"),
            signal_age=meter.create_gauge(prefix + "signal.age", unit="s"),
            nodes_synced=meter.create_gauge(prefix + "nodes.synced"),
            reconcile_seconds=meter.create_histogram(prefix + "reconcile", unit="s"),
            reconcile_failures=meter.create_counter(prefix + "reconcile.failures"),
            watch_missed=meter.create_counter(prefix + "watch.missed"),
            watch_restarts=meter.create_counter(prefix + "watch.restarts"),
        )

    def decided(self, chain: str, decision: Decision) -> None:
        """One decision."""
        labels = {"chain": chain}
        reason = {"reason": decision.reason, "clamped_by": decision.clamped_by}
        self.decisions.add(1, {**labels, **reason})
        self.wanted.set(decision.wanted, labels)
        self.applied.set(decision.applied, labels)


def observe(meter: Meter, name: str, read: Callable[[], float], unit: str = "") -> None:
    """A gauge that is read when metrics are exported."""

    def callback(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(read())]

    meter.create_observable_gauge(f"cambist.control.{name}", [callback], unit=unit)
