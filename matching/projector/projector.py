"""Follows the event journal and projects it, transaction by transaction, until it is cancelled.

It reads committed rows only, nothing waits for it, and it never touches the fence. After anything
that leaves an outcome open it looks where the history stands and goes on from there.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

from matching import limits
from matching.journal.reader import EventRow, JournalReader
from matching.projector.fold import Fold
from matching.projector.history_store import HistoryStore
from runtime import logs
from runtime.errors import Unavailable, Unknown

LOGGER = logs.get(__name__)
SEQ_MAX = (1 << 63) - 1


class Projector:
    """Projects one shard."""

    def __init__(
        self,
        reader: JournalReader,
        store: HistoryStore,
        executor: Executor,
        *,
        rows_max: int = limits.PROJECT_ROWS_MAX,
        bytes_max: int = limits.PROJECT_BYTES_MAX,
    ) -> None:
        self._reader = reader
        self._store = store
        self._executor = executor
        self._rows_max = rows_max
        self._bytes_max = bytes_max
        self._fold: Fold | None = None
        self.projected_seq = 0

    async def run(self, note_caught_up: Callable[[bool], Awaitable[None]]) -> None:
        """Follows for ever; `note_caught_up` hears whether it can. Raises JournalCorrupt."""
        pause = limits.RECONNECT_FIRST_SECONDS
        while True:
            try:
                await self.catch_up()
            except (Unavailable, Unknown) as error:
                LOGGER.warning("history not written", seq=self.projected_seq, error=str(error))
                self._fold = None
                await note_caught_up(False)
                await asyncio.sleep(pause)
                pause = min(pause * 2, limits.RECONNECT_MAX_SECONDS)
                continue
            pause = limits.RECONNECT_FIRST_SECONDS
            await note_caught_up(True)
            await asyncio.sleep(limits.PROJECT_POLL_SECONDS)

    async def catch_up(self) -> int:
        """Projects all rows there are; how many. Raises Unavailable, Unknown, JournalCorrupt."""
        if self._fold is None:
            self.projected_seq, self._fold = await self._store.load()
        row_count, rows, byte_count = 0, list[EventRow](), 0
        async for row in self._reader.events_between(self.projected_seq + 1, SEQ_MAX):
            rows.append(row)
            byte_count += len(row.events)
            if len(rows) >= self._rows_max or byte_count >= self._bytes_max:
                if not await self._project(self._fold, rows):
                    return row_count
                row_count += len(rows)
                rows, byte_count = [], 0
        if rows and await self._project(self._fold, rows):
            row_count += len(rows)
        return row_count

    async def _project(self, fold: Fold, rows: list[EventRow]) -> bool:
        """One transaction; False when another process projects as well."""
        run = asyncio.get_running_loop().run_in_executor
        # Until the transaction is committed the fold is ahead of what is stored.
        self._fold = None
        changes = await run(self._executor, fold.fold, self.projected_seq, rows)
        if not await self._store.write(self.projected_seq, changes):
            LOGGER.warning("another process projects", seq=self.projected_seq)
            return False
        self._fold = fold
        self.projected_seq = changes.projected_seq
        return True
