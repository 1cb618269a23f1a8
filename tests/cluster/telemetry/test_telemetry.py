"""Telemetry of a venue on a real cluster: through its network policies to a collector's pod."""

import base64
import datetime
import time
from collections.abc import Callable

import pytest
from cryptography import x509

from runtime import certificates
from runtime.certificate_life import first_end_seconds
from tests.cluster.conftest import CHART
from tests.cluster.telemetry import collector
from tests.cluster.telemetry.collector import ENDPOINT
from tests.cluster.venue import SETTINGS, Venue
from tests.foreign.heard import attributes

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

TOLD = [*SETTINGS, "--set", f"telemetry.otlpEndpoint={ENDPOINT}"]
DAY_SECONDS = 86_400
# The operator looks at the edge once a minute, and tells every ten seconds.
SECONDS = 180
CLOSE_SECONDS = 120.0


def until(look: Callable[[], bool]) -> None:
    """Looks again and again; fails when the time is over."""
    deadline = time.monotonic() + SECONDS
    while not look():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(2)


def edge_ends_seconds(venue: Venue) -> float:
    """When the certificate of the edge ends, by the newest point of the gauge; 0 = not told."""
    lives = [
        (int(point["timeUnixNano"]) / 1e9, float(point["asDouble"]))
        for point in collector.heard(venue).points("cambist.tls.certificate.life")
        if attributes(point).get("file") == "edge"
    ]
    return sum(max(lives)) if lives else 0.0


def short_certificate(name: str, now: datetime.datetime) -> str:
    """One that ends in ten days, of an authority of its own: chain and key."""
    end = now + datetime.timedelta(days=10)
    authority = certificates.make_authority("short", now, end)
    leaf = certificates.issue(authority, name, [x509.DNSName(name)], now, end)
    return (leaf.certificate_pem + leaf.private_key_pem).decode("ascii")


def test_services_reach_the_collector_and_the_edges_certificate_is_followed(venue: Venue) -> None:
    venue.apply(*collector.documents())
    venue.kubectl("wait", "pod/collector", "--for=condition=Ready", "--timeout=60s")
    venue.helm("install", "venue", str(CHART), *TOLD)
    venue.wait_ready()
    assert "traded and canceled through the edge" in venue.trade()

    wanted = {
        ("gateway", "cambist.stage.commands"),
        ("matching", "cambist.stage.commands"),
        ("control", "cambist.control.leading"),
        ("control", "cambist.tls.certificate.life"),
    }
    until(lambda: collector.heard(venue).metrics() >= wanted)
    until(lambda: edge_ends_seconds(venue) > 0)
    pem = base64.b64decode(venue.get("secret", "venue-credentials")["data"]["edge.pem"])
    assert abs(edge_ends_seconds(venue) - first_end_seconds(pem)) < CLOSE_SECONDS

    # Another certificate at the edge: the gauge tells what clients see, below the alert's bound.
    now = datetime.datetime.now(datetime.UTC)
    chain = short_certificate("venue-edge", now)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "short"}}
    venue.apply(secret | {"stringData": {"tls.pem": chain}})
    own = ("--set", "edge.certificateSecretName=short")
    venue.helm("upgrade", "venue", str(CHART), *TOLD, *own)
    venue.wait_ready()
    ends = now.timestamp() + 10 * DAY_SECONDS
    until(lambda: abs(edge_ends_seconds(venue) - ends) < CLOSE_SECONDS)
