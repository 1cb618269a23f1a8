"""Which orders are traced, and that two processes make one trace of an order."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import NoOpTracer, SpanContext

from runtime import limits, telemetry
from runtime.order_traces import Numbered, OrderTraces, context_of
from runtime.settings import TelemetrySettings
from runtime.stages import Stage
from runtime.telemetry import Telemetry

ORDER, CANCEL = 1, 2
NUMBERS = st.integers(1, 1 << 62)


def started(ratio: float, service: str) -> Telemetry:
    settings = TelemetrySettings(exporter="memory", trace_sample_ratio=ratio)
    return telemetry.start(settings, service=service)


@pytest.fixture
def gateway() -> Iterator[Telemetry]:
    process = started(0.5, "gateway")
    yield process
    process.stop()


@pytest.fixture
def matching() -> Iterator[Telemetry]:
    process = started(0.5, "matching")
    yield process
    process.stop()


def chosen(ratio: float, numbered: Numbered) -> list[int]:
    return list(OrderTraces(NoOpTracer(), ratio).chosen(numbered))


@given(session=NUMBERS, first=NUMBERS, counts=st.lists(st.integers(1, 300), max_size=6))
def test_batching_does_not_change_which_orders_are_traced(
    session: int, first: int, counts: list[int]
) -> None:
    together = chosen(0.01, Numbered(session, ORDER, first, sum(counts)))
    apart = []
    for count in counts:
        apart += chosen(0.01, Numbered(session, ORDER, first, count))
        first += count
    assert apart == together


@given(session=NUMBERS, first=NUMBERS)
def test_the_share_of_traced_orders_is_the_ratio(session: int, first: int) -> None:
    assert len(chosen(0.01, Numbered(session, ORDER, first, 10_000))) == 100
    assert len(chosen(1.0, Numbered(session, ORDER, first, 77))) == 77
    assert chosen(0.0, Numbered(session, ORDER, first, 10_000)) == []


def test_ids_differ_by_session_class_and_number() -> None:
    keys = [(1, ORDER, 1), (1, ORDER, 2), (1, CANCEL, 1), (2, ORDER, 1)]
    assert len({context_of(*key).trace_id for key in keys}) == len(keys)
    assert context_of(1, ORDER, 1) == context_of(1, ORDER, 1)


def test_two_processes_make_one_trace_of_an_order(gateway: Telemetry, matching: Telemetry) -> None:
    envelope = Numbered(7, ORDER, 100, 4)
    gateway.orders.record(Stage.RECEIVED, [envelope], 1_000, 2_000)
    matching.orders.record(Stage.MATCHED, [envelope], 3_000, 4_000)
    roots = {span_context(span).trace_id: span for span in gateway.finished_spans()}
    later = matching.finished_spans()
    assert len(roots) == len(later) == 2
    for span in later:
        root = roots[span_context(span).trace_id]
        assert root.parent is None
        assert span.parent is not None
        assert span.parent.span_id == span_context(root).span_id
        assert (span.name, span.start_time, span.end_time) == ("matched", 3_000, 4_000)
        assert (root.name, root.start_time, root.end_time) == ("received", 1_000, 2_000)
        assert (span.attributes or {})["cambist.session_id"] == "7"


def test_a_batch_links_to_the_traced_orders_in_it(matching: Telemetry) -> None:
    envelopes = [Numbered(7, ORDER, 100, 4), Numbered(8, CANCEL, 5, 1), Numbered(9, ORDER, 1, 1)]
    links = matching.orders.links(envelopes)
    with matching.tracer.start_as_current_span("batch", links=links):
        pass
    (batch,) = matching.finished_spans()
    expected = {context_of(7, ORDER, n).trace_id for n in (101, 103)} | {
        context_of(9, ORDER, 1).trace_id
    }
    assert {link.context.trace_id for link in batch.links} == expected


def test_a_batch_with_a_traced_order_is_always_recorded() -> None:
    rare = started(0.001, "matching")
    traced = Numbered(1_000 - 1, ORDER, 1, 1)
    assert list(rare.orders.chosen(traced)) == [1]
    for _ in range(20):
        with rare.tracer.start_as_current_span("batch", links=rare.orders.links([traced])):
            pass
    assert len(rare.finished_spans()) == 20
    rare.stop()


def test_a_huge_batch_makes_a_bounded_number_of_links_and_spans() -> None:
    everything = started(1.0, "matching")
    envelopes = [Numbered(1, ORDER, 1 + 1_000 * n, 1_000) for n in range(10)]
    assert len(everything.orders.links(envelopes)) == limits.SPAN_LINKS_MAX
    everything.orders.record(Stage.DURABLE, envelopes, 1, 2)
    assert len(everything.finished_spans()) == limits.SPAN_LINKS_MAX
    everything.stop()


def test_the_root_of_an_order_is_apart_from_the_span_around_it(gateway: Telemetry) -> None:
    links = gateway.orders.links([Numbered(2, ORDER, 2, 1)])
    with gateway.tracer.start_as_current_span("around", links=links):
        gateway.orders.record(Stage.RECEIVED, [Numbered(2, ORDER, 2, 1)], 1, 2)
        with gateway.tracer.start_as_current_span("within"):
            pass
    spans = {span.name: span for span in gateway.finished_spans()}
    assert spans["received"].parent is None
    within = span_context(spans["within"]).trace_id
    assert within == span_context(spans["around"]).trace_id
    assert within != span_context(spans["received"]).trace_id


def span_context(span: ReadableSpan) -> SpanContext:
    context: SpanContext | None = span.context
    assert context is not None
    return context
