"""Follows the event journal of one shard and stores what customers requested.

Run by `server`, one task per shard. Rows come from the engine itself, never from custody. A row
that cannot be read, or a hole in the journal, ends the process: approvals on half a journal would
pass a velocity limit that counts too little.
"""

import asyncio
import struct
from collections.abc import Iterator
from typing import Final

import grpc
import grpc.aio

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.matching.v1 import matching_pb2, matching_pb2_grpc
from runtime import logs
from runtime.errors import Unavailable, Unknown
from runtime.postgres import Database
from runtime.rpc_errors import fault_of
from wallets.approver import limits, log
from wallets.approver.policy import Request
from wallets.contract import WithdrawalId
from wallets.errors import Broken

HEAD: Final = struct.Struct("<II")
RECORD: Final = struct.Struct("<B3xIQQQII")
LAYOUT: Final = 1
SYSTEM: Final = int(frames_pb2.FRAME_KIND_SYSTEM)


def system_events(events: bytes) -> Iterator[frames_pb2.SystemEvent]:
    """The venue's own events in a row (docs/semantics.md §2); raises Broken."""
    if len(events) < HEAD.size:
        raise Broken("a row without a head")
    layout, count = HEAD.unpack_from(events)
    payloads = HEAD.size + count * RECORD.size
    if layout != LAYOUT or payloads > len(events):
        raise Broken(f"a row of layout {layout} with {count} frames")
    for index in range(count):
        record = RECORD.unpack_from(events, HEAD.size + index * RECORD.size)
        kind, offset, length = record[0], record[5], record[6]
        if kind != SYSTEM:
            continue
        start = payloads + offset
        if start + length > len(events):
            raise Broken("a frame beyond its row")
        yield from frames_pb2.SystemEvents.FromString(events[start : start + length]).events


def requests_of(shard: int, row: matching_pb2.EventRow) -> list[Request]:
    """The withdrawals that a row requests; raises Broken."""
    found = []
    for event in system_events(row.events):
        if event.WhichOneof("event") != "withdrawal_requested":
            continue
        asked = event.withdrawal_requested
        found.append(
            Request(
                WithdrawalId(asked.withdrawal_id),
                shard,
                event.seq,
                row.time_ns,
                asked.account_id,
                asked.asset_id,
                asked.network_id,
                int.from_bytes(asked.amount_atoms, "little"),
                asked.destination,
            )
        )
    return found


class Follower:
    """One shard's journal."""

    def __init__(self, database: Database, shard: int, channel: grpc.aio.Channel) -> None:
        self._database = database
        self._shard = shard
        self._stub = matching_pb2_grpc.MatchingServiceStub(channel)

    async def run(self) -> None:
        """Follows for ever; raises Broken. An engine that is away is asked again."""
        while True:
            try:
                await self._follow()
            except grpc.aio.AioRpcError as error:
                fault = fault_of(error)
                if fault.code is grpc.StatusCode.OUT_OF_RANGE:
                    raise Broken(f"shard {self._shard}: the journal has lost rows") from error
                reason = fault.reason or fault.code.name
                logs.get(__name__).warning("no journal", shard=self._shard, reason=reason)
            except (Unavailable, Unknown) as error:
                # The cursor says whether the rows were stored.
                logs.get(__name__).warning("no database", shard=self._shard, reason=str(error))
            await asyncio.sleep(limits.FOLLOW_PAUSE_SECONDS)

    async def _follow(self) -> None:
        stored = await log.read_cursor(self._database, self._shard) or 0
        seen = stored
        rows = 0
        request = matching_pb2.StreamEventsRequest(shard=self._shard, from_seq=seen + 1)
        async for answer in self._stub.StreamEvents(request):
            for row in answer.rows:
                if row.first_seq > seen + 1:
                    raise Broken(f"shard {self._shard}: row {row.first_seq} follows {seen}")
                if row.last_seq <= seen:
                    continue
                found, rows = requests_of(self._shard, row), rows + 1
                seen = row.last_seq
                if found or rows >= limits.ROWS_PER_CURSOR:
                    await log.take(self._database, self._shard, stored, seen, found)
                    stored, rows = seen, 0
