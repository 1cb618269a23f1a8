"""Histograms of durations with bounded size: buckets within 1.6 % of the value they stand for."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

# Buckets per doubling, as a power of two.
PRECISION_BITS: Final = 6


def bucket_of(value: int) -> int:
    """The bucket of a duration; negative ones (clocks of two processes) count as zero."""
    value = max(0, value)
    shift = max(0, value.bit_length() - PRECISION_BITS - 1)
    return (shift << (PRECISION_BITS + 1)) | (value >> shift)


def value_of(bucket: int) -> int:
    """The middle of a bucket."""
    shift = bucket >> (PRECISION_BITS + 1)
    return ((bucket & ((1 << (PRECISION_BITS + 1)) - 1)) << shift) + ((1 << shift) >> 1)


@dataclass(slots=True)
class Histogram:
    """Counts of durations in nanoseconds."""

    counts: Counter[int] = field(default_factory=Counter)
    total: int = 0

    def add(self, duration_ns: int, count: int = 1) -> None:
        """Counts a duration `count` times."""
        self.counts[bucket_of(duration_ns)] += count
        self.total += count

    def merge(self, other: "Histogram") -> None:
        """Adds all of another histogram."""
        self.counts.update(other.counts)
        self.total += other.total

    def percentile(self, share: float) -> int:
        """The duration in ns that `share` (0 to 1) of all do not exceed; 0 when empty."""
        wanted = share * self.total
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted:
                return value_of(bucket)
        return 0

    def to_plain(self) -> dict[str, int]:
        """For JSON."""
        return {str(bucket): count for bucket, count in self.counts.items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, int]) -> "Histogram":
        """From JSON."""
        counts = Counter({int(bucket): count for bucket, count in plain.items()})
        return cls(counts, counts.total())
