"""How fast a whole journal is replayed, every row compared: what recovery does without a snapshot.

Called by `benchmarks.recovery` on the journal that it has filled. It reads and never writes.
"""

import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from matching import engines
from matching.journal.reader import JournalReader
from matching.recovery.replay import Replay, ReplayParts
from matching.recovery.skips import Skips
from matching.recovery.snapshot_source import StoredSnapshot
from runtime import postgres
from runtime.settings import PostgresSettings
from venue.flow.definitions import SHARD


class NoSnapshots:
    """A source that has none: replay begins at the first row."""

    async def stored(self) -> list[StoredSnapshot]:
        """Nothing."""
        return []

    def chunks(self, snapshot: StoredSnapshot) -> AsyncIterator[bytes]:
        """Never called."""
        raise AssertionError(f"no snapshot {snapshot.seq}")


async def rate(dsn: str, engine: str) -> float:
    """Commands per second from the first row to the last. Raises JournalCorrupt, Unavailable."""
    database = await postgres.connect(PostgresSettings(dsn=dsn), application_name="bench-replay")
    try:
        with ThreadPoolExecutor(1) as executor:
            replay = Replay(
                ReplayParts(
                    shard=SHARD,
                    kind=engines.load(engine),
                    reader=JournalReader(database, SHARD),
                    snapshots=NoSnapshots(),
                    skips=Skips({}),
                    executor=executor,
                )
            )
            started = time.perf_counter()
            await replay.catch_up()
            seconds = time.perf_counter() - started
    finally:
        await database.close()
    return replay.tail.last_seq / seconds
