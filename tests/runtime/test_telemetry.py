"""Telemetry as a process starts it, read back from the exporter that keeps it in memory."""

from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.sdk.metrics.export import HistogramDataPoint, NumberDataPoint

from runtime import telemetry
from runtime.errors import ConfigurationError
from runtime.settings import TelemetrySettings
from runtime.stages import BOUNDS_NS, COUNTER_NAME, HISTOGRAM_NAME, Stage, StageMeter
from runtime.telemetry import Telemetry

MEMORY = TelemetrySettings(exporter="memory", trace_sample_ratio=1.0)


@pytest.fixture
def measured() -> Iterator[Telemetry]:
    started = telemetry.start(MEMORY, service="matching", instance="matching-0")
    yield started
    started.stop()


def test_each_stage_counts_commands_and_measures_batches(measured: Telemetry) -> None:
    stages = StageMeter(measured.meter)
    for stage in Stage:
        stages.record(stage, 256, 2_000_000)
        stages.record(stage, 1, 1_000_000)
    counts = {
        str((point.attributes or {})["stage"]): point.value
        for point in measured.metric_points(COUNTER_NAME)
        if isinstance(point, NumberDataPoint)
    }
    assert counts == {stage.value: 257 for stage in Stage}
    for point in measured.metric_points(HISTOGRAM_NAME):
        assert isinstance(point, HistogramDataPoint)
        assert point.count == 2
        assert point.sum == pytest.approx(0.003)


def test_durations_fall_into_buckets_fine_enough_for_a_batch(measured: Telemetry) -> None:
    stages = StageMeter(measured.meter)
    for duration_ns in (40_000, 80_000, 700_000, 70_000_000_000):
        stages.record(Stage.MATCHED, 1, duration_ns)
    (point,) = measured.metric_points(HISTOGRAM_NAME)
    assert isinstance(point, HistogramDataPoint)
    assert [bool(count) for count in point.bucket_counts].count(True) == 4


def test_spans_name_the_process(measured: Telemetry) -> None:
    with measured.tracer.start_as_current_span("batch"):
        pass
    (span,) = measured.finished_spans()
    attributes = span.resource.attributes
    assert attributes["service.name"] == "matching"
    assert attributes["service.instance.id"] == "matching-0"


def test_without_an_exporter_nothing_is_recorded_and_no_order_is_traced() -> None:
    off = telemetry.start(TelemetrySettings(trace_sample_ratio=1.0), service="gateway")
    StageMeter(off.meter).record(Stage.RECEIVED, 1, 1)
    with off.tracer.start_as_current_span("batch") as span:
        assert not span.is_recording()
    assert not off.orders.is_on
    assert not off.shutdowns
    assert off.finished_spans() == ()
    assert off.metric_points(COUNTER_NAME) == []
    off.stop()


@pytest.mark.parametrize(
    ("exporter", "endpoint", "meant"),
    [
        ("auto", "", "none"),
        ("auto", "http://collector:4317", "otlp"),
        ("none", "http://collector:4317", "none"),
        ("otlp", "", "otlp"),
        ("memory", "", "memory"),
    ],
)
def test_an_endpoint_turns_export_on(exporter: str, endpoint: str, meant: str) -> None:
    settings = TelemetrySettings(exporter=exporter, otlp_endpoint=endpoint)
    assert telemetry.exporter_of(settings) == meant


@pytest.mark.parametrize(
    "settings",
    [
        TelemetrySettings(exporter="otpl"),
        TelemetrySettings(trace_sample_ratio=1.5),
        TelemetrySettings(trace_sample_ratio=-0.1),
    ],
)
def test_wrong_settings_are_refused(settings: TelemetrySettings) -> None:
    with pytest.raises(ConfigurationError):
        telemetry.start(settings, service="gateway")


class Collector:
    """Takes spans as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.server = grpc.server(futures.ThreadPoolExecutor(1))
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        handler = grpc.unary_unary_rpc_method_handler(
            self.export,
            request_deserializer=trace_service_pb2.ExportTraceServiceRequest.FromString,
            response_serializer=trace_service_pb2.ExportTraceServiceResponse.SerializeToString,
        )
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        generic = grpc.method_handlers_generic_handler(service, {"Export": handler})
        self.server.add_generic_rpc_handlers((generic,))
        self.server.start()

    def export(
        self, request: trace_service_pb2.ExportTraceServiceRequest, _: grpc.ServicerContext
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.names += [span.name for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


def test_spans_reach_a_collector_before_stop_returns() -> None:
    collector = Collector()
    endpoint = f"http://127.0.0.1:{collector.port}"
    settings = TelemetrySettings(otlp_endpoint=endpoint, trace_sample_ratio=1.0)
    exporting = telemetry.start(settings, service="gateway")
    with exporting.tracer.start_as_current_span("batch"):
        pass
    exporting.stop()
    collector.server.stop(None).wait()
    assert collector.names == ["batch"]


def test_the_process_counts_for_itself_with_or_without_an_exporter(measured: Telemetry) -> None:
    for meter in (
        measured.meter,
        telemetry.start(TelemetrySettings(exporter="none"), service="gateway").meter,
    ):
        stages = StageMeter(meter)
        stages.record(Stage.DURABLE, 256, BOUNDS_NS[3])
        stages.record(Stage.DURABLE, 1, BOUNDS_NS[3] + 1)
        stages.record(Stage.DURABLE, 1, BOUNDS_NS[-1] + 1)
        counts = stages.counts[Stage.DURABLE]
        assert counts.commands == 258
        assert {index: n for index, n in enumerate(counts.batches) if n} == {
            3: 1,
            4: 1,
            len(BOUNDS_NS): 1,
        }
        assert stages.counts[Stage.MATCHED].commands == 0
