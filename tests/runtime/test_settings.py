"""Settings from the environment: a wrong or misspelt variable stops the process by name."""

import pytest
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from runtime.errors import ConfigurationError
from runtime.settings import MASK, PostgresSettings, Settings, mask, mask_dsn


class Example(Settings):
    model_config = SettingsConfigDict(env_prefix="CAMBIST_EXAMPLE_")

    limit: int = 5
    postgres: PostgresSettings = PostgresSettings()


def set_variables(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"CAMBIST_EXAMPLE_{name}", value)


def test_fields_and_groups_come_from_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, LIMIT="7", POSTGRES_DSN="postgresql://u:p@h/d", LOG_LEVEL="debug")
    settings = Example.load()
    assert (settings.limit, settings.log.level) == (7, "debug")
    assert settings.postgres.dsn.get_secret_value() == "postgresql://u:p@h/d"
    # The other fields of a group keep their defaults.
    assert settings.postgres.pool_wait_seconds == PostgresSettings().pool_wait_seconds


@pytest.mark.parametrize("name", ["LIMITS", "POSTGRES_DSNN", "POSTGRES"])
def test_a_variable_that_names_no_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    set_variables(monkeypatch, **{name: "1"})
    with pytest.raises(ConfigurationError, match=f"CAMBIST_EXAMPLE_{name}"):
        Example.load()


def test_a_wrong_value_is_named_and_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, LIMIT="a-secret-word")
    with pytest.raises(ConfigurationError, match="CAMBIST_EXAMPLE_LIMIT") as caught:
        Example.load()
    assert "a-secret-word" not in str(caught.value)


def test_what_is_printed_at_start_holds_no_secret() -> None:
    settings = Example(postgres=PostgresSettings(dsn=SecretStr("postgresql://u:hush@h:5/d")))
    described = settings.describe()
    assert "hush" not in str(described)
    assert described["postgres"]["dsn"] == f"postgresql://u:{MASK}@h:5/d"


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:***@h/d"),
        ("postgresql://h/d?user=u&password=p", "postgresql://h/d?user=u&password=***"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
    ],
)
def test_a_dsn_is_shown_without_its_password(dsn: str, shown: str) -> None:
    assert mask_dsn(dsn) == shown


def test_secrets_are_masked_wherever_they_stand() -> None:
    value = {"a": [SecretStr("x"), (SecretStr(""), 5)], "b": SecretStr("u://n:pw@h")}
    assert mask(value) == {"a": [MASK, ["", 5]], "b": f"u://n:{MASK}@h"}
