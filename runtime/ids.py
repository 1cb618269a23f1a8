"""Sixteen-byte ids that sort by time (the layout of UUID version 7).

Time and randomness are passed in, so that ids can be made in deterministic code. A process makes
one `IdSource` from the system's clock and `secrets.token_bytes`; tests pass their own.
"""

from collections.abc import Callable
from typing import Final, NewType

from runtime.clock import NANOSECONDS_PER_MILLISECOND, Clock

Id = NewType("Id", bytes)

ID_BYTES: Final = 16
RANDOM_BYTES: Final = 10
_VERSION: Final = 0x70
_VARIANT: Final = 0x80
_TIME_BYTES: Final = 6


def make_id(time_ns: int, randomness: bytes) -> Id:
    """An id from a wall time in nanoseconds and exactly 10 random bytes.

    Layout: 48 bits of milliseconds, version 7, 12 random bits, variant, 62 random bits.
    """
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"an id takes {RANDOM_BYTES} random bytes, not {len(randomness)}")
    milliseconds = time_ns // NANOSECONDS_PER_MILLISECOND
    tail = bytearray(randomness)
    tail[0] = _VERSION | (tail[0] & 0x0F)
    tail[2] = _VARIANT | (tail[2] & 0x3F)
    return Id(milliseconds.to_bytes(_TIME_BYTES, "big") + bytes(tail))


def id_time_ns(value: bytes) -> int:
    """The wall time in an id, in nanoseconds, rounded down to a millisecond."""
    if len(value) != ID_BYTES:
        raise ValueError(f"an id has {ID_BYTES} bytes, not {len(value)}")
    return int.from_bytes(value[:_TIME_BYTES], "big") * NANOSECONDS_PER_MILLISECOND


class IdSource:
    """Makes ids that never go back within one process, even when the wall clock does."""

    __slots__ = ("_clock", "_last_ns", "_random_bytes")

    def __init__(self, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._last_ns = 0

    def next_id(self) -> Id:
        """A fresh id."""
        self._last_ns = max(self._last_ns, self._clock.wall_ns())
        return make_id(self._last_ns, self._random_bytes(RANDOM_BYTES))
