"""An engine in memory behind the two streams of matching, which custody's processes follow."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from cambist.internal.journal.v1 import batch_pb2, frames_pb2, system_pb2
from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import enums_pb2
from tests.feed.rows import event_row
from tests.wallets.crash_points import Countdown
from wallets.contract import WithdrawalId
from wallets.core.outbox import numbers_of


@dataclass
class MemoryJournal:
    """Applies each number of its one source once, and tells of it in rows of a journal."""

    rows: list[matching_pb2.EventRow] = field(default_factory=list)
    last_source_seq: int = 0
    done: list[str] = field(default_factory=list)
    # A stream that ends once all is told, as one to an engine that stops does.
    is_ending: bool = False
    told: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def seq(self) -> int:
        return len(self.rows)

    def tell(self, event: frames_pb2.SystemEvent) -> None:
        event.seq = self.seq + 1
        events = frames_pb2.SystemEvents(events=[event])
        row = event_row({(frames_pb2.FRAME_KIND_SYSTEM, 0): events})
        self.rows.append(matching_pb2.EventRow(first_seq=event.seq, last_seq=event.seq, events=row))
        self.told.set()
        self.told = asyncio.Event()

    def request(self, withdrawal_id: WithdrawalId, account_id: int, asset_id: int) -> None:
        self.tell(
            frames_pb2.SystemEvent(
                withdrawal_requested=frames_pb2.WithdrawalRequested(
                    withdrawal_id=withdrawal_id,
                    account_id=account_id,
                    asset_id=asset_id,
                    network_id=1,
                    amount_atoms=(500).to_bytes(16, "little"),
                    fee_atoms=(5).to_bytes(16, "little"),
                    destination="somewhere",
                )
            )
        )

    def submit(self, envelope: bytes) -> None:
        """As the engine does (docs/semantics.md): what was done before is not even answered."""
        message = batch_pb2.Envelope.FromString(envelope)
        _, source_seq = numbers_of(message.correlation)
        if source_seq <= self.last_source_seq:
            return
        reason = enums_pb2.REJECT_REASON_UNSPECIFIED
        if source_seq == self.last_source_seq + 1:
            self.last_source_seq = source_seq
            self.done.append(kind_of(message.system_commands))
        else:
            reason = enums_pb2.REJECT_REASON_SOURCE_GAP
        answer = frames_pb2.SystemAnswer(correlation=message.correlation, reason=reason)
        self.tell(frames_pb2.SystemEvent(answer=answer))

    async def follow(self, from_seq: int) -> AsyncIterator[matching_pb2.StreamEventsResponse]:
        """All rows, and those that come."""
        while True:
            found = self.rows[from_seq - 1 :]
            if found:
                yield matching_pb2.StreamEventsResponse(rows=found)
                from_seq += len(found)
            elif self.is_ending:
                return
            else:
                await self.told.wait()


def kind_of(commands: bytes) -> str:
    (command,) = system_pb2.SystemCommands.FromString(commands).commands
    return str(command.WhichOneof("command"))


@dataclass
class Call:
    """A stream of commands to the journal."""

    journal: MemoryJournal
    is_welcome: bool = False

    async def write(self, request: matching_pb2.SubmitCommandsRequest) -> None:
        if request.WhichOneof("request") == "submit":
            self.journal.submit(request.submit.envelope)

    async def read(self) -> matching_pb2.SubmitCommandsResponse:
        if self.is_welcome:
            await asyncio.Event().wait()
        self.is_welcome = True
        return matching_pb2.SubmitCommandsResponse(welcome=matching_pb2.Welcome(epoch=1))

    def cancel(self) -> None:
        """The stream is of this process's memory."""


@dataclass
class MemoryPrimary:
    """A shard's engine as a process that may die is connected to it."""

    journal: MemoryJournal
    countdown: Countdown

    def stub(self) -> "MemoryPrimary":
        return self

    def turn(self) -> None:
        """There is one."""

    def SubmitCommands(self) -> Call:  # noqa: N802
        return self.countdown.before(Call(self.journal))

    def StreamEvents(  # noqa: N802
        self, request: matching_pb2.StreamEventsRequest
    ) -> AsyncIterator[matching_pb2.StreamEventsResponse]:
        return self.countdown.stream(self.journal.follow(request.from_seq))
