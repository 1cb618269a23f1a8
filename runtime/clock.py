"""Time as a value that is passed in.

Everything that decides by time takes a `Clock`; only process roots make a `SystemClock`. Wall
time may step; what must advance steadily (the sequencer's clock, deadlines) uses monotonic time.
"""

import time
from dataclasses import dataclass
from typing import Final, Protocol

NANOSECONDS_PER_SECOND: Final = 1_000_000_000
NANOSECONDS_PER_MILLISECOND: Final = 1_000_000


class Clock(Protocol):
    """Two readings in nanoseconds."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970 UTC; may step either way."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds from an unspecified start; never goes back."""
        ...


class SystemClock:
    """The machine's clocks."""

    __slots__ = ()

    def wall_ns(self) -> int:
        """Nanoseconds since 1970 UTC."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Nanoseconds of the machine's steady clock."""
        return time.monotonic_ns()


@dataclass(slots=True)
class ManualClock:
    """A clock that moves when told; for tests and simulation."""

    wall_time_ns: int = 1_700_000_000 * NANOSECONDS_PER_SECOND
    monotonic_time_ns: int = 0

    def wall_ns(self) -> int:
        """The wall time it was set to."""
        return self.wall_time_ns

    def monotonic_ns(self) -> int:
        """The monotonic time it was advanced to."""
        return self.monotonic_time_ns

    def advance(self, nanoseconds: int) -> None:
        """Moves both readings forward; `nanoseconds` must not be negative."""
        assert nanoseconds >= 0, "a monotonic clock does not go back"
        self.wall_time_ns += nanoseconds
        self.monotonic_time_ns += nanoseconds

    def step_wall(self, nanoseconds: int) -> None:
        """Steps the wall clock only, either way, as an NTP correction may."""
        self.wall_time_ns += nanoseconds


@dataclass(frozen=True, slots=True)
class SteadyTime:
    """Time that starts at a given instant and advances with the monotonic clock only.

    The sequencer anchors it at max(last journaled time, database time), so that steps of the
    wall clock never reach the journal.
    """

    clock: Clock
    anchor_time_ns: int
    anchor_monotonic_ns: int

    @classmethod
    def starting_at(cls, clock: Clock, time_ns: int) -> "SteadyTime":
        """Anchors `time_ns` (since 1970 UTC) at this moment."""
        return cls(clock, time_ns, clock.monotonic_ns())

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC by this time; never less than an earlier reading."""
        return self.anchor_time_ns + self.clock.monotonic_ns() - self.anchor_monotonic_ns
