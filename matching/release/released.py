"""The head of what was released, who waits for it, and who hears each row.

The sequencer releases a row after its commit is known, never before.
"""

import asyncio
from typing import Protocol

from matching.journal.rows import JournalRow, Tail
from matching.release.ring import Ring
from matching.release.row_message import RowTimes, encode


class RowListener(Protocol):
    """Hears each released row, in order, in the loop: it must be quick and must not raise."""

    def row_released(self, row: JournalRow) -> None:
        """The row is committed."""
        ...


class Released:
    """What was released so far."""

    def __init__(self, ring_bytes_max: int, tail: Tail) -> None:
        self.ring = Ring(ring_bytes_max)
        self.tail = tail
        self._listeners: list[RowListener] = []
        self._waiting: asyncio.Future[None] | None = None
        self._is_closed = False

    @property
    def seq(self) -> int:
        """Last released sequence."""
        return self.tail.last_seq

    def listen(self, listener: RowListener) -> None:
        """The listener hears every row from the next on."""
        self._listeners.append(listener)

    def release(self, row: JournalRow, matched_ns: int, durable_ns: int) -> None:
        """Shows a committed row to everybody."""
        times = RowTimes(row.time_ns, matched_ns, durable_ns)
        self.ring.append(encode(row.first_seq, row.last_seq, row.events, times))
        self.tail = row.tail
        for listener in self._listeners:
            listener.row_released(row)
        self._tell()

    def close(self) -> None:
        """Nothing more comes: streams end."""
        self._is_closed = True
        self._tell()

    async def wait_beyond(self, index: int) -> bool:
        """Returns when the ring holds the row with `index`; False when nothing more comes."""
        while self.ring.end <= index and not self._is_closed:
            if self._waiting is None:
                self._waiting = asyncio.get_running_loop().create_future()
            # Many wait for one future: one that is cancelled must not cancel the others' wait.
            await asyncio.shield(self._waiting)
        return not self._is_closed

    def _tell(self) -> None:
        if self._waiting is not None:
            self._waiting.set_result(None)
            self._waiting = None
