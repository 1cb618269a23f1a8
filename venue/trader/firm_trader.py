"""One firm over one session of the SDK: sends what the flow makes, writes down what it is told.

The fast session is used: encoded batches out, encoded events in. Every command is written down
before it is sent, every event when it comes.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cambist.client.client import Client
from cambist.client.enums import CommandClass
from cambist.client.raw import RawBatch, RawSession
from cambist.orders.v1 import commands_pb2, events_pb2, service_pb2
from venue import client_log
from venue.checker.answers import answer_of, record_of
from venue.client_log import FinalView, Header, LogWriter
from venue.flow.firm import CANCEL, Firm, Made
from venue.latency import Histogram

STAGES: Final = ("received", "sequenced", "matched", "durable", "delivered", "whole")
# Seconds the last answers may take after the flow has stopped; a takeover fits in.
DRAIN_SECONDS: Final = 60.0
# Seconds between two looks at a session that may have ended.
POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Words:
    """What a process is told: to stop trading, and to end when all processes are quiet."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    end: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Counts:
    """What happened so far."""

    sent: int = 0
    answered: int = 0
    refused: int = 0
    fills: int = 0
    events: int = 0
    faults: int = 0


@dataclass(slots=True)
class FirmTrader:
    """One firm. `run` trades until it is told to stop, then waits for the last answers."""

    flow: Firm
    client: Client
    log_path: Path
    window_commands: int
    burst_commands: int
    counts: Counts = field(default_factory=Counts)
    latencies: dict[str, Histogram] = field(
        default_factory=lambda: {stage: Histogram() for stage in STAGES}
    )
    # Time of sending by id, for what has no answer.
    unanswered: dict[bytes, int] = field(default_factory=dict)
    # It sends no more, and everything is answered.
    is_quiet: bool = False
    last_seq: int = 0
    now_ns: Callable[[], int] = time.time_ns
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _log: LogWriter = field(init=False)

    def __post_init__(self) -> None:
        header = Header(self.flow.plan.name, self.flow.plan.account_ids)
        self._log = LogWriter(self.log_path, header)

    async def run(self, words: Words, pause_seconds: Callable[[], float]) -> None:
        """Trades. Raises what ended the session; the log is closed in any case."""
        session = self.client.raw_session("flow", account_ids=self.flow.plan.account_ids)
        session.on_row = self.on_row
        session.on_taken = self.on_taken
        is_complete = False
        balances: dict[tuple[int, int], tuple[int, int]] = {}
        try:
            async with session:
                while not words.stop.is_set():
                    await self._send_burst(session)
                    await asyncio.sleep(pause_seconds())
                is_complete = await self._drain(session)
                self.is_quiet = is_complete
                await words.end.wait()
                is_complete = is_complete and await self._hear_all(session)
            balances = await self._balances()
        finally:
            orders = {
                order.order_id: (order.account_id, order.leaves_lots, order.cum_lots)
                for order in self.flow.orders.by_id.values()
            }
            self._log.close(FinalView(orders, balances, is_complete))

    async def _send_burst(self, session: RawSession) -> None:
        """Makes and sends up to one burst, within the window."""
        while len(self.unanswered) >= self.window_commands and session.ended is None:
            await self._progress()
        now_ns = self.now_ns()
        orders, cancels = commands_pb2.Commands(), commands_pb2.Commands()
        for _ in range(min(self.burst_commands, self.window_commands - len(self.unanswered))):
            made = self.flow.next(now_ns)
            (cancels if made.kind == CANCEL else orders).commands.append(made.command)
            self._note(made)
        for command_class, body in ((CommandClass.CANCEL, cancels), (CommandClass.ORDER, orders)):
            if body.commands:
                count = len(body.commands)
                await session.send(RawBatch(command_class, count, body.SerializeToString()))

    async def _hear_all(self, session: RawSession) -> bool:
        """Orders of others may have met ours until they were quiet too: one more answer is heard
        after all of that. Whether it came."""
        made = self.flow.last(self.now_ns())
        self._note(made)
        body = commands_pb2.Commands(commands=[made.command]).SerializeToString()
        await session.send(RawBatch(CommandClass.CANCEL, 1, body))
        return await self._drain(session)

    def _note(self, made: Made) -> None:
        self._log.write(client_log.sent(made.account_id, made.id, made.kind))
        self.unanswered[made.id] = made.sent_time_ns
        self.counts.sent += 1

    def on_taken(self, batch: RawBatch) -> None:
        """A batch left the SDK; one that was refused whole is a fault of this demo."""
        if batch.error is not None:
            self.counts.faults += 1

    def on_row(self, batch: service_pb2.EventBatch) -> None:
        """Events of one row of the journal."""
        now_ns = self.now_ns()
        self.last_seq = batch.last_seq
        self._heard.set()
        is_sampled = False
        events = events_pb2.PrivateEvents.FromString(batch.private_events).events
        self.counts.events += len(events)
        for event in events:
            record = record_of(event)
            self._log.write(record)
            self.flow.told(record)
            answer = answer_of(record)
            if answer is None:
                continue
            sent_ns = self.unanswered.pop(answer.id, 0)
            if not sent_ns:
                continue
            self.counts.answered += 1
            self.counts.refused += not answer.is_accepted
            self.latencies["whole"].add(now_ns - sent_ns)
            if not is_sampled and batch.matched_ns:
                is_sampled = True
                self._sample(sent_ns, event, batch, now_ns)
        self.counts.fills = self.flow.orders.fill_count

    def _sample(
        self,
        sent_ns: int,
        event: events_pb2.PrivateEvent,
        batch: service_pb2.EventBatch,
        now_ns: int,
    ) -> None:
        """One answer of the row through all stages."""
        times = (
            sent_ns,
            event.received_ns,
            event.sequenced_ns,
            batch.matched_ns,
            batch.durable_ns,
            now_ns,
        )
        for index, stage in enumerate(STAGES[:-1]):
            self.latencies[stage].add(times[index + 1] - times[index])

    async def _drain(self, session: RawSession) -> bool:
        """Waits for the last answers; whether all came."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.unanswered and session.ended is None and time.monotonic() < deadline:
            await self._progress()
        return not self.unanswered

    async def _progress(self) -> None:
        """Waits for a row, at most a moment: a session may end without one."""
        self._heard.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._heard.wait()

    async def _balances(self) -> dict[tuple[int, int], tuple[int, int]]:
        """All balances as the venue's query tells them, not before the last event heard."""
        found = {}
        for account_id in self.flow.plan.account_ids:
            balances = await self.client.wallet.balances(account_id, as_of_seq=self.last_seq)
            for asset_id, balance in balances.items():
                found[account_id, asset_id] = balance.available_atoms, balance.held_atoms
        return found
