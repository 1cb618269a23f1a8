"""Follows the journal with an engine of its own and stores its state from time to time.

Every row is applied and compared; a difference ends the process, loudly. The state is taken in the
thread that applies, between two rows, and written while the next rows are applied. One is written
at a time. It reads committed rows only and never touches the fence.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from matching import limits
from matching.engines import EngineKind
from matching.errors import NoSnapshot, Stop
from matching.journal.reader import JournalReader
from matching.journal.rows import JournalRow, Tail
from matching.recovery import skips
from matching.recovery.replay import Replay, ReplayParts
from matching.snapshots.schedule import Schedule
from matching.snapshots.store import SnapshotStore
from runtime import logs
from runtime.clock import Clock
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database

LOGGER = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class SnapshotterParts:
    """What a snapshotter works with."""

    shard: int
    kind: EngineKind
    database: Database
    store: SnapshotStore
    schedule: Schedule
    clock: Clock
    # One thread.
    executor: Executor


@dataclass(frozen=True, slots=True)
class Taken:
    """A state that waits to be stored."""

    tail: Tail
    content: bytes = field(repr=False)


class Snapshotter:
    """The follower of one shard."""

    def __init__(self, parts: SnapshotterParts) -> None:
        self._parts = parts
        self._replay: Replay | None = None
        # Set in the engine's thread, cleared by the writer when it is stored.
        self._taken: Taken | None = None
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # Stored ones that this engine could not start from.
        self._unusable: frozenset[int] = frozenset()

    async def run(self, note_follows: Callable[[bool], Awaitable[None]]) -> None:
        """Follows for ever; `note_follows` hears whether it can. Raises Stop."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_taken(), name="snapshot writer")
            await self._follow(note_follows)

    async def _follow(self, note_follows: Callable[[bool], Awaitable[None]]) -> None:
        pause = limits.RECONNECT_FIRST_SECONDS
        while True:
            try:
                await self.catch_up()
            except Unavailable as error:
                LOGGER.warning("journal not read", error=str(error))
                await note_follows(False)
                await asyncio.sleep(pause)
                pause = min(pause * 2, limits.RECONNECT_MAX_SECONDS)
                continue
            except Stop as error:
                LOGGER.critical("stopped", reason=error.name, error=str(error))
                raise
            pause = limits.RECONNECT_FIRST_SECONDS
            await note_follows(True)
            await asyncio.sleep(limits.STANDBY_POLL_SECONDS)

    async def catch_up(self) -> None:
        """Applies and compares all rows there are. Raises Unavailable, Stop."""
        if self._replay is None:
            self._replay = await self._start()
        await self._replay.catch_up()
        # Rows may have ended before the time was up.
        run = asyncio.get_running_loop().run_in_executor
        await run(self._parts.executor, self._take_if_due, self._replay.tail, True)

    async def _start(self) -> Replay:
        """An engine as of the newest snapshot that can be used. Raises Unavailable."""
        parts = self._parts
        replay = Replay(
            ReplayParts(
                shard=parts.shard,
                kind=parts.kind,
                reader=JournalReader(parts.database, parts.shard),
                snapshots=parts.store,
                skips=await skips.read(parts.database, parts.shard),
                executor=parts.executor,
                listeners=(self,),
            )
        )
        stored = await parts.store.stored()
        await replay.start()
        self._unusable = frozenset(one.seq for one in stored if one.seq > replay.snapshot_seq)
        parts.schedule.stored(replay.snapshot_seq, parts.clock.monotonic_ns())
        parts.schedule.is_urgent = bool(self._unusable)
        LOGGER.info("following", snapshot_seq=replay.snapshot_seq, engine=parts.kind.name)
        return replay

    def start_from(self, _snapshot: bytes | None) -> None:
        """The engine begins anew; what was taken before is as good as ever."""

    def row_replayed(self, row: JournalRow) -> None:
        """In the engine's thread, after each row."""
        self._take_if_due(row.tail, False)

    def _take_if_due(self, tail: Tail, is_head: bool) -> None:
        """Takes the state after the row of `tail`; in the engine's thread."""
        parts, replay = self._parts, self._replay
        if replay is None or self._taken is not None:
            return
        now_ns = parts.clock.monotonic_ns()
        if not parts.schedule.is_due(tail.last_seq, now_ns, is_head=is_head):
            return
        # With commands put aside the state is not (yet) the one that the journal names.
        if replay.engine.state_hash != tail.state_hash:
            return
        self._taken = Taken(tail, replay.engine.snapshot())
        self._loop.call_soon_threadsafe(self._wake.set)

    async def _write_taken(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self.store_taken()

    async def store_taken(self) -> None:
        """Stores the state that waits, if one does; a failure is logged and tried again later."""
        if self._taken is not None:
            await self._write(self._taken)
            self._taken = None

    async def _write(self, taken: Taken) -> None:
        parts, seq = self._parts, taken.tail.last_seq
        started_ns = parts.clock.monotonic_ns()
        try:
            # One of them may have the sequence of the new one.
            await parts.store.delete(self._unusable)
            self._unusable = frozenset()
            await parts.store.write(taken.tail, taken.content)
            gone = await parts.store.keep_newest()
        except (Unavailable, Unknown, NoSnapshot) as error:
            LOGGER.warning("snapshot not stored", seq=seq, error=str(error))
            parts.schedule.failed(parts.clock.monotonic_ns())
            return
        now_ns = parts.clock.monotonic_ns()
        parts.schedule.stored(seq, now_ns)
        LOGGER.info(
            "snapshot stored",
            seq=seq,
            bytes=len(taken.content),
            milliseconds=(now_ns - started_ns) // 1_000_000,
            deleted=gone,
        )
