"""Structured logs: one event per line, JSON for machines or columns for people.

A process calls `configure` once, then every module takes `logs.get(__name__)` and logs a short
event name with fields. Values whose key says that they are secret are masked, but callers must
not pass secrets in the first place.
"""

import logging
import sys
from collections.abc import MutableMapping
from functools import partial
from typing import Any, Final

import structlog

from runtime.errors import ConfigurationError
from runtime.settings import MASK, LogSettings, mask_dsn

_SECRET_WORDS: Final = ("password", "secret", "private_key", "token", "authorization")
_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

Logger = structlog.typing.FilteringBoundLogger
Event = MutableMapping[str, Any]


def mask_secrets(_logger: Any, _method: str, event: Event) -> Event:
    """Masks fields that are secret by name, and passwords inside connection strings."""
    for key, value in event.items():
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = MASK
        elif isinstance(value, str) and "://" in value:
            event[key] = mask_dsn(value)
    return event


def add_service(service: str, _logger: Any, _method: str, event: Event) -> Event:
    """Names the service, whatever task or thread logs."""
    event["service"] = service
    return event


def configure(settings: LogSettings, *, service: str) -> None:
    """Sets up logging of this process to standard error; `service` stands in every line."""
    level = _LEVELS.get(settings.level.lower())
    if level is None:
        raise ConfigurationError(f"unknown log level {settings.level!r}: use {sorted(_LEVELS)}")
    renderer: structlog.typing.Processor
    if settings.format == "json":
        renderer = structlog.processors.JSONRenderer()
    elif settings.format == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    else:
        raise ConfigurationError(f"unknown log format {settings.format!r}: use json or console")
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        partial(add_service, service),
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    route_standard_logging(level, shared, renderer)


def route_standard_logging(
    level: int, shared: list[structlog.typing.Processor], renderer: structlog.typing.Processor
) -> None:
    """Sends the standard library's log records (libraries use it) through the same renderer."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries are chatty below warning; ours go through structlog and keep their level.
    root.setLevel(max(level, logging.WARNING))


def get(name: str) -> Logger:
    """The logger of a module."""
    logger: Logger = structlog.get_logger(logger_name=name)
    return logger
