"""Load on a venue over the SDK: batches out, answers decoded, durable commands counted."""

import asyncio
import os
import statistics
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks.processor_time import ProcessorTime
from benchmarks.tape import Tape
from cambist.client.client import Client
from cambist.client.enums import CommandClass
from cambist.client.raw import RawBatch, RawSession
from cambist.orders.v1 import commands_pb2, enums_pb2, events_pb2, service_pb2
from venue.latency import Histogram

# Each lasts from the end of the one before; the first from the receipt by the gateway.
STAGES: Final = ("sequenced", "matched", "durable", "delivered")
WARM_SHARE: Final = 0.15
FILL: Final = enums_pb2.EXEC_TYPE_TRADE
# All answers are decoded; every so many events one is looked at for the mix, and every so many rows
# one event is followed through the stages. To look at each in Python is a load of its own.
EVENTS_PER_SAMPLE: Final = 64
ROWS_PER_SAMPLE: Final = 8
STALL_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class VenueLoad:
    """What is sent."""

    batch: int
    sessions: int
    commands: int
    window_commands: int


@dataclass(slots=True)
class VenueOutcome:
    """What came back after the warm share."""

    commands: int = 0
    # With those of the warm share and after the clock.
    commands_in_all: int = 0
    seconds: float = 0.0
    # Of a sample of events, times the sample.
    fills: int = 0
    refused: int = 0
    answer_bytes: int = 0
    request_bytes: int = 0
    latency: Histogram = field(default_factory=Histogram)
    processor_seconds: dict[str, float] = field(default_factory=dict)
    # Nanoseconds per stage of the sampled rows.
    stages: dict[str, list[int]] = field(default_factory=lambda: {stage: [] for stage in STAGES})

    @property
    def per_second(self) -> float:
        """Durable commands per second, answers decoded."""
        return self.commands / self.seconds if self.seconds else 0.0

    @property
    def request_bytes_each(self) -> int:
        """Bytes per command that were sent."""
        return max(1, self.request_bytes // max(1, self.commands))

    @property
    def answer_bytes_each(self) -> int:
        """Bytes per command that came back."""
        return max(1, self.answer_bytes // max(1, self.commands))

    def stage_shares(self) -> dict[str, float]:
        """Share of each stage in the mean time from the gateway's receipt to delivery.

        Engine time is a clock of its own beside the wall clock of the others: where the two make
        a stage negative, its neighbour is as much shorter.
        """
        if not all(self.stages.values()):
            return dict.fromkeys(STAGES, 0.0)
        means = {stage: statistics.fmean(values) for stage, values in self.stages.items()}
        skew = max(0.0, -min(self.stages["sequenced"])) - max(0.0, -min(self.stages["matched"]))
        means["sequenced"] += skew
        means["matched"] -= skew
        whole = sum(means.values())
        return {stage: max(0.0, mean) / whole for stage, mean in means.items()}


class LoadStopped(Exception):
    """No answer came for a long time, or a batch was refused."""


@dataclass(slots=True)
class SessionLoad:
    """One session."""

    session: RawSession
    batches: deque[RawBatch]
    window_commands: int
    outcome: VenueOutcome
    rows: int = 0
    # Events to pass over before the next one that is looked at.
    events_to_pass: int = 0
    error: str = ""
    # Whether answers count: after the warm share.
    is_counting: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Sends all batches and waits for their answers."""
        self.session.on_row = self.on_row
        self.session.on_taken = self.on_taken
        while self.batches:
            batch = self.batches[0]
            if self.session.outstanding + batch.count > self.window_commands:
                await self._progress()
                continue
            self.batches.popleft()
            batch.mark = time.time_ns()
            self.session.send_now(batch)
            # The writer gets its turn after each message.
            await asyncio.sleep(0)
        while self.session.outstanding:
            await self._progress()

    async def clear(self, account_ids: Sequence[int]) -> None:
        """Cancels all that rests: the next load begins with empty books."""
        body = commands_pb2.Commands()
        for account_id in account_ids:
            body.commands.add().mass_cancel.CopyFrom(
                commands_pb2.MassCancel(
                    request_id=os.urandom(16), account_id=account_id, sent_time_ns=time.time_ns()
                )
            )
        self.session.send_now(
            RawBatch(CommandClass.CANCEL, len(body.commands), body.SerializeToString())
        )
        while self.session.outstanding:
            await self._progress()

    async def _progress(self) -> None:
        if self.session.ended is not None or self.error:
            raise LoadStopped(self.error or str(self.session.ended))
        self.heard.clear()
        alarm = asyncio.get_running_loop().call_later(STALL_SECONDS, self._stalled)
        try:
            await self.heard.wait()
        finally:
            alarm.cancel()

    def _stalled(self) -> None:
        self.error = f"no answer for {STALL_SECONDS:.0f} s"
        self.heard.set()

    def on_taken(self, batch: RawBatch) -> None:
        """A batch is durable and answered."""
        self.heard.set()
        self.outcome.commands_in_all += batch.count
        if batch.error is not None:
            self.error = str(batch.error)
        elif self.is_counting:
            self.outcome.commands += batch.count
            self.outcome.request_bytes += len(batch.commands)
            self.outcome.latency.add(time.time_ns() - batch.mark, batch.count)

    def on_row(self, row: service_pb2.EventBatch) -> None:
        """Decodes the answers."""
        now_ns = time.time_ns()
        events = events_pb2.PrivateEvents.FromString(row.private_events).events
        if not self.is_counting:
            return
        self.rows += 1
        self.outcome.answer_bytes += len(row.private_events) + len(row.session_events)
        for event in events[self.events_to_pass :: EVENTS_PER_SAMPLE]:
            self._look_at(event)
        self.events_to_pass = (self.events_to_pass - len(events)) % EVENTS_PER_SAMPLE
        if not events or self.rows % ROWS_PER_SAMPLE != 1:
            return
        if row.matched_ns:
            first = events[0]
            times = (
                first.received_ns,
                first.sequenced_ns,
                row.matched_ns,
                row.durable_ns,
                now_ns,
            )
            for index, stage in enumerate(STAGES):
                self.outcome.stages[stage].append(times[index + 1] - times[index])

    def _look_at(self, event: events_pb2.PrivateEvent) -> None:
        """One event for all that are passed over."""
        report = event.execution_report
        is_refused = report.reject_reason or event.cancel_reject.reject_reason
        self.outcome.fills += EVENTS_PER_SAMPLE * (report.exec_type == FILL)
        self.outcome.refused += EVENTS_PER_SAMPLE * bool(is_refused)


async def run(
    client: Client,
    load: VenueLoad,
    accounts: Sequence[tuple[int, ...]],
    run_number: int,
    pids: Mapping[str, int] | None = None,
) -> VenueOutcome:
    """Runs one load, a session per entry of `accounts`. Raises LoadStopped.

    The processor time of the processes `pids` is measured from the first command to the last
    answer.
    """
    outcome = VenueOutcome()
    share = max(load.batch, load.commands // load.sessions)
    now_ns = time.time_ns()
    # Made before any session is open: it takes seconds in which nobody is heard.
    flows = [
        deque(
            Tape(index, run_number, account_ids, load.batch, load.window_commands, now_ns).batches(
                share
            )
        )
        for index, account_ids in enumerate(accounts)
    ]
    loads: list[SessionLoad] = []
    for index, batches in enumerate(flows):
        session = client.raw_session(f"load-{index}", account_ids=accounts[index])
        await session.open()
        loads.append(SessionLoad(session, batches, load.window_commands, outcome))
    try:
        before = ProcessorTime.read(pids or {})
        await _timed(loads, outcome)
        outcome.processor_seconds = ProcessorTime.read(pids or {}).since(before)
        for one, account_ids in zip(loads, accounts, strict=True):
            await one.clear(account_ids)
    finally:
        await asyncio.gather(*(one.session.close() for one in loads))
    return outcome


async def _timed(loads: list[SessionLoad], outcome: VenueOutcome) -> None:
    """Runs all sessions; the clock runs from the warm share to the first that has sent all."""
    total = sum(len(one.batches) for one in loads)
    tasks = [asyncio.create_task(one.run()) for one in loads]
    try:
        while sum(len(one.batches) for one in loads) > total * (1 - WARM_SHARE):
            _raise_failed(tasks)
            await asyncio.sleep(0.005)
        started = time.perf_counter()
        for one in loads:
            one.is_counting = True
        while all(one.batches for one in loads):
            _raise_failed(tasks)
            await asyncio.sleep(0.002)
        outcome.seconds = time.perf_counter() - started
        for one in loads:
            one.is_counting = False
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _raise_failed(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()
