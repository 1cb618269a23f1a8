"""What Prometheus reads: a process's metrics in its text format, under the names of our alerts."""

import urllib.error
import urllib.request

import pytest
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from runtime import embedded_postgres, scrape, telemetry
from runtime.errors import ConfigurationError
from runtime.settings import TelemetrySettings

PAGE = """\
# TYPE cambist_open gauge
cambist_open 7
# TYPE cambist_orders_total counter
cambist_orders_total{side="buy"} 3
# TYPE cambist_wait_seconds histogram
cambist_wait_seconds_bucket{shard="1",le="0.1"} 1
cambist_wait_seconds_bucket{shard="1",le="1"} 2
cambist_wait_seconds_bucket{shard="1",le="+Inf"} 3
cambist_wait_seconds_sum{shard="1"} 5.5625
cambist_wait_seconds_count{shard="1"} 3
"""


def test_each_kind_of_instrument_is_written_as_prometheus_reads_it() -> None:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader]).get_meter("test")
    meter.create_counter("cambist.orders").add(3, {"side": "buy"})
    meter.create_observable_gauge("cambist.open", [lambda _: [Observation(7)]])
    wait = meter.create_histogram(
        "cambist.wait", unit="s", explicit_bucket_boundaries_advisory=[0.1, 1.0]
    )
    for seconds in (0.0625, 0.5, 5.0):
        wait.record(seconds, {"shard": 1})
    assert scrape.page(reader.get_metrics_data()) == PAGE


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    assert scrape.labels({"a.b": 'x"} 1\n\\'}) == '{a_b="x\\"} 1\\n\\\\"}'


def read(address: str, path: str) -> str:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def test_a_process_serves_its_metrics_and_nothing_else_until_it_stops() -> None:
    address = f"127.0.0.1:{embedded_postgres.free_port()}"
    running = telemetry.start(TelemetrySettings(scrape_address=address), service="gateway")
    running.meter.create_counter("cambist.orders").add(1)
    assert "cambist_orders_total 1\n" in read(address, "/metrics")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        read(address, "/")
    # It counts from the start on; reading takes nothing away.
    running.meter.create_counter("cambist.orders").add(1)
    assert "cambist_orders_total 2\n" in read(address, "/metrics")
    running.stop()
    with pytest.raises(urllib.error.URLError):
        read(address, "/metrics")


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:99999", "127.0.0.1:port"])
def test_an_address_that_cannot_be_bound_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="metrics page at"):
        telemetry.start(TelemetrySettings(scrape_address=address), service="gateway")
