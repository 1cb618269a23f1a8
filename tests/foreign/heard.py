"""What a collector wrote down, in OTLP's JSON, one export per line. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Heard:
    """The two files as they are now."""

    traces_text: str
    metrics_text: str

    def metrics(self) -> set[tuple[str, str]]:
        """Services, and names of what they measured."""
        return {(service, metric["name"]) for service, metric in self._metrics()}

    def points(self, name: str) -> list[dict[str, Any]]:
        """Points of one metric, oldest first."""
        return [
            point
            for _, metric in self._metrics()
            if metric["name"] == name
            for points in metric.values()
            if isinstance(points, dict)
            for point in points["dataPoints"]
        ]

    def traces(self) -> dict[str, set[tuple[str, str]]]:
        """Services and names of spans, by trace."""
        found: dict[str, set[tuple[str, str]]] = {}
        for service, scope in parts(self.traces_text, "resourceSpans", "scopeSpans"):
            for span in scope["spans"]:
                found.setdefault(span["traceId"], set()).add((service, span["name"]))
        return found

    def _metrics(self) -> Iterator[tuple[str, Any]]:
        for service, scope in parts(self.metrics_text, "resourceMetrics", "scopeMetrics"):
            for metric in scope["metrics"]:
                yield service, metric


def parts(text: str, resources: str, scopes: str) -> Iterator[tuple[str, Any]]:
    """Services, and what each sent; a last line that is still being written is left out."""
    for line in text.splitlines(keepends=True):
        if not line.endswith("\n"):
            continue
        for resource in json.loads(line)[resources]:
            service = attributes(resource["resource"])["service.name"]
            for scope in resource[scopes]:
                yield service, scope


def attributes(one: Any) -> dict[str, str]:
    """Those that are texts."""
    return {each["key"]: each["value"].get("stringValue", "") for each in one["attributes"]}
