"""Errors of the SDK.

    CambistError
    ├── Rejected          the venue said no, by a named reason; nothing changed
    │   └── InvalidInput  it would say no: refused here, before anything was sent
    ├── Unavailable       surely not carried out; the same call may be tried again
    ├── Unknown           sent, and not known whether it was carried out: ask by id (`resolve`)
    ├── SessionEnded      the session is over and will not come back by itself
    └── BookBroken        a book does not fit its feed; subscribe again

An answer that a future carries is never one of these for a business refusal; the awaiting methods
(`new_order` and the like) raise Rejected for it.
"""

from typing import Any


class CambistError(Exception):
    """Base of everything the SDK raises on purpose."""


class Rejected(CambistError):
    """Refused. `reason` is machine-readable, for example INSUFFICIENT_FUNDS.

    `answer` is the venue's event where there is one; `fields` names faulty fields of a call.
    """

    def __init__(
        self, reason: str, text: str = "", *, answer: Any = None, fields: tuple[str, ...] = ()
    ) -> None:
        super().__init__(f"{reason}: {text}" if text else reason)
        self.reason = reason
        self.text = text
        self.answer = answer
        self.fields = fields


class InvalidInput(Rejected):
    """Refused before sending, by OFF_TICK, OFF_LOT, INVALID_NUMBER and the like."""


class Unavailable(CambistError):
    """Nothing happened. `retry_after_seconds` is when to try again, 0 = whenever."""

    def __init__(self, reason: str, text: str = "", *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(f"{reason}: {text}" if text else reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class Unknown(CambistError):
    """It may have happened. `id` is what `resolve` takes, with `sent_time_ns`."""

    def __init__(self, text: str, *, id: bytes = b"", sent_time_ns: int = 0) -> None:  # noqa: A002
        super().__init__(text)
        self.id = id
        self.sent_time_ns = sent_time_ns


class SessionEnded(CambistError):
    """The session is over. `reason` is TAKEN_OVER, KEY_REVOKED, CLOSED, UNREACHABLE and so on."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(f"{reason}: {text}" if text else reason)
        self.reason = reason


class BookBroken(CambistError):
    """`reason` is MARKET_GAP, CRC_DIFFERS, BELOW_HORIZON or NO_SNAPSHOT."""

    def __init__(self, reason: str, text: str = "") -> None:
        super().__init__(f"{reason}: {text}" if text else reason)
        self.reason = reason
