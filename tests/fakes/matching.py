"""A MatchingService in the test's own process, over an engine and rows in memory.

It does what the contract says of the wire: hello, progress, refusals, rows after "commit", filters,
GatewayLost when a link ends. Tests can make it stall, refuse to be primary, or forget rows.
"""

# ruff: noqa: N802 - methods are named by the contract

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.internal.matching.v1 import matching_pb2, matching_pb2_grpc
from cambist.orders.v1 import enums_pb2, events_pb2
from runtime import rpc_errors, rpc_server
from runtime.settings import RpcSettings
from tests.fakes.engines import Engine

SHARD = 1
RECORD = struct.Struct("<B3xIQQQII")
SESSION_KIND, PRIVATE_KIND = 1, 2
FAULT = ("reason", "index", "field")
CHUNK_BYTES = 1_000


@dataclass
class FakeMatching(matching_pb2_grpc.MatchingServiceServicer):
    """One shard."""

    engine: Engine
    rows: list[matching_pb2.EventRow] = field(default_factory=list)
    is_primary: bool = True
    epoch: int = 1
    hint: str = ""
    # Envelopes are read only while this is set.
    takes: asyncio.Event = field(default_factory=asyncio.Event)
    # Rows are released only while this is set.
    commits: asyncio.Event = field(default_factory=asyncio.Event)
    envelopes: list[batch_pb2.Envelope] = field(default_factory=list)
    # Rows that end below this are no longer kept.
    oldest_seq: int = 1
    # Events of an account below this number are no longer kept.
    oldest_account_seq: int = 1
    # Changes the next row that is sent, once.
    mangle: Callable[[matching_pb2.EventRow], matching_pb2.EventRow] | None = None
    # What the faucet was asked, and what it answers in place of having done it.
    pay_ins: list[matching_pb2.PayInRequest] = field(default_factory=list)
    pay_in_fault: rpc_errors.Fault | None = None
    snapshot: bytes = b""
    snapshot_seq: int = 0
    links: dict[int, Any] = field(default_factory=dict)
    server: rpc_server.RpcServer | None = None
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.takes.set()
        self.commits.set()

    async def start(self, port: int = 0) -> int:
        def register(server: grpc.aio.Server) -> None:
            matching_pb2_grpc.add_MatchingServiceServicer_to_server(self, server)

        self.server = await rpc_server.start_server(
            f"127.0.0.1:{port}", register, rpc=RpcSettings()
        )
        return self.server.port

    async def stop(self) -> None:
        if self.server is not None:
            await self.server.stop(0)

    async def fail_over(self) -> None:
        """Another process becomes primary at the same address: links end, a new epoch starts."""
        assert self.server is not None
        await self.server.stop(0)
        self.epoch += 1
        epoch = system_pb2.EpochStarted(epoch=self.epoch)
        await self.system(system_pb2.SystemCommand(epoch_started=epoch))
        await self.start(self.server.port)

    async def apply(self, *envelopes: batch_pb2.Envelope) -> int:
        """One batch, committed; the last sequence."""
        await self.commits.wait()
        batch = batch_pb2.Batch(
            shard=SHARD,
            first_seq=self.engine.last_seq + 1,
            time_ns=max(self.engine.time_ns, time.time_ns()),
            envelopes=envelopes,
        )
        first = self.engine.last_seq + 1
        events = self.engine.apply(batch.SerializeToString())
        now_ns = time.time_ns()
        row = matching_pb2.EventRow(
            first_seq=first,
            last_seq=self.engine.last_seq,
            time_ns=batch.time_ns,
            events=events,
            matched_ns=now_ns,
            durable_ns=now_ns,
        )
        self.rows.append(row)
        self.envelopes += envelopes
        async with self.changed:
            self.changed.notify_all()
        return row.last_seq

    async def clock(self) -> int:
        """A row that changes nothing."""
        return await self.system(system_pb2.SystemCommand(clock=system_pb2.Clock()))

    async def system(self, *commands: system_pb2.SystemCommand) -> int:
        """Commands of the venue, one batch."""
        body = system_pb2.SystemCommands(commands=commands)
        return await self.apply(
            batch_pb2.Envelope(
                command_class=enums_pb2.COMMAND_CLASS_SYSTEM,
                count=len(commands),
                correlation=1,
                system_commands=body.SerializeToString(),
            )
        )

    async def system_command(self, name: str, seconds: float = 10.0) -> Any:
        """The newest command of the venue with this name; waits for the first one."""
        async with asyncio.timeout(seconds), self.changed:
            while True:
                for envelope in reversed(self.envelopes):
                    body = system_pb2.SystemCommands.FromString(envelope.system_commands)
                    for command in reversed(body.commands):
                        if command.HasField(name):  # type: ignore[arg-type]
                            return getattr(command, name)
                await self.changed.wait()

    def session_envelopes(self, command_class: int = 0) -> list[batch_pb2.Envelope]:
        """Envelopes of sessions that were applied, in order; 0 = both classes."""
        return [
            envelope
            for envelope in self.envelopes
            if envelope.session_id and command_class in (0, envelope.command_class)
        ]

    async def refuse_if_not_primary(self, context: Any) -> None:
        if not self.is_primary:
            metadata = (("primary", self.hint),) if self.hint else ()
            await context.abort(
                grpc.StatusCode.FAILED_PRECONDITION, "NOT_PRIMARY", trailing_metadata=metadata
            )

    async def SubmitCommands(
        self, request_iterator: AsyncIterator[matching_pb2.SubmitCommandsRequest], context: Any
    ) -> AsyncIterator[matching_pb2.SubmitCommandsResponse]:
        await self.refuse_if_not_primary(context)
        link_id = 0
        try:
            async for request in request_iterator:
                if request.HasField("hello"):
                    link_id = request.hello.link_id
                    self.links[link_id] = context
                    welcome = matching_pb2.Welcome(
                        epoch=self.epoch, released_seq=self.engine.last_seq
                    )
                    yield matching_pb2.SubmitCommandsResponse(welcome=welcome)
                    continue
                submit = request.submit
                envelopes = (submit.envelope, *submit.more_envelopes)
                for number, envelope in enumerate(envelopes, start=submit.number):
                    await self.takes.wait()
                    refused = self.judge(number, envelope)
                    if refused is not None:
                        yield matching_pb2.SubmitCommandsResponse(refused=refused)
                    else:
                        await self.apply(batch_pb2.Envelope.FromString(envelope))
                    progress = matching_pb2.Progress(number=number)
                    yield matching_pb2.SubmitCommandsResponse(progress=progress)
        finally:
            self.links.pop(link_id, None)
            if link_id:
                lost = system_pb2.GatewayLost(link_id=link_id)
                self.lost = asyncio.ensure_future(
                    self.system(system_pb2.SystemCommand(gateway_lost=lost))
                )

    def judge(self, number: int, envelope: bytes) -> matching_pb2.Refused | None:
        try:
            self.engine.check_envelope(envelope)
        except Exception as error:  # noqa: BLE001 - the engines have exceptions of their own
            reason, index, at_field = (getattr(error, name) for name in FAULT)
            return matching_pb2.Refused(number=number, reason=reason, index=index, field=at_field)
        return None

    async def StreamEvents(
        self, request: matching_pb2.StreamEventsRequest, context: Any
    ) -> AsyncIterator[matching_pb2.StreamEventsResponse]:
        await self.refuse_if_not_primary(context)
        if 0 < request.from_seq < self.oldest_seq:
            await context.abort(
                grpc.StatusCode.OUT_OF_RANGE,
                "gone",
                trailing_metadata=(("oldest", str(self.oldest_seq)),),
            )
        position = request.from_seq or self.engine.last_seq + 1
        index = next(
            (i for i, row in enumerate(self.rows) if row.last_seq >= position), len(self.rows)
        )
        while True:
            while index < len(self.rows):
                row = self.rows[index]
                index += 1
                kept = keep(row, set(request.account_ids), set(request.session_ids))
                if kept is not None:
                    mangle, self.mangle = self.mangle, None
                    told = kept if mangle is None else mangle(kept)
                    yield matching_pb2.StreamEventsResponse(rows=[told])
                if 0 < request.until_seq <= row.last_seq:
                    return
            async with self.changed:
                if index >= len(self.rows):
                    await self.changed.wait()

    def take_snapshot(self) -> None:
        """From now on gateways start from here; rows before are forgotten."""
        self.snapshot, self.snapshot_seq = self.engine.snapshot(), self.engine.last_seq
        self.oldest_seq = self.snapshot_seq + 1

    async def GetSnapshot(
        self, _request: matching_pb2.GetSnapshotRequest, context: Any
    ) -> AsyncIterator[matching_pb2.GetSnapshotResponse]:
        if not self.snapshot:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no snapshot yet")
        chunks = range(0, len(self.snapshot), CHUNK_BYTES)
        for index, start in enumerate(chunks):
            yield matching_pb2.GetSnapshotResponse(
                seq=self.snapshot_seq,
                index=index,
                count=len(chunks),
                chunk=self.snapshot[start : start + CHUNK_BYTES],
            )

    async def PayIn(
        self, request: matching_pb2.PayInRequest, context: Any
    ) -> matching_pb2.PayInResponse:
        await self.refuse_if_not_primary(context)
        self.pay_ins.append(request)
        if self.pay_in_fault is not None:
            await rpc_errors.abort(context, self.pay_in_fault)
        return matching_pb2.PayInResponse(
            repeat=len(self.pay_ins) > 1, as_of_seq=self.engine.last_seq
        )

    async def ReadAccountEvents(
        self, request: matching_pb2.ReadAccountEventsRequest, _context: Any
    ) -> matching_pb2.ReadAccountEventsResponse:
        if request.from_account_seq < self.oldest_account_seq:
            return matching_pb2.ReadAccountEventsResponse(
                oldest_account_seq=self.oldest_account_seq
            )
        found = events_pb2.PrivateEvents()
        for row in self.rows:
            kept = keep(row, {request.account_id}, {0})
            if kept is None:
                continue
            payload = kept.events[8 + 40 :]
            found.MergeFromString(payload)
        last = request.from_account_seq + request.count
        events = [e for e in found.events if request.from_account_seq <= e.account_seq < last]
        body = events_pb2.PrivateEvents(events=events).SerializeToString()
        return matching_pb2.ReadAccountEventsResponse(events=body)

    async def GetStatus(
        self, _request: matching_pb2.GetStatusRequest, _context: Any
    ) -> matching_pb2.GetStatusResponse:
        return matching_pb2.GetStatusResponse(
            shard=SHARD,
            role=matching_pb2.ROLE_PRIMARY,
            released_seq=self.engine.last_seq,
        )


def keep(
    row: matching_pb2.EventRow, account_ids: set[int], session_ids: set[int]
) -> matching_pb2.EventRow | None:
    """The row with frames of these accounts and sessions only; None when nothing is left."""
    if not account_ids and not session_ids:
        return row
    _, count = struct.unpack_from("<II", row.events)
    start = 8 + count * RECORD.size
    directory, body, kept = b"", b"", 0
    for kind, events, key, first, last, offset, length in RECORD.iter_unpack(row.events[8:start]):
        wanted = (kind == SESSION_KIND and key in session_ids) or (
            kind == PRIVATE_KIND and key in account_ids
        )
        if not wanted:
            continue
        directory += RECORD.pack(kind, events, key, first, last, len(body), length)
        body += row.events[start + offset : start + offset + length]
        kept += 1
    if not kept:
        return None
    return matching_pb2.EventRow(
        first_seq=row.first_seq,
        last_seq=row.last_seq,
        time_ns=row.time_ns,
        events=struct.pack("<II", 1, kept) + directory + body,
    )
