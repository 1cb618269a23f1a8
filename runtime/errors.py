"""Errors of the shared floor.

    RuntimeFault
    ├── ConfigurationError   settings, files or the database's own settings are wrong: fix, restart
    ├── Unavailable          nothing happened; the same call may be tried again
    └── Unknown              it may have happened or not; ask by id, never report a failure

Services put their own trees beside these; `Unavailable` and `Unknown` mean the same there.
Errors that a statement itself causes (a broken constraint, say) stay asyncpg's.
"""


class RuntimeFault(Exception):
    """Base of everything the floor raises on purpose."""


class ConfigurationError(RuntimeFault):
    """The process cannot start or go on as it is configured; trying again does not help."""


class Unavailable(RuntimeFault):
    """A dependency did not answer and nothing was changed; trying again is safe."""


class Unknown(RuntimeFault):
    """A write was sent and its outcome is not known: it may be durable, or never happen."""
