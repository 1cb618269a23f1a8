"""Errors of matching.

    MatchingError
    ├── Stop                the process must end; the name says why, a runbook says what to do
    │   ├── Fenced             another process holds the shard
    │   ├── JournalCorrupt     a row or its engine does not give what was written
    │   ├── WentBackwards      the database ends before what was already released
    │   └── EngineBroken       the engine stops at every batch
    ├── NotPrimary          this process does not hold the shard (now)
    ├── Rejected            a request is refused for a named reason
    └── NoSnapshot          none is stored, or none can be used

`Unavailable` (try again) and `Unknown` (ask by id) are those of `runtime.errors`.
"""

from collections.abc import Mapping
from types import MappingProxyType

import grpc


class MatchingError(Exception):
    """Base of what matching raises on purpose."""


class Stop(MatchingError):
    """The process must end; `name` is part of logs and runbooks."""

    name = "STOPPED"

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.name}: {text}")


class Fenced(Stop):
    """The epoch or the lease is another process's; nothing of ours was written after that."""

    name = "FENCED"


class JournalCorrupt(Stop):
    """A journal row is not what was written, or this build gives other events for it."""

    name = "JOURNAL_CORRUPT"


class WentBackwards(Stop):
    """The database's head is behind what was released."""

    name = "JOURNAL_WENT_BACKWARDS"


class EngineBroken(Stop):
    """The engine stops whatever it is given."""

    name = "ENGINE_BROKEN"


class NotPrimary(MatchingError):
    """This process does not hold the shard; `primary` is the endpoint that does, if known."""

    def __init__(self, primary: str) -> None:
        super().__init__(f"NOT_PRIMARY, the primary is {primary or 'not known'}")
        self.primary = primary


class Rejected(MatchingError):
    """A request is refused; `reason` is UPPER_SNAKE_CASE, `code` what kind of refusal it is."""

    def __init__(
        self,
        reason: str,
        message: str,
        code: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT,
        metadata: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.code = code
        self.metadata = metadata


class NoSnapshot(MatchingError):
    """No stored snapshot can be used."""
