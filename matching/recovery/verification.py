"""Replays a shard's journal beside everything and tells where it ends: the proof after a restore.

Called by `python -m matching verify-restore`. It compares each row as a start does, takes no lease
and no epoch, and writes nothing: a running primary is not disturbed.
"""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from matching.engines import EngineKind
from matching.journal.reader import JournalReader
from matching.recovery import skips
from matching.recovery.replay import Replay, ReplayParts
from matching.recovery.snapshot_source import SnapshotSource, StoredSnapshot
from runtime.postgres import Database


@dataclass(frozen=True, slots=True)
class Verified:
    """The end of a journal whose rows all gave what they say."""

    shard: int
    last_seq: int
    state_hash: bytes
    # Where the replay began; 0 = at the first row.
    snapshot_seq: int
    row_count: int

    def describe(self) -> str:
        """One line for operators."""
        return (
            f"shard {self.shard}: {self.row_count} rows after seq {self.snapshot_seq}"
            f" replayed and equal, head seq {self.last_seq}, state hash {self.state_hash.hex()}"
        )


class NoSnapshots:
    """For a replay of everything, whatever is stored."""

    async def stored(self) -> list[StoredSnapshot]:
        """None."""
        return []

    def chunks(self, snapshot: StoredSnapshot) -> AsyncIterator[bytes]:
        """Never asked for."""
        raise AssertionError(f"no snapshot was told of, {snapshot.seq} is asked for")


async def verify(
    database: Database, shard: int, kind: EngineKind, snapshots: SnapshotSource
) -> Verified:
    """Replays from the newest of `snapshots` to the head.

    Raises Unavailable, JournalCorrupt and EngineBroken with the row at fault.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="engine") as executor:
        replay = Replay(
            ReplayParts(
                shard=shard,
                kind=kind,
                reader=JournalReader(database, shard),
                snapshots=snapshots,
                skips=await skips.read(database, shard),
                executor=executor,
            )
        )
        row_count = await replay.catch_up()
    engine = replay.engine
    return Verified(shard, engine.last_seq, engine.state_hash, replay.snapshot_seq, row_count)
