"""An engine that follows the journal: newest usable snapshot, then every row, each one compared.

Called by the primary at start and after a panic, by the standby, and by whoever takes snapshots.
Pages are read and checked while the page before is applied in a thread. It never writes.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from blake3 import blake3

from matching.engines import Engine, EngineKind
from matching.errors import EngineBroken, JournalCorrupt, NoSnapshot, WentBackwards
from matching.journal.reader import JournalReader
from matching.journal.rows import JournalRow, Tail, check_links
from matching.recovery.skips import Skips, without
from matching.recovery.snapshot_source import SnapshotSource, StoredSnapshot
from runtime import logs

LOGGER = logs.get(__name__)
Made = TypeVar("Made")


class ReplayListener(Protocol):
    """Hears what is replayed, in the thread that replays."""

    def start_from(self, snapshot: bytes | None) -> None:
        """Everything heard before is void."""
        ...

    def row_replayed(self, row: JournalRow) -> None:
        """The next row, compared."""
        ...


class EngineStopped(Exception):
    """The engine panicked at a row of the journal."""

    def __init__(self, row: JournalRow, text: str) -> None:
        super().__init__(text)
        self.row = row


@dataclass(frozen=True, slots=True)
class ReplayParts:
    """What a replay works with."""

    shard: int
    kind: EngineKind
    reader: JournalReader
    snapshots: SnapshotSource
    skips: Skips
    executor: Executor
    listeners: tuple[ReplayListener, ...] = ()


class Replay:
    """The engine of one shard as of the journal's head at the last look."""

    def __init__(self, parts: ReplayParts) -> None:
        self._parts = parts
        self.engine: Engine = parts.kind.make(parts.shard)
        self.tail = Tail()
        self.snapshot_seq = 0
        self.is_started = False
        # Commands this process put aside that no primary had put aside before.
        self.newly_skipped: set[int] = set()

    async def start(self) -> None:
        """Begins at the newest snapshot that can be used, else at the first row.

        Raises Unavailable.
        """
        for snapshot in await self._parts.snapshots.stored():
            try:
                await self._restore(snapshot)
            except NoSnapshot as error:
                LOGGER.warning("snapshot not usable", seq=snapshot.seq, error=str(error))
                continue
            self.is_started = True
            return
        self.engine = self._parts.kind.make(self._parts.shard)
        self.tail = Tail()
        self._begin(None)
        self.is_started = True

    async def _restore(self, snapshot: StoredSnapshot) -> None:
        """Raises Unavailable, NoSnapshot."""
        chunks = [chunk async for chunk in self._parts.snapshots.chunks(snapshot)]
        run = asyncio.get_running_loop().run_in_executor
        engine, content = await run(self._parts.executor, self._make, snapshot, chunks)
        if (engine.last_seq, engine.state_hash, engine.time_ns) != (
            snapshot.tail.last_seq,
            snapshot.tail.state_hash,
            snapshot.tail.time_ns,
        ):
            raise NoSnapshot("its state is not the one it was stored for")
        self.engine = engine
        self.tail = snapshot.tail
        self.snapshot_seq = snapshot.seq
        self._begin(content)

    def _make(self, snapshot: StoredSnapshot, chunks: list[bytes]) -> tuple[Engine, bytes]:
        content = b"".join(chunks)
        if blake3(content).digest() != snapshot.hash:
            raise NoSnapshot("its bytes are not those that were stored")
        try:
            return self._parts.kind.restore(content), content
        except self._parts.kind.snapshot_refused as error:
            raise NoSnapshot(str(error)) from error

    def _begin(self, content: bytes | None) -> None:
        for listener in self._parts.listeners:
            listener.start_from(content)

    async def catch_up(self) -> int:
        """Applies all rows there are; how many. Raises Unavailable, JournalCorrupt, EngineBroken.

        A command at which the engine stops is put aside when an operator asked for it.
        """
        if not self.is_started:
            await self.start()
        while True:
            try:
                return await self._follow()
            except EngineStopped as stopped:
                fresh = set(self._parts.skips.in_row(stopped.row)) - self.newly_skipped
                if not fresh:
                    raise EngineBroken(
                        f"it stops at row first_seq={stopped.row.first_seq}: {stopped}"
                    ) from stopped
                LOGGER.warning("commands put aside", seqs=sorted(fresh))
                self.newly_skipped |= fresh
                await self.start()

    async def _follow(self) -> int:
        run = asyncio.get_running_loop().run_in_executor
        count = 0
        rows = await self._page_after(self.tail)
        while rows:
            count += len(rows)
            applying = asyncio.ensure_future(run(self._parts.executor, self._apply, rows))
            try:
                rows = await self._page_after(rows[-1].tail)
            finally:
                # The engine has one user at a time, so the thread must be done before we go on.
                await asyncio.wait({applying})
            await applying
        return count

    async def _page_after(self, tail: Tail) -> list[JournalRow]:
        """The next rows, chained to each other; hashing them takes long, so in another thread."""
        rows = await self._parts.reader.page_after(tail.last_seq)
        await asyncio.to_thread(check_links, tail, rows)
        return rows

    def _apply(self, rows: list[JournalRow]) -> None:
        """A page of rows, in a thread."""
        skips, listeners = self._parts.skips, self._parts.listeners
        skipping = bool(skips.compared_after)
        for row in rows:
            if skipping:
                self._apply_past_skips(row)
            else:
                self._run_compared(row, row.commands)
            self.tail = row.tail
            for listener in listeners:
                listener.row_replayed(row)

    def _run(self, row: JournalRow, work: Callable[[], Made]) -> Made:
        """What the engine does with a row. Raises EngineStopped, JournalCorrupt when it refuses."""
        kind = self._parts.kind
        try:
            return work()
        except kind.panicked as error:
            raise EngineStopped(row, str(error)) from error
        except (kind.refused, kind.malformed) as error:
            raise JournalCorrupt(
                f"row first_seq={row.first_seq}: the engine refuses it: {error}"
            ) from error

    def _run_compared(self, row: JournalRow, batch: bytes) -> None:
        """Raises JournalCorrupt unless the engine does what the row says."""
        engine = self.engine
        if not self._run(row, partial(engine.apply_expecting, batch, row.events)):
            raise JournalCorrupt(f"row first_seq={row.first_seq}: other events")
        if (engine.last_seq, engine.time_ns) != (row.last_seq, row.time_ns):
            raise JournalCorrupt(f"row first_seq={row.first_seq}: last_seq or time_ns differ")
        if engine.state_hash != row.state_hash:
            raise JournalCorrupt(f"row first_seq={row.first_seq}: state_hash differs")

    def _apply_past_skips(self, row: JournalRow) -> None:
        """A row when commands are put aside: those that follow one are compared from a seq on."""
        compared_after = self._parts.skips.compared_after
        aside = [
            seq
            for seq in self._parts.skips.in_row(row)
            if compared_after[seq] or seq in self.newly_skipped
        ]
        batch = without(row, aside) if aside else row.commands
        uncompared = any(
            seq <= row.last_seq
            and (seq in self.newly_skipped or row.last_seq <= compared_after[seq])
            for seq in compared_after
            if compared_after[seq] or seq in self.newly_skipped
        )
        if uncompared:
            self._run(row, partial(self.engine.apply, batch))
        else:
            self._run_compared(row, batch)


async def check_head(reader: JournalReader, tail: Tail) -> None:
    """Raises WentBackwards unless the row of `tail` is still in the journal. Raises Unavailable."""
    if tail.first_seq == 0:
        return
    row = await reader.row_at(tail.first_seq)
    if row is None or row.tail != tail:
        raise WentBackwards(f"row first_seq={tail.first_seq} was there and is not now")
