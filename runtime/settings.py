"""Settings of a process: typed, frozen, read once from the environment.

Each service subclasses `Settings` with a prefix of its own and calls `load` first thing in its
`__main__`. Nested groups are written `<PREFIX><GROUP>_<FIELD>`, for example
`CAMBIST_MATCHING_POSTGRES_DSN`. A variable that starts with the prefix and names no field is
an error: a misspelt limit must not silently be the default. Secrets must never reach a log;
print settings only with `describe`.
"""

import os
import re
from collections.abc import Mapping
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime import limits
from runtime.errors import ConfigurationError

MASK: Final = "***"
_DSN_PASSWORD: Final = re.compile(r"(//[^:/@\s]*:)[^@\s]*@|(password=)[^&\s]+")


class SettingsGroup(BaseModel):
    """A frozen group of fields inside a service's settings; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PostgresSettings(SettingsGroup):
    """Where the database is. Without a DSN a development database is started by the process."""

    # postgresql://user:password@host:port/database?sslmode=…; empty = the embedded one.
    dsn: SecretStr = SecretStr("")
    # For `migrate` alone: the role that the service logs in as, which gets rights on rows and none
    # on the schema. Empty = services log in as the role that migrates.
    service_role: str = ""
    # Folder of the embedded database; it survives restarts.
    embedded_directory: str = "data/postgres"
    pool_connections_max: int = limits.POOL_CONNECTIONS_MAX
    pool_wait_seconds: float = limits.POOL_WAIT_SECONDS
    connect_timeout_seconds: float = limits.CONNECT_TIMEOUT_SECONDS
    statement_timeout_seconds: float = limits.STATEMENT_TIMEOUT_SECONDS
    # 0 when a pooler in transaction mode stands between us and Postgres.
    statement_cache_size: int = limits.STATEMENT_CACHE_SIZE


class TlsSettings(SettingsGroup):
    """PEM files of one end. All empty = plain text (loopback, or a mesh that encrypts)."""

    certificate_file: str = ""
    private_key_file: str = ""
    # Certificates that the other end must chain to; at a server it demands client certificates.
    authority_file: str = ""


class RpcSettings(SettingsGroup):
    """Options of a gRPC server that operators may need to turn."""

    concurrent_streams_max: int = limits.CONCURRENT_STREAMS_MAX
    # 0 = connections live for ever. With an age, streams end one grace later.
    connection_age_max_seconds: float = 0.0
    connection_age_grace_seconds: float = 30.0


class LogSettings(SettingsGroup):
    """How logs look."""

    level: str = "info"
    # "json" for machines, "console" for people.
    format: str = "json"


class TelemetrySettings(SettingsGroup):
    """Where traces and metrics go."""

    # "auto" (otlp when an endpoint is given, else none), "none", "memory" (tests), or "otlp" (where
    # the endpoint may come from the standard OTEL_ variables).
    exporter: str = "auto"
    # "http://host:4317" is plain text, "https://host:4317" TLS.
    otlp_endpoint: str = ""
    # Share of orders that get a trace, 0 to 1; the same in all processes of a venue.
    trace_sample_ratio: float = 0.01
    metric_interval_seconds: float = limits.METRIC_INTERVAL_SECONDS
    # Where Prometheus reads metrics ("host:port", path /metrics); empty = nowhere.
    scrape_address: str = ""


class Settings(BaseSettings):
    """Base of a service's settings; subclasses set `env_prefix` in `model_config`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        nested_model_default_partial_update=True,
    )

    log: LogSettings = LogSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    def load(cls) -> Self:
        """Reads the environment; raises ConfigurationError that names each wrong variable."""
        prefix = cls.model_config.get("env_prefix", "")
        unknown = sorted(unknown_variables(cls, os.environ))
        if unknown:
            raise ConfigurationError(f"environment variables that name no setting: {unknown}")
        try:
            return cls()
        except ValidationError as error:
            raise ConfigurationError(explain(error, prefix)) from None

    def describe(self) -> dict[str, Any]:
        """All values as plain data for the log line at start, secrets masked."""
        described: dict[str, Any] = mask(self.model_dump())
        return described


def field_variables(model: type[BaseModel], prefix: str) -> set[str]:
    """Names of the environment variables that set the fields of `model`."""
    names: set[str] = set()
    for name, field in model.model_fields.items():
        variable = f"{prefix}{name}".upper()
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            names |= field_variables(annotation, f"{variable}_")
        else:
            names.add(variable)
    return names


def unknown_variables(model: type[Settings], environment: Mapping[str, str]) -> set[str]:
    """Variables with the prefix of `model` that set nothing."""
    prefix = model.model_config.get("env_prefix", "").upper()
    if not prefix:
        return set()
    known = field_variables(model, prefix)
    return {name for name in environment if name.upper().startswith(prefix)} - known


def explain(error: ValidationError, prefix: str) -> str:
    """One line per wrong variable, without the value (it may be a secret)."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        variable = (prefix + "_".join(str(part) for part in fault["loc"])).upper()
        lines.append(f"{variable}: {fault['msg']}")
    return "; ".join(lines)


def mask_dsn(text: str) -> str:
    """A DSN without its password."""
    return _DSN_PASSWORD.sub(
        lambda match: f"{match[1]}{MASK}@" if match[1] else match[2] + MASK, text
    )


def mask(value: Any) -> Any:
    """Replaces secrets anywhere in plain data; a secret DSN keeps host and database."""
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return mask_dsn(secret) if "://" in secret else (MASK if secret else "")
    if isinstance(value, dict):
        return {key: mask(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask(item) for item in value]
    return value
