"""The one task that gives commands their numbers: gather, apply, commit, release, again.

While one batch is being committed the next one gathers in the inbox. It is applied when that commit
is known, or earlier when so much waits that it is a large batch of its own: then it waits, applied,
for the commit before it (docs/adr/0010). Batches are committed and released one at a time and in
order. The primary runs it; nothing else may touch its engine.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from opentelemetry.trace import Span, Tracer

from matching import limits
from matching.engines import Engine, EngineKind
from matching.errors import EngineBroken
from matching.journal.rows import Applied, JournalRow, Tail, chain
from matching.release.released import Released
from matching.sequencer import envelopes, poison
from matching.sequencer.batch_size import BatchSize
from matching.sequencer.clock import SequencerClock
from matching.sequencer.committer import Committer
from matching.sequencer.inbox import Inbox, Item
from runtime import logs
from runtime.clock import NANOSECONDS_PER_SECOND, Clock
from runtime.order_traces import Numbered, OrderTraces
from runtime.stages import Stage, StageMeter

LOGGER = logs.get(__name__)
# Longest sleep before timers are looked at again; the clock is pulled meanwhile.
SLEEP_SECONDS_MAX = 1.0


@dataclass(frozen=True, slots=True)
class Gauges:
    """What measures."""

    stages: StageMeter
    tracer: Tracer
    orders: OrderTraces


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Most commands and bytes of a batch."""

    commands_max: int
    bytes_max: int


@dataclass(frozen=True, slots=True)
class SequencerParts:
    """What a sequencer works with."""

    shard: int
    kind: EngineKind
    inbox: Inbox
    committer: Committer
    released: Released
    # Engine time of batches.
    time: SequencerClock
    # Wall and monotonic readings, for measuring.
    clock: Clock
    gauges: Gauges
    batches: BatchLimits
    # One thread for large batches.
    executor: Executor
    # The engine as of the committer's tail, made anew from the journal.
    rebuild: Callable[[], Awaitable[Engine]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch that the engine has applied, and its row as it is when `after` is the tail then."""

    applied: Applied
    row: JournalRow
    after: Tail
    count: int
    numbered: tuple[Numbered, ...]
    # Wall clock when the engine began and when it was done.
    started_ns: int
    matched_ns: int
    span: Span


class Sequencer:
    """Applies, commits and releases batches."""

    def __init__(self, parts: SequencerParts, engine: Engine) -> None:
        self._parts = parts
        self._engine = engine
        self._size = BatchSize(parts.batches.commands_max)
        self._is_stopping = False
        # The commit under way, and the tail of the row that was applied last.
        self._committing: asyncio.Task[None] | None = None
        self._head = parts.committer.tail
        # What status tells: the engine itself may be at work in a thread. It may be two batches
        # ahead of what was released.
        self.applied_seq = engine.last_seq
        self.open_cursors = engine.open_cursors

    def stop(self) -> None:
        """The loop ends after the batch at hand."""
        self._is_stopping = True
        self._parts.inbox.rouse()

    async def run(self) -> None:
        """Runs until told to stop and the last commit is known. Raises Stop."""
        inbox, bytes_max = self._parts.inbox, self._parts.batches.bytes_max
        try:
            while not self._is_stopping:
                if self._committing is not None:
                    if self._committing.done():
                        await self._committed()
                        continue
                    if inbox.commands < limits.AHEAD_COMMANDS_MIN:
                        await inbox.roused()
                        continue
                elif not await inbox.wait(self._seconds_to_timer()) and not self._is_timer_due():
                    continue
                await self._take(inbox.take(self._commands_max(), bytes_max))
            await self._committed()
        finally:
            await self._give_up()

    async def start_epoch(self) -> None:
        """Journals the first command of this primary. Raises Stop."""
        started = envelopes.epoch_started(self._parts.committer.epoch, self._parts.time.now_ns())
        try:
            await self._carry_out([started], 1, ())
            await self._committed()
        finally:
            await self._give_up()

    def _commands_max(self) -> int:
        """Most commands of the next batch."""
        return min(self._size.commands, limits.BATCH_COMMANDS_SESSION * self._parts.inbox.turns)

    def _seconds_to_timer(self) -> float:
        """Seconds until a clock command is due when nothing else comes."""
        if self._engine.open_cursors:
            return 0.0
        timer_ns = self._engine.next_timer_ns
        if not timer_ns:
            return SLEEP_SECONDS_MAX
        wait_ns = max(0, timer_ns - self._parts.time.now_ns())
        return min(SLEEP_SECONDS_MAX, wait_ns / NANOSECONDS_PER_SECOND)

    def _is_timer_due(self) -> bool:
        timer_ns = self._engine.next_timer_ns
        return self._engine.open_cursors > 0 or 0 < timer_ns <= self._parts.time.now_ns()

    async def _take(self, items: list[Item]) -> None:
        """One batch of the inbox, or a clock command when nothing waits."""
        if not items:
            await self._carry_out([envelopes.clock(self._parts.time.now_ns())], 1, ())
            return
        gauges, clock = self._parts.gauges, self._parts.clock
        count = sum(item.count for item in items)
        longest_ns = clock.monotonic_ns() - min(item.queued_ns for item in items)
        gauges.stages.record(Stage.SEQUENCED, count, longest_ns)
        numbered: tuple[Numbered, ...] = ()
        if gauges.orders.is_on:
            numbered = tuple(numbers_of(item) for item in items)
            now_ns = clock.wall_ns()
            gauges.orders.record(Stage.SEQUENCED, numbered, now_ns - longest_ns, now_ns)
        await self._carry_out([item.envelope for item in items], count, numbered)

    async def _carry_out(
        self, bodies: list[bytes], count: int, numbered: tuple[Numbered, ...]
    ) -> None:
        """Applies envelopes and hands them on, without those that stop the engine."""
        if await self._try(bodies, count, numbered):
            return
        rest = [single for body in bodies for single in poison.singles(body)]
        while rest:
            # The ones before the culprit singly, the culprit put aside, the others as batches.
            rest = await self._up_to_culprit(rest)
            while rest:
                part = rest[: limits.BATCH_ENVELOPES_MAX]
                if not await self._try(part, len(part)):
                    break
                rest = rest[len(part) :]

    async def _try(
        self, bodies: list[bytes], count: int, numbered: tuple[Numbered, ...] = ()
    ) -> bool:
        """Applies one batch and begins its commit after that of the one before.

        False when the engine stopped and was made anew. Raises Stop.
        """
        kind, gauges = self._parts.kind, self._parts.gauges
        span = gauges.tracer.start_span("batch", links=gauges.orders.links(numbered))
        try:
            prepared = await self._prepare(bodies, count, numbered, span)
        except (kind.panicked, kind.refused, kind.malformed) as error:
            # What was checked before is not refused, unless check and engine disagree.
            span.end()
            await self._committed()
            after_seq = self._parts.committer.tail.last_seq
            LOGGER.critical("engine stopped", after_seq=after_seq, error=str(error))
            self._engine = await self._parts.rebuild()
            self._head = self._parts.committer.tail
            return False
        self._head = prepared.row.tail
        await self._committed()
        self._committing = asyncio.create_task(self._commit(prepared), name="commit")
        self._committing.add_done_callback(lambda _: self._parts.inbox.rouse())
        return True

    async def _up_to_culprit(self, singles: list[bytes]) -> list[bytes]:
        """Applies commands one by one until one stops the engine; the commands after that one."""
        for index, single in enumerate(singles):
            if not await self._try([single], 1):
                await self._put_aside(single)
                return singles[index + 1 :]
        return []

    async def _put_aside(self, single: bytes) -> None:
        """Journals CommandPoisoned in the place of a command. Raises EngineBroken."""
        market_id = poison.market_of(single)
        seq = self._parts.committer.tail.last_seq + 1
        LOGGER.critical("command poisoned", seq=seq, market_id=market_id, envelope=single.hex())
        poisoned = envelopes.command_poisoned(single, market_id, self._parts.time.now_ns())
        if not await self._try([poisoned], 1):
            raise EngineBroken(f"it stops at seq {seq} without the command too")

    async def _prepare(
        self, bodies: list[bytes], count: int, numbered: tuple[Numbered, ...], span: Span
    ) -> Prepared:
        """Runs the engine, in a thread when it has much to do. Raises what stops the engine."""
        parts = self._parts
        started_ns = parts.clock.wall_ns()
        time_ns = max(parts.time.now_ns(), self._engine.time_ns)
        first_seq = self._engine.last_seq + 1
        batch = envelopes.batch(parts.shard, first_seq, time_ns, bodies)
        after, epoch = self._head, parts.committer.epoch
        if len(batch) < limits.APPLY_THREAD_BYTES:
            applied, row = self._apply(batch, first_seq, time_ns, epoch)
        else:
            loop = asyncio.get_running_loop()
            applied, row = await loop.run_in_executor(
                parts.executor, self._apply, batch, first_seq, time_ns, epoch
            )
        matched_ns = parts.clock.wall_ns()
        self._size.learn(count, len(row.events))
        return Prepared(applied, row, after, count, numbered, started_ns, matched_ns, span)

    def _apply(
        self, batch: bytes, first_seq: int, time_ns: int, epoch: int
    ) -> tuple[Applied, JournalRow]:
        """Runs the engine and chains the row; pure work, in a thread when it is large."""
        engine = self._engine
        events = engine.apply(batch)
        self.applied_seq, self.open_cursors = engine.last_seq, engine.open_cursors
        applied = Applied(first_seq, engine.last_seq, time_ns, batch, events, engine.state_hash)
        return applied, chain(applied, epoch, self._head)

    async def _committed(self) -> None:
        """Returns when no commit is under way. Raises Stop."""
        committing = self._committing
        if committing is not None:
            await committing
            self._committing = None

    async def _give_up(self) -> None:
        """Ends a commit that nobody waits for any more; its outcome stays unknown."""
        committing, self._committing = self._committing, None
        if committing is not None:
            committing.cancel()
            await asyncio.wait((committing,))

    async def _commit(self, prepared: Prepared) -> None:
        """Commits and releases what was applied. Raises Stop."""
        parts, span = self._parts, prepared.span
        try:
            row = await parts.committer.commit(prepared.applied, prepared.row, prepared.after)
            durable_ns = parts.clock.wall_ns()
            parts.released.release(row, prepared.matched_ns, durable_ns)
            if span.is_recording():
                span.set_attribute("cambist.first_seq", row.first_seq)
                span.set_attribute("cambist.last_seq", row.last_seq)
        finally:
            span.end()
        gauges = parts.gauges
        for stage, start_ns, end_ns in (
            (Stage.MATCHED, prepared.started_ns, prepared.matched_ns),
            (Stage.DURABLE, prepared.matched_ns, durable_ns),
        ):
            gauges.stages.record(stage, prepared.count, max(0, end_ns - start_ns))
            gauges.orders.record(stage, prepared.numbered, start_ns, end_ns)


def numbers_of(item: Item) -> Numbered:
    """The commands of an item as traces know them; `turn` of a link is no session."""
    return Numbered(max(0, item.turn), item.command_class, item.first_seq_no, item.count)
