"""Traces of single orders across processes, without a word on the wire.

An order is known everywhere by its session, class and number. Both whether it is traced and the
ids of its trace follow from these, so that gateway and matching agree without telling each other:
the gateway's span of stage "received" is the root, spans of later stages hang below it, and the
span of a batch links to every traced order in it. Called once per batch; it looks at traced orders
only, and when tracing is off at nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
)
from opentelemetry.trace.span import TraceState
from opentelemetry.util.types import AttributeValue

from runtime import limits
from runtime.stages import Stage

TRACE_BYTES: Final = 16
SPAN_BYTES: Final = 8
PERSON: Final = b"cambist-order"
SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
SESSION: Final = "cambist.session_id"
CLASS: Final = "cambist.command_class"
NUMBER: Final = "cambist.seq_no"
# Ids that the next span in this context gets instead of random ones.
_PLANNED: ContextVar[SpanContext | None] = ContextVar("planned_span", default=None)


@dataclass(frozen=True, slots=True)
class Numbered:
    """Commands of one envelope, as every process knows them.

    In a session: its id, the class, and the sequence number of the first. Others: session 0 and
    the correlation as number.
    """

    session_id: int
    command_class: int
    first_seq_no: int
    count: int


class PlannedIds(RandomIdGenerator):
    """Random ids, but for spans whose ids are planned."""

    def generate_span_id(self) -> int:
        """Id of the next span."""
        planned = _PLANNED.get()
        return super().generate_span_id() if planned is None else planned.span_id

    def generate_trace_id(self) -> int:
        """Id of the next trace."""
        planned = _PLANNED.get()
        return super().generate_trace_id() if planned is None else planned.trace_id


class RootSampler(Sampler):
    """Takes planned spans and those that link to a traced order; of the rest a share."""

    def __init__(self, ratio: float) -> None:
        self._rest = TraceIdRatioBased(ratio)

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """The decision for a span without parent."""
        if _PLANNED.get() is not None or any(
            link.context.trace_flags.sampled for link in links or ()
        ):
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, trace_state)
        return self._rest.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """For the SDK's own texts."""
        return f"RootSampler({self._rest.rate})"


def sampler(ratio: float) -> Sampler:
    """The sampler of a process."""
    return ParentBased(RootSampler(ratio))


def context_of(session_id: int, command_class: int, seq_no: int) -> SpanContext:
    """Ids of an order's root span: the same in every process."""
    words = (session_id, command_class, seq_no)
    body = b"".join(word.to_bytes(8, "little") for word in words)
    digest = blake2b(body, digest_size=TRACE_BYTES + SPAN_BYTES, person=PERSON).digest()
    trace_id = int.from_bytes(digest[:TRACE_BYTES], "big") or 1
    span_id = int.from_bytes(digest[TRACE_BYTES:], "big") or 1
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=SAMPLED)


def start_root(
    tracer: Tracer,
    name: str,
    planned: SpanContext,
    attributes: Mapping[str, AttributeValue],
    start_ns: int,
) -> Span:
    """A root span that has these ids, and is always taken."""
    token = _PLANNED.set(planned)
    try:
        # An empty context: whatever span is current has nothing to do with it.
        return tracer.start_span(name, Context(), attributes=attributes, start_time=start_ns)
    finally:
        _PLANNED.reset(token)


class OrderTraces:
    """Makes the spans of traced orders; one per process.

    `ratio` is the share of each session's orders that are traced, 0 to 1; all processes of a venue
    must have the same one, or traces miss stages.
    """

    __slots__ = ("_period", "_tracer")

    def __init__(self, tracer: Tracer, ratio: float) -> None:
        self._tracer = tracer
        # Every so-manyth number of a session is traced; 0 = none.
        self._period = round(1 / ratio) if ratio > 0 else 0

    @property
    def is_on(self) -> bool:
        """Whether any order is traced."""
        return self._period > 0

    def chosen(self, numbered: Numbered) -> range:
        """Numbers of the traced ones among these commands."""
        if not self._period:
            return range(0)
        # Sessions start at different places, or all would trace their first order.
        ahead = -(numbered.first_seq_no + numbered.session_id) % self._period
        first = numbered.first_seq_no + ahead
        return range(first, numbered.first_seq_no + numbered.count, self._period)

    def links(self, envelopes: Iterable[Numbered]) -> list[Link]:
        """Links of a batch to the traced orders in it, at most `limits.SPAN_LINKS_MAX`."""
        if not self._period:
            return []
        contexts = self._contexts(envelopes)
        return [Link(context) for context, _ in islice(contexts, limits.SPAN_LINKS_MAX)]

    def record(
        self, stage: Stage, envelopes: Iterable[Numbered], start_ns: int, end_ns: int
    ) -> None:
        """Spans of a stage that these commands passed from `start_ns` to `end_ns` (wall clock).

        At most `limits.SPAN_LINKS_MAX` orders; `Stage.RECEIVED` makes the roots.
        """
        if not self._period:
            return
        for context, attributes in islice(self._contexts(envelopes), limits.SPAN_LINKS_MAX):
            if stage is Stage.RECEIVED:
                span = start_root(self._tracer, stage.value, context, attributes, start_ns)
            else:
                parent = trace.set_span_in_context(NonRecordingSpan(context), Context())
                span = self._tracer.start_span(
                    stage.value, parent, attributes=attributes, start_time=start_ns
                )
            span.end(end_ns)

    def _contexts(
        self, envelopes: Iterable[Numbered]
    ) -> Iterator[tuple[SpanContext, dict[str, AttributeValue]]]:
        for numbered in envelopes:
            session_id, command_class = numbered.session_id, numbered.command_class
            for seq_no in self.chosen(numbered):
                attributes: dict[str, AttributeValue] = {
                    SESSION: str(session_id),
                    CLASS: command_class,
                    NUMBER: str(seq_no),
                }
                yield context_of(session_id, command_class, seq_no), attributes
