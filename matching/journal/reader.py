"""Reads journal rows back, in order and in pages that adapt to the size of rows.

Used by recovery, standby, snapshotter, projector, and streams of older events. Reads only.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from matching import limits
from matching.errors import JournalCorrupt
from matching.journal import statements
from matching.journal.rows import JournalRow
from runtime.postgres import Database


@dataclass(frozen=True, slots=True)
class EventRow:
    """A row of the event journal."""

    first_seq: int
    last_seq: int
    time_ns: int
    events: bytes


class PageSize:
    """How many rows the next page asks for, from how large the last ones were."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows = limits.PAGE_ROWS_MIN * 8

    def learn(self, rows: int, byte_count: int) -> None:
        """Takes the sizes of a page that was read."""
        if rows:
            wanted = limits.PAGE_BYTES * rows // max(byte_count, 1)
            # It grows by steps: one page of small rows says little about the next.
            wanted = min(wanted, self.rows * 4)
            self.rows = max(limits.PAGE_ROWS_MIN, min(limits.PAGE_ROWS_MAX, wanted))


class JournalReader:
    """Reads the journal of one shard."""

    __slots__ = ("_database", "_page", "shard")

    def __init__(self, database: Database, shard: int) -> None:
        self._database = database
        self._page = PageSize()
        self.shard = shard

    async def page_after(self, seq: int) -> list[JournalRow]:
        """The next rows with a first sequence above `seq`; empty at the head.

        Raises Unavailable, JournalCorrupt when a row is in one table only.
        """
        asked = self._page.rows
        records = await self._database.read(statements.ROWS_AFTER, self.shard, seq, asked)
        # When the tables differ the two limits end at different rows; those come again.
        rows = [to_row(record) for record in records[:asked]]
        self._page.learn(len(rows), sum(len(row.commands) + len(row.events) for row in rows))
        return rows

    async def row_at(self, first_seq: int) -> JournalRow | None:
        """The row that starts at `first_seq`, or None. Raises Unavailable, JournalCorrupt."""
        record = await self._database.read_row(statements.ROW_AT, self.shard, first_seq)
        return None if record is None else to_row(record)

    async def head(self, from_seq: int = 0) -> int:
        """The last committed sequence; 0 when there is none. Raises Unavailable."""
        record = await self._database.read_row(statements.HEAD, self.shard, from_seq)
        return int(record[0] or 0) if record is not None else 0

    async def oldest_event_seq(self) -> int:
        """First sequence whose events are kept; 0 when there are none. Raises Unavailable."""
        record = await self._database.read_row(statements.OLDEST_EVENT, self.shard)
        return int(record[0] or 0) if record is not None else 0

    async def fence_epoch(self) -> int:
        """The epoch that may write, for a look only: it proves nothing. Raises Unavailable."""
        record = await self._database.read_row(statements.FENCE_EPOCH, self.shard)
        return int(record[0]) if record is not None else 0

    async def events_between(self, from_seq: int, up_to_seq: int) -> AsyncIterator[EventRow]:
        """Event rows that hold sequences from `from_seq` to `up_to_seq`. Raises Unavailable."""
        record = await self._database.read_row(statements.EVENT_ROW_START, self.shard, from_seq)
        position = record[0] if record is not None else None
        page = PageSize()
        while position is not None and position <= up_to_seq:
            records = await self._database.read(
                statements.EVENT_ROWS_FROM, self.shard, position, up_to_seq, page.rows
            )
            for found in records:
                row = EventRow(*found)
                position = row.last_seq + 1
                if row.last_seq >= from_seq:
                    yield row
            page.learn(len(records), sum(len(found[3]) for found in records))
            if not records:
                return


def to_row(record: Any) -> JournalRow:
    """A row from a record of ROW_COLUMNS; raises JournalCorrupt when its halves differ."""
    *values, same = record
    if values[4] is None or values[5] is None:
        missing = "commands" if values[4] is None else "events"
        raise JournalCorrupt(f"row first_seq={values[0]}: missing in {missing}")
    if not same:
        raise JournalCorrupt(
            f"row first_seq={values[0]}: last_seq, epoch, time_ns or state_hash differ between"
            " commands and events"
        )
    return JournalRow(*values)
