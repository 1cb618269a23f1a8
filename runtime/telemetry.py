"""OpenTelemetry of one process: a tracer, a meter and traces of orders, from settings.

Nothing is global: what measures gets a `Telemetry` passed in, so that tests read their own. On the
hot path take one measurement per batch, never per order. Exporting runs in threads of the SDK and
must never hold up the loop; what does not fit its queue is dropped there. Without an exporter the
tracer and the meter are the API's own that do nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    DataPointT,
    InMemoryMetricReader,
    MetricReader,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime import limits
from runtime.errors import ConfigurationError
from runtime.order_traces import OrderTraces, PlannedIds, sampler
from runtime.scrape import Page
from runtime.settings import TelemetrySettings

MILLISECONDS_PER_SECOND: Final = 1_000
NONE, MEMORY, OTLP, AUTO = "none", "memory", "otlp", "auto"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a process measures with; make it with `start`, end it with `stop`."""

    tracer: trace.Tracer
    meter: metrics.Meter
    orders: OrderTraces
    # What `stop` calls.
    shutdowns: tuple[Callable[[], None], ...] = ()
    # Filled by the exporter "memory" only.
    memory_spans: InMemorySpanExporter | None = None
    memory_metrics: InMemoryMetricReader | None = None

    @property
    def is_on(self) -> bool:
        """Whether anybody is told what is measured."""
        return bool(self.shutdowns)

    def finished_spans(self) -> Sequence[ReadableSpan]:
        """Spans that ended, under the exporter "memory"."""
        return self.memory_spans.get_finished_spans() if self.memory_spans is not None else ()

    def metric_points(self, name: str) -> list[DataPointT]:
        """Current points of the metric `name`, under the exporter "memory"."""
        data = self.memory_metrics.get_metrics_data() if self.memory_metrics is not None else None
        if data is None:
            return []
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def stop(self) -> None:
        """Exports what is left and ends the threads.

        Blocks; when the collector does not answer, for up to twice `limits.EXPORT_SECONDS`.
        """
        for shutdown in self.shutdowns:
            shutdown()


def start(settings: TelemetrySettings, *, service: str, instance: str = "") -> Telemetry:
    """Starts telemetry; `service` and `instance` name the process in every span and point.

    Raises ConfigurationError.
    """
    ratio = settings.trace_sample_ratio
    if not 0.0 <= ratio <= 1.0:
        raise ConfigurationError(f"trace_sample_ratio {ratio} is not in 0 to 1")
    resource = resource_of(service, instance)
    match exporter_of(settings):
        case "memory":
            spans, points = InMemorySpanExporter(), InMemoryMetricReader()
            telemetry = assemble(resource, ratio, SimpleSpanProcessor(spans), [points])
            return replace(telemetry, memory_spans=spans, memory_metrics=points)
        case "otlp":
            spans_out, points_out = otlp_parts(settings)
            return scraped(
                settings, lambda more: assemble(resource, ratio, spans_out, [points_out, *more])
            )
        case _ if settings.scrape_address:
            return scraped(settings, lambda more: assemble(resource, 0.0, None, more))
        case _:
            tracer = trace.NoOpTracerProvider().get_tracer(service)
            meter = metrics.NoOpMeterProvider().get_meter(service)
            return Telemetry(tracer, meter, OrderTraces(tracer, 0.0))


def scraped(
    settings: TelemetrySettings, make: Callable[[list[MetricReader]], Telemetry]
) -> Telemetry:
    """With the page that Prometheus reads, if it is wanted. Raises ConfigurationError."""
    if not settings.scrape_address:
        return make([])
    reader = InMemoryMetricReader()
    page = Page(settings.scrape_address, reader)
    telemetry = make([reader])
    return replace(telemetry, shutdowns=(page.stop, *telemetry.shutdowns))


def exporter_of(settings: TelemetrySettings) -> str:
    """The exporter that is meant. Raises ConfigurationError for an unknown one."""
    if settings.exporter == AUTO:
        return OTLP if settings.otlp_endpoint else NONE
    if settings.exporter not in (NONE, MEMORY, OTLP):
        raise ConfigurationError(
            f"exporter {settings.exporter!r} is none of {AUTO}, {NONE}, {MEMORY}, {OTLP}"
        )
    return settings.exporter


def otlp_parts(settings: TelemetrySettings) -> tuple[SpanProcessor, MetricReader]:
    """Threads that send to a collector. An endpoint "http://…" is plain text, "https://…" TLS."""
    endpoint = settings.otlp_endpoint or None
    timeout = limits.EXPORT_SECONDS
    span_exporter = OTLPSpanExporter(endpoint=endpoint, timeout=timeout)
    metric_exporter = OTLPMetricExporter(endpoint=endpoint, timeout=timeout)
    return (
        BatchSpanProcessor(span_exporter, max_queue_size=limits.SPAN_QUEUE_MAX),
        PeriodicExportingMetricReader(
            metric_exporter,
            settings.metric_interval_seconds * MILLISECONDS_PER_SECOND,
            timeout * MILLISECONDS_PER_SECOND,
        ),
    )


def resource_of(service: str, instance: str) -> Resource:
    """How the process is named."""
    return Resource.create({"service.name": service, "service.instance.id": instance})


def assemble(
    resource: Resource,
    ratio: float,
    processor: SpanProcessor | None,
    readers: Sequence[MetricReader],
) -> Telemetry:
    """Providers of the SDK around where spans and points go."""
    tracer_provider = TracerProvider(
        sampler(ratio),
        resource,
        shutdown_on_exit=False,
        id_generator=PlannedIds(),
        span_limits=SpanLimits(max_links=limits.SPAN_LINKS_MAX),
    )
    if processor is not None:
        tracer_provider.add_span_processor(processor)
    meter_provider = MeterProvider(readers, resource, shutdown_on_exit=False)
    name = str(resource.attributes["service.name"])
    tracer = tracer_provider.get_tracer(name)
    return Telemetry(
        tracer,
        meter_provider.get_meter(name),
        OrderTraces(tracer, ratio),
        (tracer_provider.shutdown, meter_provider.shutdown),
    )
