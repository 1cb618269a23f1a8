"""Clocks as values, and log lines without secrets."""

import json
from collections.abc import Callable

import pytest

from runtime import logs
from runtime.clock import ManualClock, SteadyTime, SystemClock
from runtime.errors import ConfigurationError
from runtime.settings import MASK, LogSettings


def test_steady_time_ignores_steps_of_the_wall_clock() -> None:
    clock = ManualClock()
    steady = SteadyTime.starting_at(clock, 1_000)
    clock.step_wall(-3_600_000_000_000)
    clock.advance(50)
    assert steady.now_ns() == 1_050


def test_the_systems_steady_clock_does_not_go_back() -> None:
    clock = SystemClock()
    readings = [clock.monotonic_ns() for _ in range(100)]
    assert readings == sorted(readings)
    assert clock.wall_ns() > 1_600_000_000_000_000_000


def test_secret_fields_and_passwords_are_masked_in_log_lines() -> None:
    event = {
        "event": "x",
        "token_secret": "hush",
        "Authorization": "Bearer hush",
        "dsn": "postgresql://u:hush@h/d",
        "seq": 7,
    }
    masked = logs.mask_secrets(None, "info", event)
    assert "hush" not in str(masked)
    assert masked["token_secret"] == masked["Authorization"] == MASK
    assert masked["seq"] == 7


def test_a_configured_process_logs_json_with_its_service(log_lines: Callable[[], str]) -> None:
    logs.configure(LogSettings(level="warning"), service="matching")
    logs.get("m").info("too quiet")
    logs.get("m").warning("loud", private_key="hush")
    (line,) = log_lines().splitlines()
    told = json.loads(line)
    assert (told["event"], told["service"], told["level"]) == ("loud", "matching", "warning")
    assert told["private_key"] == MASK


@pytest.mark.parametrize("settings", [LogSettings(level="loud"), LogSettings(format="xml")])
def test_unknown_levels_and_formats_are_refused(settings: LogSettings) -> None:
    with pytest.raises(ConfigurationError):
        logs.configure(settings, service="x")
