"""The sequencer's clock: steady, never behind the journal, pulled gently to the database's time.

It starts at max(last journaled time, database time) and advances with the monotonic clock, so that
a step of the wall clock never reaches the journal. Pure: time is passed in as a Clock.
"""

from matching import limits
from runtime.clock import Clock


class SequencerClock:
    """Engine time of the next batch."""

    __slots__ = ("_anchor_monotonic_ns", "_anchor_ns", "_clock", "_last_ns", "offset_ns")

    def __init__(
        self, clock: Clock, journaled_ns: int, database_ns: int, monotonic_ns: int
    ) -> None:
        """Starts from a reading of the database's time and of ours at the same moment."""
        self._clock = clock
        self._anchor_ns = max(journaled_ns, database_ns)
        self._anchor_monotonic_ns = monotonic_ns
        self._last_ns = journaled_ns
        # Our time less the database's, at the last look.
        self.offset_ns = self._anchor_ns - database_ns

    @property
    def is_skewed(self) -> bool:
        """Whether it is too far from the database's time to be ready."""
        return abs(self.offset_ns) > limits.CLOCK_SKEW_NS

    def now_ns(self) -> int:
        """Nanoseconds since 1970; never less than an earlier reading or the journal."""
        self._last_ns = max(self._last_ns, self._at(self._clock.monotonic_ns()))
        return self._last_ns

    def observe(self, database_ns: int, monotonic_ns: int) -> None:
        """Takes a reading of the database's time; pulls ours by at most half a millisecond."""
        ours_ns = self._at(monotonic_ns)
        self.offset_ns = ours_ns - database_ns
        pull = max(-limits.CLOCK_SLEW_NS, min(limits.CLOCK_SLEW_NS, -self.offset_ns))
        self._anchor_ns += pull

    def _at(self, monotonic_ns: int) -> int:
        return self._anchor_ns + monotonic_ns - self._anchor_monotonic_ns
