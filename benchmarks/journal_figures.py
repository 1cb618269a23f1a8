"""What the benches ask of the journal: its head, its newest snapshot, the size of its rows."""

import asyncio
from typing import Final

import asyncpg

from venue.flow.definitions import SHARD

SNAPSHOT_SECONDS: Final = 400.0
LOOK_SECONDS: Final = 0.25
HEAD: Final = "select coalesce(max(last_seq), 0) from journal.events where shard = $1"
SNAPSHOT: Final = "select max(seq) from journal.snapshots where shard = $1"
ROW_BYTES: Final = """
select coalesce(sum(length(bytes)), 0), coalesce(sum(last_seq - first_seq + 1), 0)
from journal.events where shard = $1 and first_seq > $2
"""


async def read(dsn: str, query: str, *arguments: int) -> asyncpg.Record:
    """The one row of a query about the shard."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(query, SHARD, *arguments)
    finally:
        await connection.close()
    assert row is not None, "an aggregate has a row"
    return row


async def head(dsn: str) -> int:
    """The journal's last sequence; 0 when it is empty."""
    return int((await read(dsn, HEAD))[0])


async def row_bytes(dsn: str, after_seq: int) -> int:
    """Bytes per command of the event rows after a sequence."""
    size, commands = await read(dsn, ROW_BYTES, after_seq)
    return max(1, int(size) // max(1, int(commands)))


async def newest_snapshot(dsn: str) -> int:
    """The sequence of the newest snapshot, waited for. Raises TimeoutError when none is made."""
    async with asyncio.timeout(SNAPSHOT_SECONDS):
        while True:
            (seq,) = await read(dsn, SNAPSHOT)
            if seq is not None:
                return int(seq)
            await asyncio.sleep(LOOK_SECONDS)
