"""Errors of the operator.

ControlError
├── Rejected      the API server or the engine refuses the request as it is; named reason
│   └── Conflict     the object changed since it was read: read it again
├── NotFound      the object is not there
├── Unavailable   nothing was changed; the same call may be tried again
├── Unknown       it may have happened: read before anything is sent again
└── NotLeader     this replica may not write now
"""


class ControlError(Exception):
    """Base of what the operator raises on purpose."""


class Rejected(ControlError):
    """Refused for `reason`; trying again as it is does not help."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class Conflict(Rejected):
    """The object is newer than the copy that was written from."""


class NotFound(ControlError):
    """The object is not there."""


class Unavailable(ControlError):
    """The other side did not answer; nothing was changed."""


class Unknown(ControlError):
    """The other side may have done it."""


class NotLeader(ControlError):
    """The Lease was not renewed lately enough."""
