"""The newest rows of a shard, bounded by count and bytes; what resumes are served from."""

from bisect import bisect_right
from collections import deque
from itertools import islice

from gateway import limits
from gateway.shard.rows import Row


class Ring:
    """Rows without a gap, oldest first."""

    __slots__ = ("_bytes", "_bytes_max", "_rows", "_rows_max")

    def __init__(self, bytes_max: int, rows_max: int = limits.RING_ROWS_MAX) -> None:
        self._rows: deque[Row] = deque()
        self._bytes = 0
        self._bytes_max = bytes_max
        self._rows_max = rows_max

    @property
    def oldest_seq(self) -> int:
        """First sequence that is kept; 0 when there is none."""
        return self._rows[0].first_seq if self._rows else 0

    @property
    def bytes_kept(self) -> int:
        """Bytes of all rows."""
        return self._bytes

    def append(self, row: Row) -> None:
        """Adds the next row; the oldest ones go when a bound is passed."""
        rows = self._rows
        rows.append(row)
        self._bytes += len(row.events)
        while len(rows) > self._rows_max or (self._bytes > self._bytes_max and len(rows) > 1):
            self._bytes -= len(rows.popleft().events)

    def clear(self) -> None:
        """Forgets all rows: the feed starts anew elsewhere."""
        self._rows.clear()
        self._bytes = 0

    def covers(self, after_seq: int) -> bool:
        """Whether every row after `after_seq` is here."""
        return bool(self._rows) and self._rows[0].first_seq <= after_seq + 1

    def rows_after(self, after_seq: int, up_to_seq: int, count_max: int) -> list[Row]:
        """At most `count_max` rows that end after `after_seq` and begin by `up_to_seq`."""
        start = bisect_right(self._rows, after_seq, key=lambda row: row.last_seq)
        return [
            row
            for row in islice(self._rows, start, start + count_max)
            if row.first_seq <= up_to_seq
        ]
