"""Where rows come from: the two journal tables of one shard, read in order and in pages."""

from collections.abc import AsyncIterator
from typing import Final

import asyncpg

from venue.checker.rows import JournalRow

# Rows per round trip: a full row is under 2 MB.
PAGE_ROWS: Final = 64

# A row of one table only still comes: its hashes then tell what is missing.
QUERY: Final = """
select coalesce(c.first_seq, e.first_seq), coalesce(c.last_seq, e.last_seq),
       coalesce(c.epoch, e.epoch), coalesce(c.time_ns, e.time_ns),
       coalesce(c.bytes, ''), coalesce(e.bytes, ''), coalesce(c.state_hash, e.state_hash),
       coalesce(c.row_hash, ''), coalesce(e.row_hash, '')
from (select * from journal.commands where shard = $1 and first_seq > $2) c
full join (select * from journal.events where shard = $1 and first_seq > $2) e
  using (first_seq)
order by first_seq
"""


LAST: Final = "select max(last_seq) from journal.commands where shard = $1"


async def read_rows(dsn: str, shard: int, after_seq: int = 0) -> AsyncIterator[JournalRow]:
    """Rows after a sequence. Both tables must have the same rows; a lone row comes with no bytes
    of the other table, which its hashes then tell."""
    connection = await asyncpg.connect(dsn, server_settings={"application_name": "cambist-checker"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            async for record in connection.cursor(QUERY, shard, after_seq, prefetch=PAGE_ROWS):
                yield JournalRow(*record)
    finally:
        await connection.close()


async def last_seq(dsn: str, shard: int) -> int:
    """The last sequence of the journal; 0 when it is empty."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetchval(LAST, shard)
        return int(found or 0)
    finally:
        await connection.close()
