"""A page of metrics that Prometheus reads, in its text format, for a cluster without a collector.

Called by `telemetry`. One thread answers `GET /metrics`, one reader after the other; it reads what
instruments counted and never touches the loop. Nothing else is served, and nothing secret is in
it; network policies say who may read.
"""

import re
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

from opentelemetry.sdk.metrics.export import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    InMemoryMetricReader,
    Metric,
    MetricsData,
    NumberDataPoint,
    Sum,
)

from runtime import limits
from runtime.errors import ConfigurationError

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
# As a collector writes names for Prometheus, so that one query fits both ways.
UNITS: Final = {"s": "_seconds"}
NO_NAME: Final = re.compile(r"[^a-zA-Z0-9_]")
ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def page(data: MetricsData | None) -> str:
    """All metrics as text."""
    lines: list[str] = []
    for resource in data.resource_metrics if data is not None else ():
        for scope in resource.scope_metrics:
            for metric in sorted(scope.metrics, key=lambda one: one.name):
                lines += of_metric(metric)
    return "".join(f"{line}\n" for line in lines)


def of_metric(metric: Metric) -> Iterator[str]:
    """Lines of one metric; kinds that Prometheus does not have are left out."""
    name = NO_NAME.sub("_", metric.name) + UNITS.get(metric.unit or "", "")
    match metric.data:
        case Sum(data_points=points, is_monotonic=True):
            yield f"# TYPE {name}_total counter"
            yield from values(f"{name}_total", points)
        case Sum(data_points=points) | Gauge(data_points=points):
            yield f"# TYPE {name} gauge"
            yield from values(name, points)
        case Histogram(data_points=points):
            yield f"# TYPE {name} histogram"
            for point in points:
                yield from buckets(name, point)


def values(name: str, points: Iterable[NumberDataPoint]) -> Iterator[str]:
    """A line per point."""
    for point in points:
        yield f"{name}{labels(point.attributes)} {point.value}"


def buckets(name: str, point: HistogramDataPoint) -> Iterator[str]:
    """Buckets count all below their bound; the last one counts everything."""
    count = 0
    bounds = [*(f"{bound:g}" for bound in point.explicit_bounds), "+Inf"]
    for bound, one in zip(bounds, point.bucket_counts, strict=True):
        count += one
        yield f"{name}_bucket{labels(point.attributes, le=bound)} {count}"
    yield f"{name}_sum{labels(point.attributes)} {point.sum}"
    yield f"{name}_count{labels(point.attributes)} {point.count}"


def labels(attributes: Any, **more: str) -> str:
    """`{a="b"}`, or nothing."""
    found = {NO_NAME.sub("_", str(key)): value for key, value in (attributes or {}).items()} | more
    inner = ",".join(f'{key}="{str(value).translate(ESCAPES)}"' for key, value in found.items())
    return f"{{{inner}}}" if inner else ""


class Page:
    """Serves the page until `stop`."""

    def __init__(self, address: str, reader: InMemoryMetricReader) -> None:
        """Binds at once. Raises ConfigurationError."""
        host, _, port = address.rpartition(":")

        class Handler(BaseHTTPRequestHandler):
            """Answers one request; a reader that says nothing is cut off."""

            timeout = limits.SCRAPE_SECONDS

            def do_GET(self) -> None:
                if self.path != "/metrics":
                    self.send_error(404)
                    return
                content = page(reader.get_metrics_data()).encode()
                self.send_response(200)
                self.send_header("Content-Type", CONTENT_TYPE)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Says nothing: a scrape is no news."""

        try:
            self._server = HTTPServer((host, int(port)), Handler)
        except (OSError, ValueError, OverflowError) as error:
            raise ConfigurationError(f"metrics page at {address}: {error}") from None
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
