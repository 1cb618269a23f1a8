"""Recent released rows in memory, bounded by bytes. Older ones are read from the journal."""

from collections import deque

from matching.release.row_message import RowMessage


class Ring:
    """The newest rows; each has an index that never changes."""

    __slots__ = ("_bytes", "_bytes_max", "_rows", "start")

    def __init__(self, bytes_max: int) -> None:
        self._rows: deque[RowMessage] = deque()
        self._bytes_max = bytes_max
        self._bytes = 0
        # Index of the oldest row that is here.
        self.start = 0

    @property
    def end(self) -> int:
        """Index of the next row."""
        return self.start + len(self._rows)

    @property
    def bytes(self) -> int:
        """Bytes of all rows here."""
        return self._bytes

    def append(self, row: RowMessage) -> None:
        """Adds a row; the oldest go when there are too many bytes (the newest always stays)."""
        self._rows.append(row)
        self._bytes += len(row.message)
        while self._bytes > self._bytes_max and len(self._rows) > 1:
            self._bytes -= len(self._rows.popleft().message)
            self.start += 1

    def at(self, index: int) -> RowMessage:
        """The row with an index from `start` to below `end`."""
        return self._rows[index - self.start]

    def index_of(self, seq: int) -> int | None:
        """Index of the first row with last_seq ≥ `seq`; None when an older row may hold it."""
        rows = self._rows
        if not rows or rows[0].first_seq > seq:
            return None
        low, high = 0, len(rows)
        while low < high:
            middle = (low + high) // 2
            if rows[middle].last_seq < seq:
                low = middle + 1
            else:
                high = middle
        return self.start + low
