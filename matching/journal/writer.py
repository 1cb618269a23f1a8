"""Appends batches to the journal behind the fence. Called by the sequencer of the primary only.

One statement per batch on a connection of its own. An append is committed, or refused because the
epoch or the head is not ours, or its outcome is unknown: then the caller must take a new epoch
before it looks (reading first is wrong, a frozen backend can still commit).
"""

import contextlib

import asyncpg
import asyncpg.prepared_stmt

from matching import limits
from matching.errors import Fenced, WentBackwards
from matching.journal import statements
from matching.journal.reader import JournalReader
from matching.journal.rows import JournalRow, Tail
from runtime import logs, postgres
from runtime.errors import Unknown
from runtime.postgres import Connection
from runtime.settings import PostgresSettings

LOGGER = logs.get(__name__)
TABLES = 2


class JournalWriter:
    """The one that appends."""

    def __init__(
        self,
        settings: PostgresSettings,
        reader: JournalReader,
        application_name: str,
        commit_seconds: float = limits.COMMIT_SECONDS,
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._application_name = application_name
        self._commit_seconds = commit_seconds
        self._connection: Connection | None = None
        self._append: asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Connects and prepares the statement. Raises Unavailable."""
        await self.close()
        connection = await postgres.connect_one(
            self._settings, application_name=f"{self._application_name}-writer"
        )
        try:
            async with postgres.outcome_of_read():
                # One plan for ever: the statement looks up single keys only.
                await connection.execute("set plan_cache_mode = force_generic_plan")
                self._append = await connection.prepare(statements.APPEND)
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection

    async def close(self) -> None:
        """Cuts the connection; a statement under way may still commit."""
        if self._connection is not None:
            with contextlib.suppress(asyncpg.InterfaceError):
                self._connection.terminate()
        self._connection = self._append = None

    async def append(self, row: JournalRow, tail: Tail) -> None:
        """Commits a row after `tail`.

        Raises Unavailable when nothing was sent, Unknown when it may be durable, Fenced and
        WentBackwards when it cannot be written any more.
        """
        if self._append is None or self._connection is None or self._connection.is_closed():
            await self.open()
        assert self._append is not None
        try:
            async with postgres.outcome_of_write(self._connection):
                # Without a limit of rows: the statement runs to its end before it is answered.
                (record,) = await self._append.fetch(
                    self._reader.shard,
                    row.first_seq,
                    row.last_seq,
                    row.epoch,
                    row.time_ns,
                    row.commands,
                    row.events,
                    row.state_hash,
                    row.command_row_hash,
                    row.event_row_hash,
                    tail.first_seq,
                    tail.command_row_hash,
                    tail.event_row_hash,
                    timeout=self._commit_seconds,
                )
        except (Unknown, asyncpg.PostgresError):
            # A fresh connection may reach another server; a broken one must not be used again.
            await self.close()
            raise
        if record[0] != TABLES:
            await self._explain(row, tail)

    async def _explain(self, row: JournalRow, tail: Tail) -> None:
        """Raises what it means that a row was not taken."""
        head = await self._reader.head()
        if head < tail.last_seq:
            raise WentBackwards(f"the journal ends at {head}, released was {tail.last_seq}")
        raise Fenced(f"row {row.first_seq} of epoch {row.epoch} was not taken, head is {head}")

    async def find(self, row: JournalRow) -> bool:
        """Whether the journal holds this row. Only after a new epoch was committed.

        Raises Unavailable, Fenced when another row is in its place.
        """
        found = await self._reader.row_at(row.first_seq)
        if found is None:
            return False
        if found.tail != row.tail:
            raise Fenced(f"row {row.first_seq} of epoch {found.epoch} is another process's")
        return True
