"""When a process is killed: at a stage of the commit path, chosen by the seed.

The stage is looked up in the database's own view of matching's connection.
"""

import asyncio
import enum
import time
from random import Random
from typing import Final

import asyncpg

# Seconds to wait for the wanted stage; then the moment is taken as it is.
STAGE_SECONDS: Final = 3.0
LOOK: Final = """
select state, coalesce(wait_event, '') from pg_stat_activity
where application_name like '%matching%-writer' and query ilike '%insert%'
order by state_change desc limit 1
"""


class Stage(enum.StrEnum):
    """Where the newest batch is."""

    # Nothing is at the database: gathering, matching or releasing.
    BETWEEN_COMMITS = "between two commits"
    # The insert runs.
    INSERTING = "while the insert runs"
    # The row waits for the disk.
    FLUSHING = "while the commit is flushed"
    # Whatever it is.
    ANY = "at any moment"


FLUSH_EVENTS: Final = frozenset({"WalSync", "WALSync", "WalWrite", "WALWrite"})


def is_at(stage: Stage, state: str, wait_event: str) -> bool:
    """Whether the database's view fits the stage."""
    if stage is Stage.BETWEEN_COMMITS:
        return state != "active"
    if stage is Stage.INSERTING:
        return state == "active" and wait_event not in FLUSH_EVENTS
    return stage is Stage.ANY or wait_event in FLUSH_EVENTS


async def look(connection: "asyncpg.Connection[asyncpg.Record]") -> tuple[str, str] | None:
    """State and wait event of matching's writer, when it has written."""
    row = await connection.fetchrow(LOOK)
    return None if row is None else (row[0] or "", row[1])


async def wait_for_stage(dsn: str, stage: Stage, random: Random) -> bool:
    """Returns at the stage; False when it was not seen in time, and the moment is any."""
    await asyncio.sleep(random.uniform(0.0, 0.5))
    connection = await asyncpg.connect(dsn)
    try:
        deadline = time.monotonic() + STAGE_SECONDS
        while time.monotonic() < deadline:
            seen = await look(connection)
            if seen is not None and is_at(stage, *seen):
                return True
        return False
    finally:
        await connection.close()
