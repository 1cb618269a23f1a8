"""How large the database is, and what its disk holds: gauges for the alert that it fills.

Run by every process that serves a shard, so that one is left whoever is primary. A database that
does not answer is news for other alerts: the last figure stays.
"""

import asyncio
from typing import Final

from opentelemetry.metrics import Meter

from matching import limits
from runtime.errors import Unavailable
from runtime.postgres import Database

SIZE: Final = "cambist.database.bytes"
LIMIT: Final = "cambist.database.limit_bytes"
QUERY: Final = "select pg_database_size(current_database())"


async def watch(database: Database, meter: Meter, limit_bytes: int) -> None:
    """Looks for ever. A limit of 0 is not known, and not told."""
    size = meter.create_gauge(SIZE)
    if limit_bytes:
        meter.create_gauge(LIMIT).set(limit_bytes)
    while True:
        try:
            row = await database.read_row(QUERY)
        except Unavailable:
            row = None
        if row is not None:
            size.set(int(row[0]))
        await asyncio.sleep(limits.DATABASE_SIZE_SECONDS)
