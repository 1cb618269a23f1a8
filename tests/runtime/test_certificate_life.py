"""What a process says about the life of its certificates, read from real ones."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics.export import NumberDataPoint

from runtime import certificate_life, telemetry
from runtime.clock import NANOSECONDS_PER_SECOND, ManualClock
from runtime.development_certificates import DevelopmentAuthority, make_authority
from runtime.settings import TelemetrySettings, TlsSettings
from runtime.telemetry import Telemetry

DAY_SECONDS = 86_400
NOW = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)
LATER = NOW + datetime.timedelta(days=10)


@pytest.fixture
def measured() -> Iterator[Telemetry]:
    started = telemetry.start(TelemetrySettings(exporter="memory"), service="matching")
    yield started
    started.stop()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(int(NOW.timestamp()) * NANOSECONDS_PER_SECOND)


@pytest.fixture
def authority(tmp_path: Path) -> DevelopmentAuthority:
    return make_authority(tmp_path, NOW)


def days_left(measured: Telemetry) -> dict[str, float]:
    return {
        str((point.attributes or {})["file"]): point.value / DAY_SECONDS
        for point in measured.metric_points(certificate_life.NAME)
        if isinstance(point, NumberDataPoint)
    }


def test_each_file_counts_down_and_goes_below_zero_when_it_has_ended(
    measured: Telemetry, clock: ManualClock, authority: DevelopmentAuthority
) -> None:
    issued = authority.issue("matching", NOW)
    used = issued.model_copy(update={"authority_file": authority.authority_file})
    certificate_life.measure(measured.meter, clock, channels=[used])
    assert days_left(measured) == {"authority.pem": 30.0, "matching.pem": 30.0}
    clock.advance(31 * DAY_SECONDS * NANOSECONDS_PER_SECOND)
    assert days_left(measured) == {"authority.pem": -1.0, "matching.pem": -1.0}


def test_a_server_tells_of_the_renewed_file_and_a_channel_of_the_one_that_it_read(
    measured: Telemetry, clock: ManualClock, authority: DevelopmentAuthority
) -> None:
    server, channel = (authority.issue(name, NOW) for name in ("server", "channel"))
    certificate_life.measure(measured.meter, clock, servers=[server], channels=[channel])
    for name in ("server", "channel"):
        authority.issue(name, LATER)
    assert days_left(measured) == {"channel.pem": 30.0, "server.pem": 40.0}


def test_the_first_of_a_chain_counts_and_the_last_of_an_authoritys_file(
    measured: Telemetry, clock: ManualClock, authority: DevelopmentAuthority, tmp_path: Path
) -> None:
    both = b"".join(
        Path(authority.issue(name, moment).certificate_file).read_bytes()
        for name, moment in (("elder", NOW), ("younger", LATER))
    )
    for name in ("chain.pem", "trusted.pem"):
        (tmp_path / name).write_bytes(both)
    used = TlsSettings(
        certificate_file=str(tmp_path / "chain.pem"), authority_file=str(tmp_path / "trusted.pem")
    )
    certificate_life.measure(measured.meter, clock, servers=[used])
    assert days_left(measured) == {"chain.pem": 30.0, "trusted.pem": 40.0}


def test_a_file_that_is_spoilt_or_gone_keeps_its_last_figure(
    measured: Telemetry, clock: ManualClock, authority: DevelopmentAuthority
) -> None:
    issued = authority.issue("matching", NOW)
    certificate_life.measure(measured.meter, clock, servers=[issued])
    Path(issued.certificate_file).write_text("-----BEGIN CERTIFICATE-----\nspoilt\n")
    assert days_left(measured) == {"matching.pem": 30.0}
    Path(issued.certificate_file).unlink()
    assert days_left(measured) == {"matching.pem": 30.0}


def test_without_certificates_there_is_no_figure(measured: Telemetry, clock: ManualClock) -> None:
    certificate_life.measure(measured.meter, clock, servers=[TlsSettings()])
    assert days_left(measured) == {}
