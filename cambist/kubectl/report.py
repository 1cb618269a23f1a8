"""A support bundle: resources, events and logs of a namespace, without secrets.

Secrets are never asked for. Values of environment variables and annotations that hold the last
applied document are left out, because people put passwords there.
"""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from cambist.kubectl import limits
from cambist.kubectl.cluster import Cluster, Object

KINDS: Final = (
    "walletchains",
    "markets",
    "deployments",
    "statefulsets",
    "pods",
    "services",
    "poddisruptionbudgets",
    "networkpolicies",
    "events",
    "leases",
)
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
LEFT_OUT: Final = "(left out)"


def without_secrets(value: Any) -> Any:
    """A copy without values of environment variables, arguments and managed fields. Pure."""
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for key, item in value.items():
        if key in ("managedFields", LAST_APPLIED):
            continue
        if key == "env" and isinstance(item, list):
            kept[key] = [
                {**entry, "value": LEFT_OUT} if "value" in entry else entry for entry in item
            ]
        elif key in ("args", "command"):
            kept[key] = LEFT_OUT
        else:
            kept[key] = without_secrets(item)
    return kept


def files(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """Name and content of each file; what could not be had is named in its place."""
    pods: list[Object] = []
    for kind in KINDS:
        try:
            found = cluster.list(kind)
        except click.ClickException as error:
            yield f"{kind}.error", error.message
            continue
        if kind == "pods":
            pods = found
        yield f"{kind}.json", json.dumps(without_secrets(found), indent=1)
    for pod in pods[: limits.REPORT_PODS_MAX]:
        name = pod["metadata"]["name"]
        try:
            arguments = ("--all-containers", f"--tail={limits.LOG_LINES}", "--timestamps")
            yield f"logs/{name}.log", cluster.run("logs", name, *arguments)
        except click.ClickException as error:
            yield f"logs/{name}.error", error.message


def write(cluster: Cluster, path: Path) -> int:
    """Writes the bundle; the number of files in it."""
    count = 0
    with tarfile.open(path, "w:gz") as bundle:
        for name, content in files(cluster):
            data = content.encode()
            entry = tarfile.TarInfo(f"cambist-report/{name}")
            entry.size = len(data)
            bundle.addfile(entry, io.BytesIO(data))
            count += 1
    return count
