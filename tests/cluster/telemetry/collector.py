"""A collector as a pod beside the venue, from an image `cambist-test-collector`."""

from typing import Any, Final

from tests.cluster.venue import TAG, Venue
from tests.foreign.heard import Heard

LABELS: Final = {"test": "collector"}
ENDPOINT: Final = "http://collector:4317"
CONFIGURATION: Final = """
receivers:
  otlp: {protocols: {grpc: {endpoint: "0.0.0.0:4317"}}}
exporters:
  file/traces: {path: /tmp/traces.json}
  file/metrics: {path: /tmp/metrics.json}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [file/traces]}
    metrics: {receivers: [otlp], exporters: [file/metrics]}
"""


def documents() -> list[dict[str, Any]]:
    """The pod, its Service `collector` and its configuration."""
    configuration = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "collector"},
        "data": {"collector.yaml": CONFIGURATION},
    }
    container = {
        "name": "collector",
        "image": f"cambist-test-collector:{TAG}",
        "imagePullPolicy": "Never",
        "readinessProbe": {"tcpSocket": {"port": 4317}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "configuration", "mountPath": "/etc/collector", "readOnly": True},
            {"name": "written", "mountPath": "/tmp"},
        ],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "collector", "labels": LABELS},
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [
                {"name": "configuration", "configMap": {"name": "collector"}},
                {"name": "written", "emptyDir": {}},
            ],
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "collector"},
        "spec": {"selector": LABELS, "ports": [{"port": 4317}]},
    }
    return [configuration, pod, service]


def heard(venue: Venue) -> Heard:
    """What it wrote so far."""
    kinds = ("traces", "metrics")
    return Heard(
        *(venue.kubectl("exec", "collector", "--", "cat", f"/tmp/{kind}.json") for kind in kinds)
    )
