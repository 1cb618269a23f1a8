"""Commits applied batches one at a time, whatever it takes, and settles unknown outcomes.

A batch comes back committed, or the process must stop. When an outcome is unknown a new epoch is
taken first, then the journal is read: the row is there, or it can no longer appear and the same
bytes are appended under the new epoch.
"""

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg

from matching import limits
from matching.errors import Fenced
from matching.journal.fence import ShardLock
from matching.journal.partitions import ensure_partitions
from matching.journal.rows import Applied, JournalRow, Tail, chain
from matching.journal.writer import JournalWriter
from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database, describe

LOGGER = logs.get(__name__)


class Committer:
    """The chain of journal rows of one primary.

    `note_blocked` hears of backends that keep it from a new epoch, and of none when it has it.
    """

    def __init__(
        self,
        writer: JournalWriter,
        lock: ShardLock,
        database: Database,
        shard: int,
        note_blocked: Callable[[frozenset[int]], None],
    ) -> None:
        self._writer = writer
        self._lock = lock
        self._database = database
        self._shard = shard
        self._note_blocked = note_blocked
        self.epoch = 0
        self.tail = Tail()

    async def close(self) -> None:
        """Cuts the connection; what is being appended may still be committed."""
        await self._writer.close()

    async def commit(self, applied: Applied, row: JournalRow, after: Tail) -> JournalRow:
        """Returns the row as it is in the journal. Raises Stop.

        `row` was chained to `after`; when tail or epoch became another one meanwhile it is chained
        anew. Waits as long as the database is away; cancelling it leaves the outcome unknown.
        """
        if row.epoch != self.epoch or after != self.tail:
            row = chain(applied, self.epoch, self.tail)
        pause = limits.RECONNECT_FIRST_SECONDS
        while True:
            try:
                await self._writer.append(row, self.tail)
                break
            except (Unknown, asyncpg.UniqueViolationError) as error:
                LOGGER.warning("outcome unknown", first_seq=row.first_seq, error=describe(error))
                if await self._settle(row):
                    break
                row = chain(applied, self.epoch, self.tail)
            except Unavailable as error:
                LOGGER.warning("append again", first_seq=row.first_seq, error=str(error))
            except asyncpg.PostgresError as error:
                # The statement was rolled back: no room, no partition, read-only.
                LOGGER.warning("append refused", first_seq=row.first_seq, error=describe(error))
                await self._mend(row)
            await asyncio.sleep(pause)
            pause = min(pause * 2, limits.RECONNECT_MAX_SECONDS)
        self.tail = row.tail
        return row

    async def _settle(self, row: JournalRow) -> bool:
        """Takes a new epoch, then looks: whether the row is in the journal. Raises Fenced."""
        await self._until_lease_is_ours()
        self.epoch = await self._lock.next_epoch(self._note_blocked)
        self._note_blocked(frozenset())
        pause = limits.RECONNECT_FIRST_SECONDS
        while True:
            try:
                found = await self._writer.find(row)
            except Unavailable as error:
                LOGGER.warning("journal not read", first_seq=row.first_seq, error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, limits.RECONNECT_MAX_SECONDS)
                continue
            LOGGER.warning("settled", first_seq=row.first_seq, epoch=self.epoch, committed=found)
            return found

    async def _until_lease_is_ours(self) -> None:
        """Waits for the database. Raises Fenced when another process took the lease."""
        pause = limits.RECONNECT_FIRST_SECONDS
        while True:
            try:
                lease = await self._lock.take_or_renew()
            except Unavailable:
                with contextlib.suppress(Unavailable):
                    # A backend of ours that is stuck may hold the row.
                    await self._lock.clear_lease()
                await asyncio.sleep(pause)
                pause = min(pause * 2, limits.RECONNECT_MAX_SECONDS)
                continue
            if not lease.is_ours:
                raise Fenced(f"the lease is {lease.owner}'s")
            return

    async def _mend(self, row: JournalRow) -> None:
        """Makes the partition of a row, if that is what is missing."""
        try:
            await ensure_partitions(self._database, self._shard, row.first_seq)
        except (Unavailable, Unknown, asyncpg.PostgresError) as error:
            LOGGER.warning("partitions not made", error=describe(error))
