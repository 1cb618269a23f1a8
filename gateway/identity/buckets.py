"""Rates as integer token buckets; time is passed in."""

from collections import OrderedDict

from runtime.clock import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND


class TokenBucket:
    """Fills with `per_second` tokens a second up to `burst`; starts full."""

    __slots__ = ("_burst", "_level", "_per_second", "_updated_ns")

    def __init__(self, per_second: int, burst: int, now_ns: int) -> None:
        self._per_second = per_second
        # Levels are tokens times 10^9, so that every nanosecond fills a whole number.
        self._burst = burst * NANOSECONDS_PER_SECOND
        self._level = self._burst
        self._updated_ns = now_ns

    @property
    def maximum(self) -> int:
        """Tokens when full."""
        return self._burst // NANOSECONDS_PER_SECOND

    def take(self, count: int, now_ns: int) -> bool:
        """Takes `count` tokens, or none and says so."""
        self._fill(now_ns)
        wanted = count * NANOSECONDS_PER_SECOND
        if wanted > self._level:
            return False
        self._level -= wanted
        return True

    def remaining(self, now_ns: int) -> int:
        """Whole tokens that are there."""
        self._fill(now_ns)
        return self._level // NANOSECONDS_PER_SECOND

    def milliseconds_until(self, count: int, now_ns: int) -> int:
        """When `count` tokens will be there, at least 1; 0 = never, they are more than it holds."""
        if count * NANOSECONDS_PER_SECOND > self._burst or not self._per_second:
            return 0
        self._fill(now_ns)
        missing = max(0, count * NANOSECONDS_PER_SECOND - self._level)
        return max(1, -(-missing // (self._per_second * NANOSECONDS_PER_MILLISECOND)))

    def _fill(self, now_ns: int) -> None:
        elapsed = now_ns - self._updated_ns
        if elapsed > 0:
            self._level = min(self._burst, self._level + elapsed * self._per_second)
            self._updated_ns = now_ns


class BucketTable:
    """Buckets by name, bounded; the least recently used goes and would start full again."""

    __slots__ = ("_buckets", "_burst", "_maximum", "_per_second")

    def __init__(self, per_second: int, burst: int, maximum: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._maximum = maximum
        self._buckets: OrderedDict[int | str, TokenBucket] = OrderedDict()

    def bucket(self, name: int | str, now_ns: int) -> TokenBucket:
        """The bucket of a name."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = TokenBucket(self._per_second, self._burst, now_ns)
            self._buckets[name] = bucket
            if len(self._buckets) > self._maximum:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
        return bucket
