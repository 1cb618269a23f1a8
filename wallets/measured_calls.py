"""Counts, times and traces the calls of signer and approver: which method, and how it ended.

Called by `callers` around each method. Of a request it reads withdrawal ids and nothing else: no
key, signature, amount or destination may become a label or an attribute.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.trace import Link, StatusCode

from runtime.clock import Clock
from runtime.telemetry import Telemetry
from wallets.payout_traces import ID_BYTES, WITHDRAWAL, below, context_of

# Withdrawals of one call that its span links to; a batch has no more outputs than that.
LINKS_MAX: Final = 100
ANSWERED: Final = "answered"
CANCELLED: Final = "CANCELLED"
NANOSECONDS: Final = 1_000_000_000
BUCKETS_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# Withdrawals that a call is about, from its method and request; must not raise.
Subjects = Callable[[str, Any], Sequence[bytes]]


@dataclass(slots=True)
class Call:
    """One call; `outcome` is the reason of its fault when it had one."""

    outcome: str = ANSWERED


class MeasuredCalls:
    """All calls of one process."""

    def __init__(self, measured: Telemetry, service: str, clock: Clock, subjects: Subjects) -> None:
        self._service = service
        self._tracer = measured.tracer
        self._clock = clock
        self._subjects = subjects
        self._duration = measured.meter.create_histogram(
            "cambist.custody.call_duration",
            unit="s",
            description="Calls of signer and approver by outcome: answered, or why not.",
            explicit_bucket_boundaries_advisory=BUCKETS_SECONDS,
        )

    @contextmanager
    def call(self, method: str, request: Any) -> Iterator[Call]:
        """Measures what happens inside; whoever ends it with a fault names it first."""
        one, began_ns, wall_ns = Call(), self._clock.monotonic_ns(), self._clock.wall_ns()
        try:
            yield one
        except BaseException:
            if one.outcome == ANSWERED:
                # Its caller went away, or the process ends.
                one.outcome = CANCELLED
            raise
        finally:
            took_ns = self._clock.monotonic_ns() - began_ns
            labels = {"service": self._service, "method": method, "outcome": one.outcome}
            self._duration.record(took_ns / NANOSECONDS, labels)
            self._trace(method, one, self._subjects(method, request), wall_ns, wall_ns + took_ns)

    def _trace(
        self, method: str, call: Call, subjects: Sequence[bytes], start_ns: int, end_ns: int
    ) -> None:
        known = [one for one in subjects if len(one) == ID_BYTES][:LINKS_MAX]
        if not known:
            return
        first, *more = known
        span = self._tracer.start_span(
            f"{self._service}.{method}",
            below(first),
            links=[Link(context_of(other)) for other in more],
            attributes={WITHDRAWAL: first.hex(), "cambist.outcome": call.outcome},
            start_time=start_ns,
        )
        if call.outcome != ANSWERED:
            span.set_status(StatusCode.ERROR, call.outcome)
        span.end(end_ns)
