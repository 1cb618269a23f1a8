"""Follows the event journal of one shard into the inbox.

Run by the worker, one task per shard; two at once are harmless, the cursor lets each row in once.
A gap, or rows that the engine no longer keeps, end it: custody on half a journal would pay wrongly.
"""

from dataclasses import replace

from cambist.internal.matching.v1 import matching_pb2
from runtime.postgres import Database
from wallets import journal
from wallets.core import inbox
from wallets.engines import Primary, Stub
from wallets.errors import Broken
from wallets.link import limits
from wallets.link.rows import journal_row


class Reader:
    """One shard's journal."""

    def __init__(self, database: Database, shard: int, primary: Primary) -> None:
        self._database = database
        self._shard = shard
        self._primary = primary

    async def run(self) -> None:
        """Follows for ever; raises Broken. An engine that is away is asked again."""
        await journal.follow(self._shard, self._primary, self._follow, limits.RECONNECT_SECONDS)

    async def _follow(self, stub: Stub) -> None:
        taken = seen = await inbox.read_cursor(self._database, self._shard)
        rows = 0
        request = matching_pb2.StreamEventsRequest(shard=self._shard, from_seq=seen + 1)
        async for answer in stub.StreamEvents(request):
            for told in answer.rows:
                row = journal_row(self._shard, told)
                if row.last_seq <= seen:
                    continue
                if row.first_seq != seen + 1:
                    raise Broken(f"shard {self._shard}: row {row.first_seq} follows {seen}")
                seen, rows = row.last_seq, rows + 1
                if row.events or rows >= limits.ROWS_PER_CURSOR:
                    # Together with the rows before it that say nothing to custody.
                    if not await self._take(replace(row, first_seq=taken + 1), taken):
                        return
                    taken, rows = seen, 0

    async def _take(self, row: inbox.JournalRow, taken: int) -> bool:
        """False when another reader moved the cursor: begin anew from there."""
        try:
            return await inbox.take(self._database, row)
        except Broken:
            if await inbox.read_cursor(self._database, self._shard) != taken:
                return False
            raise
