"""Every setting can be given by its variable: no two names hide each other."""

import pytest

from control.settings import ControlSettings
from runtime.errors import ConfigurationError
from runtime.settings import field_variables

PREFIX = "CAMBIST_CONTROL_"


@pytest.mark.parametrize(
    "variable", sorted(field_variables(ControlSettings, PREFIX) - {PREFIX + "WEBHOOK_PORT"})
)
def test_each_variable_is_taken(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "1")
    assert ControlSettings.load() is not None


def test_a_webhook_needs_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "WEBHOOK_PORT", "8443")
    with pytest.raises(ConfigurationError, match="certificate"):
        ControlSettings.load()
    monkeypatch.setenv(PREFIX + "WEBHOOK_CERTIFICATE_FILE", "tls.crt")
    assert ControlSettings.load().webhook.port == 8443
