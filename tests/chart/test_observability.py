"""Alerts and dashboards ask only for what is really exported, and every alert has a runbook."""

import ast
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = ROOT / "helm" / "cambist" / "files"
RUNBOOKS = ROOT / "docs" / "runbooks"
SERVICES = ("runtime", "gateway", "matching", "wallets", "control")
METRIC = re.compile(r"\b(?:cambist|haproxy)_[a-z_]+")
ALERT = re.compile(r"`(Cambist[A-Za-z]+)`")
# As a collector writes names for Prometheus.
UNITS = {"s": "_seconds"}
ENDINGS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
# Names of proxies as in the chart's own file; the exporter leaves out what it has no proxies for.
EDGE = """
global
    stats socket {socket} mode 600
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend firms
    bind unix@{firms}
    default_backend gateways
backend gateways
    server one 127.0.0.1:9
frontend health
    bind unix@{health}
    http-request use-service prometheus-exporter if {{ path /metrics }}
"""
START_SECONDS = 10


def alerts() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((FILES / "alerts.yaml").read_text("utf-8"))
    return found


def queries() -> Iterator[tuple[str, str]]:
    """What asks, and the expression."""
    for alert in alerts():
        yield alert["alert"], alert["expr"]
    for path in sorted((FILES / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']}", target["expr"]


def asked(prefix: str) -> dict[str, str]:
    """Metrics of a prefix, each with one who asks for it."""
    return {
        name: who
        for who, expression in queries()
        for name in METRIC.findall(expression)
        if name.startswith(prefix)
    }


def text_of(node: ast.expr, constants: dict[str, str]) -> str | None:
    """The string that an expression of constants is."""
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.Name(id=name):
            return constants.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = text_of(left, constants), text_of(right, constants)
            return first + second if first is not None and second is not None else None
    return None


def constants_of(tree: ast.Module) -> dict[str, str]:
    found = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str() as value)):
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str() as value)):
                found[name] = value
    return found


def instruments(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Name, kind and unit of all that a module makes."""
    constants = constants_of(tree)
    for call in ast.walk(tree):
        match call:
            case ast.Call(func=ast.Attribute(attr=attribute), args=[first, *_], keywords=keywords):
                kind = attribute.removeprefix("create_").removeprefix("observable_")
                name = text_of(first, constants)
                units = [text_of(one.value, constants) for one in keywords if one.arg == "unit"]
                if attribute.startswith("create_") and kind in ENDINGS and name:
                    yield name, kind, (units or [""])[0] or ""
            # The operator's own way to a gauge that is read when it is exported.
            case ast.Call(func=ast.Name(id="observe"), args=[_, first, _, *unit]):
                name = text_of(first, constants)
                if name:
                    unit_text = text_of(unit[0], constants) if unit else ""
                    yield f"cambist.control.{name}", "gauge", unit_text or ""


def exported() -> set[str]:
    found = set()
    for service in SERVICES:
        for path in (ROOT / service).rglob("*.py"):
            source = path.read_text("utf-8")
            if "create_" not in source and "observe(" not in source:
                continue
            for name, kind, unit in instruments(ast.parse(source)):
                full = name.replace(".", "_") + UNITS.get(unit, "")
                found |= {full + ending for ending in ENDINGS[kind]}
    return found


def test_every_metric_that_an_alert_or_a_panel_asks_for_is_exported() -> None:
    wanted, known = asked("cambist_"), exported()
    assert wanted
    assert {name: who for name, who in wanted.items() if name not in known} == {}


def test_every_alert_leads_to_a_page_and_the_pages_name_no_other() -> None:
    table = (RUNBOOKS / "README.md").read_text("utf-8").partition("## Alerts")[2]
    listed = {
        (name, page)
        for line in table.splitlines()
        for name in ALERT.findall(line)
        for page in re.findall(r"\]\((.+?)\)", line)
    }
    assert listed == {(one["alert"], one["annotations"]["runbook"]) for one in alerts()}
    assert [page for _, page in listed if not (RUNBOOKS / page).is_file()] == []


def test_every_alert_says_how_grave_it_is_and_for_how_long() -> None:
    names = [one["alert"] for one in alerts()]
    assert len(names) == len(set(names))
    for one in alerts():
        assert one["labels"]["severity"] in ("critical", "warning"), one["alert"]
        assert re.fullmatch(r"[0-9]+[sm]", one["for"]), one["alert"]
        assert one["annotations"]["summary"], one["alert"]


@pytest.mark.skipif(not shutil.which("haproxy"), reason="no haproxy on the path")
def test_every_metric_of_the_edge_comes_from_a_real_one(tmp_path: Path) -> None:
    paths = {name: tmp_path / name for name in ("socket", "firms", "health")}
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(EDGE.format(**paths), "utf-8")
    # Bound before it goes to the background, so it answers when the command is done.
    process_file = tmp_path / "pid"
    subprocess.run(
        ["haproxy", "-D", "-p", str(process_file), "-f", str(configuration)],
        check=True,
        timeout=START_SECONDS,
    )
    try:
        text = read_metrics(paths["health"])
    finally:
        for number in process_file.read_text("utf-8").split():
            subprocess.run(["kill", number], check=True)
    known = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    wanted = asked("haproxy_")
    assert wanted
    assert {name: who for name, who in wanted.items() if name not in known} == {}


def read_metrics(path: Path) -> str:
    """The exporter's answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(START_SECONDS)
        connection.connect(str(path))
        connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
