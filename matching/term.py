"""Runs one shard in this process: recover, stand by, take over, serve until stopped or fenced.

Start is recovery: there is no other path. Called by the server; it owns the sequencer's thread.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from matching import limits
from matching.engines import Engine, EngineKind
from matching.errors import Fenced, Stop
from matching.journal.fence import ShardLock
from matching.journal.partitions import ensure_partitions
from matching.journal.reader import JournalReader
from matching.journal.writer import JournalWriter
from matching.primary import Primary
from matching.recovery import skips
from matching.recovery.election import Election, Won
from matching.recovery.replay import Replay, ReplayListener, ReplayParts
from matching.recovery.snapshot_source import SnapshotSource
from matching.release.answers import Answers
from matching.release.released import Released, RowListener
from matching.sequencer.clock import SequencerClock
from matching.sequencer.committer import Committer
from matching.sequencer.inbox import Inbox
from matching.sequencer.sequencer import BatchLimits, Gauges, Sequencer, SequencerParts
from matching.settings import MatchingSettings
from matching.shard_state import Role, ShardState
from runtime import logs, process
from runtime.clock import Clock
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database

LOGGER = logs.get(__name__)


class Follower(ReplayListener, RowListener, Protocol):
    """Hears replayed rows, then released ones."""


@dataclass(frozen=True, slots=True)
class TermParts:
    """What a term works with."""

    settings: MatchingSettings
    kind: EngineKind
    database: Database
    reader: JournalReader
    snapshots: SnapshotSource
    lock: ShardLock
    clock: Clock
    gauges: Gauges
    # Heard before anybody can ask about the row.
    followers: tuple[Follower, ...]


class Term:
    """From start to stop."""

    def __init__(self, parts: TermParts, state: ShardState) -> None:
        self._parts = parts
        self._state = state
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        # The role to go back to when nothing blocks any more.
        self._role_before = Role.RECOVERING

    async def run(self, stop: asyncio.Event, on_primary: Callable[[], None]) -> None:
        """Returns after `stop` was set. Raises Stop.

        `on_primary` is called once, when commands are taken.
        """
        try:
            await self._run(stop, on_primary)
        except BaseException as error:
            cause = process.root_of(error)
            if isinstance(cause, Stop):
                LOGGER.critical("stopped", reason=cause.name, error=str(cause))
            raise
        finally:
            self._state.role = Role.STOPPED
            if self._state.primary is not None:
                self._state.primary.released.close()
                await self._state.primary.committer.close()
            await self._parts.lock.close()
            self._executor.shutdown(wait=False, cancel_futures=True)

    async def _run(self, stop: asyncio.Event, on_primary: Callable[[], None]) -> None:
        primary = await until_stopped(stop, self._become_primary())
        if primary is None:
            return
        self._state.primary = primary
        async with asyncio.TaskGroup() as group:
            others = (
                group.create_task(self._renew(primary), name="lease"),
                group.create_task(self._keep_house(primary), name="housekeeping"),
            )
            sequencing = group.create_task(self._sequence(primary, on_primary), name="sequencer")
            await stop.wait()
            primary.sequencer.stop()
            await asyncio.wait({sequencing}, timeout=limits.STOP_SECONDS)
            for task in (sequencing, *others):
                task.cancel()
        await self._parts.lock.release()

    async def _become_primary(self) -> Primary:
        """Recovers, stands by, takes over. Raises Stop."""
        parts = self._parts
        replay = await self._new_replay(parts.followers)
        self._state.replay = replay
        renewal_seconds = parts.settings.lease_renewal_seconds
        election = Election(self._state, parts.lock, parts.reader, replay, renewal_seconds)
        won = await election.win()
        await self._note_skips(replay)
        return self._make_primary(replay, won)

    async def _sequence(self, primary: Primary, on_primary: Callable[[], None]) -> None:
        """Begins the epoch, then takes commands until told to stop. Raises Stop."""
        await primary.sequencer.start_epoch()
        self._state.role, self._state.primary_endpoint = Role.PRIMARY, ""
        epoch, released_seq = primary.committer.epoch, primary.released.seq
        LOGGER.info("primary", epoch=epoch, released_seq=released_seq)
        on_primary()
        await primary.sequencer.run()

    async def _new_replay(self, listeners: tuple[ReplayListener, ...]) -> Replay:
        parts = self._parts
        settings = parts.settings
        pause = limits.RECONNECT_FIRST_SECONDS
        while True:
            try:
                known = await skips.read(parts.database, settings.shard)
                break
            except Unavailable as error:
                LOGGER.warning("recovering", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, limits.RECONNECT_MAX_SECONDS)
        return Replay(
            ReplayParts(
                shard=settings.shard,
                kind=parts.kind,
                reader=parts.reader,
                snapshots=parts.snapshots,
                skips=known,
                executor=self._executor,
                listeners=listeners,
            )
        )

    async def _note_skips(self, replay: Replay) -> None:
        """Before the first row without them: from which sequence on rows are compared again."""
        if not replay.newly_skipped:
            return
        seqs, head = sorted(replay.newly_skipped), replay.tail.last_seq
        LOGGER.error("going on without commands", seqs=seqs, head=head)
        await skips.note_used(self._parts.database, self._parts.settings.shard, seqs, head)

    def _make_primary(self, replay: Replay, won: Won) -> Primary:
        parts, settings = self._parts, self._parts.settings
        time = SequencerClock(
            parts.clock, replay.tail.time_ns, won.lease.database_ns, won.lease.monotonic_ns
        )
        released = Released(settings.ring_bytes_max, replay.tail)
        answers = Answers()
        for follower in parts.followers:
            released.listen(follower)
        released.listen(answers)
        writer = JournalWriter(
            parts.database.settings,
            parts.reader,
            f"cambist-{settings.instance}",
            settings.commit_seconds,
        )
        committer = Committer(
            writer, parts.lock, parts.database, settings.shard, self._note_blocked
        )
        committer.epoch, committer.tail = won.epoch, replay.tail
        inbox = Inbox(settings.inbox_commands_max)
        sequencer = Sequencer(
            SequencerParts(
                shard=settings.shard,
                kind=parts.kind,
                inbox=inbox,
                committer=committer,
                released=released,
                time=time,
                clock=parts.clock,
                gauges=parts.gauges,
                batches=BatchLimits(settings.batch_commands_max, settings.batch_bytes_max),
                executor=self._executor,
                rebuild=lambda: self._rebuild(committer),
            ),
            replay.engine,
        )
        return Primary(inbox, sequencer, committer, released, answers, time, parts.reader)

    async def _rebuild(self, committer: Committer) -> Engine:
        """The engine as of the committer's tail, from snapshot and journal. Raises Stop."""
        replay = await self._new_replay(())
        pause = limits.RECONNECT_FIRST_SECONDS
        while True:
            try:
                await replay.catch_up()
                break
            except Unavailable as error:
                LOGGER.warning("engine not made anew", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, limits.RECONNECT_MAX_SECONDS)
        if replay.tail != committer.tail:
            raise Fenced(f"the journal ends at {replay.tail.last_seq}, not at what was released")
        LOGGER.warning("engine made anew", last_seq=replay.tail.last_seq)
        return replay.engine

    def _note_blocked(self, holders: frozenset[int]) -> None:
        """Backends keep a primary from its next epoch, or (none) do not any more."""
        is_blocked = self._state.role is Role.TAKEOVER_BLOCKED
        if holders and not is_blocked:
            LOGGER.error("TAKEOVER_BLOCKED", shard=self._state.shard, backends=sorted(holders))
            self._role_before, self._state.role = self._state.role, Role.TAKEOVER_BLOCKED
        elif is_blocked and not holders:
            self._state.role = self._role_before

    async def _renew(self, primary: Primary) -> None:
        """Renews the lease and reads the database's time. Raises Fenced.

        A lost lease is no reason to stop by itself: the fence is. Without traffic nothing would be
        refused by it, so it is looked at.
        """
        lock = self._parts.lock
        while True:
            await asyncio.sleep(self._parts.settings.lease_renewal_seconds)
            try:
                lease = await lock.take_or_renew()
                if lease.is_ours:
                    primary.time.observe(lease.database_ns, lease.monotonic_ns)
                    self._state.clock_offset_ns = primary.time.offset_ns
                    continue
                LOGGER.warning("lease lost", owner=lease.owner)
                epoch = await self._parts.reader.fence_epoch()
            except Unavailable as error:
                LOGGER.warning("lease not renewed", error=str(error))
                continue
            if epoch > primary.committer.epoch:
                raise Fenced(f"epoch {epoch} is {lease.owner}'s")

    async def _keep_house(self, primary: Primary) -> None:
        """Keeps partitions ahead of the head, and an eye on snapshots."""
        database, shard = self._parts.database, self._parts.settings.shard
        while True:
            try:
                made = await ensure_partitions(database, shard, primary.released.seq + 1)
                if made:
                    LOGGER.info("partitions made", names=made)
                stored = await self._parts.snapshots.stored()
                self._state.snapshot_seq = stored[0].seq if stored else 0
            except (Unavailable, Unknown) as error:
                LOGGER.warning("partitions not made", error=str(error))
            await asyncio.sleep(limits.HOUSEKEEPING_SECONDS)


async def until_stopped(stop: asyncio.Event, work: Awaitable[Primary]) -> Primary | None:
    """The result of `work`, or None when `stop` was set before."""
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.wait({working, stopping})
