"""When the next snapshot is due: after so many commands, or after a time with any. Pure."""

from dataclasses import dataclass
from typing import Final

from runtime.clock import NANOSECONDS_PER_SECOND

# After an attempt that failed, so that a database that is away is not asked at every row.
RETRY_NS: Final = NANOSECONDS_PER_SECOND


@dataclass(slots=True)
class Schedule:
    """Decides by sequence and monotonic time."""

    every_commands: int
    every_ns: int
    last_seq: int = 0
    last_ns: int = 0
    not_before_ns: int = 0
    # The newest stored one cannot be used: another is wanted as soon as the head is reached.
    is_urgent: bool = False

    def is_due(self, seq: int, now_ns: int, *, is_head: bool = False) -> bool:
        """Whether the state after `seq` should be stored at `now_ns`; `is_head`: it is the last."""
        if seq <= self.last_seq or now_ns < self.not_before_ns:
            return False
        return (
            (is_head and self.is_urgent)
            or seq - self.last_seq >= self.every_commands
            or now_ns - self.last_ns >= self.every_ns
        )

    def stored(self, seq: int, now_ns: int) -> None:
        """A snapshot of the state after `seq` is there."""
        self.last_seq, self.last_ns, self.is_urgent = seq, now_ns, False

    def failed(self, now_ns: int) -> None:
        """An attempt came to nothing."""
        self.not_before_ns = now_ns + RETRY_NS
