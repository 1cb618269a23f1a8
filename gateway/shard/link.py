"""The link to the primary of one shard: finds it, sends envelopes, reads rows, starts anew.

One SubmitCommands stream with a fresh random link id and one StreamEvents stream. When either ends,
both end: matching then counts the sessions of the link as lost, and `down` tells their clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import grpc
import grpc.aio

from cambist.internal.matching.v1 import matching_pb2, matching_pb2_grpc
from gateway import limits
from gateway.shard.feed import EventFeed
from gateway.shard.image import FeedBroken
from gateway.shard.rows import BrokenRow
from gateway.shard.streams import (
    RowStream,
    SubmitCall,
    hello,
    open_row_stream,
    open_submit_call,
    rows_of,
    submit,
)
from gateway.shard.submitter import Submitter, Waiting
from runtime import logs, rpc_channel, rpc_errors
from runtime.rpc_bulk import BULK_OPTIONS
from runtime.settings import TlsSettings

LOGGER = logs.get(__name__)
# What ends a link and is no fault of ours.
BROKEN: Final = (
    grpc.aio.AioRpcError,
    grpc.aio.UsageError,
    asyncio.InvalidStateError,
    TimeoutError,
    BrokenRow,
    FeedBroken,
)


class LinkEnded(Exception):
    """A stream of the link ended without an error."""


class NotPrimary(Exception):
    """The endpoint does not hold the shard; `primary` says who does, when it knows."""

    def __init__(self, primary: str) -> None:
        super().__init__(primary)
        self.primary = primary


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How one shard is reached."""

    shard: int
    endpoints: tuple[str, ...]
    name: str
    tls: TlsSettings
    # A fresh link id, from 1.
    new_link_id: Callable[[], int]


class Link:
    """Keeps one shard reachable; `run` never returns by itself."""

    def __init__(
        self,
        settings: LinkSettings,
        submitter: Submitter,
        feed: EventFeed,
        *,
        on_up: Callable[[], None],
        on_down: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._submitter = submitter
        self._feed = feed
        self._on_up = on_up
        self._on_down = on_down
        self._hint = ""
        self._last_error = ""
        # The endpoint that failed last is tried last: a frozen one costs a time-out each time.
        self._failed = ""
        # Reading of the loop's clock when the primary last said anything.
        self._heard_at = 0.0
        self.link_id = 0
        self.epoch = 0
        # The primary while the link is up.
        self.stub: matching_pb2_grpc.MatchingServiceAsyncStub | None = None
        self.row_stream: RowStream | None = None
        self._sent: dict[int, Waiting] = {}

    async def run(self) -> None:
        """Connects again and again with bounded pauses."""
        pause = limits.RECONNECT_FIRST_SECONDS
        while True:
            if await self._try_endpoints():
                pause = limits.RECONNECT_FIRST_SECONDS
            await asyncio.sleep(pause)
            pause = min(pause * 2, limits.RECONNECT_MAX_SECONDS)

    async def _try_endpoints(self) -> bool:
        """Tries each endpoint, the hinted primary first; whether one of them was up."""
        hinted = (self._hint,) if self._hint else ()
        self._hint = ""
        known = sorted(self._settings.endpoints, key=lambda address: address == self._failed)
        for address in dict.fromkeys((*hinted, *known)):
            try:
                if await self._serve(address):
                    return True
            except NotPrimary as error:
                self._hint = error.primary if error.primary != address else ""
        return False

    async def _serve(self, address: str) -> bool:
        """Serves over one endpoint until the link ends; whether it was up at all."""
        was_up = False
        try:
            async with self._open(address) as (channel, call, welcome):
                stub = matching_pb2_grpc.MatchingServiceStub(channel)
                row_stream = open_row_stream(channel)
                if self._feed.must_bootstrap:
                    await self._bootstrap(stub)
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._read_rows(row_stream), name="rows")
                    group.create_task(self._feed.watch(), name="image")
                    await self._feed.wait_for(welcome.released_seq)
                    group.create_task(self._send(call), name="send")
                    group.create_task(self._read_answers(call), name="answers")
                    group.create_task(self._watch(stub), name="watch")
                    self.stub, self.row_stream = stub, row_stream
                    self._submitter.open()
                    was_up = True
                    self._last_error = ""
                    LOGGER.info(
                        "link up", shard=self._settings.shard, endpoint=address, epoch=self.epoch
                    )
                    self._on_up()
        except* (LinkEnded, *BROKEN) as errors:
            self._note_end(address, errors)
        finally:
            self._failed = address
            self.stub = self.row_stream = None
            self._submitter.close()
            self._sent.clear()
            if was_up:
                self._on_down()
        return was_up

    def _note_end(self, address: str, errors: BaseExceptionGroup[BaseException]) -> None:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        if isinstance(first, grpc.aio.AioRpcError):
            if first.code() is grpc.StatusCode.OUT_OF_RANGE:
                self._feed.must_bootstrap = True
            text = f"{first.code().name}: {first.details()}"
        else:
            text = f"{type(first).__name__}: {first}"
        if isinstance(first, (BrokenRow, FeedBroken)):
            self._feed.must_bootstrap = True
            LOGGER.error("feed broken", shard=self._settings.shard, error=text)
        if text != self._last_error:
            # The same refusal again and again is told once.
            LOGGER.info("link down", shard=self._settings.shard, endpoint=address, error=text)
        self._last_error = text

    @asynccontextmanager
    async def _open(
        self, address: str
    ) -> AsyncIterator[tuple[grpc.aio.Channel, SubmitCall, matching_pb2.Welcome]]:
        """A channel with the Submit stream said hello on. Raises NotPrimary."""
        channel = rpc_channel.open_channel(
            address,
            tls_settings=self._settings.tls,
            options=[("grpc.max_receive_message_length", limits.ROW_BYTES_MAX), *BULK_OPTIONS],
        )
        try:
            call = open_submit_call(channel)
            self.link_id = self._settings.new_link_id()
            welcome = await self._hello(call)
            self.epoch = welcome.epoch
            try:
                yield channel, call, welcome
            finally:
                call.cancel()
        finally:
            await channel.close()

    async def _hello(self, call: SubmitCall) -> matching_pb2.Welcome:
        settings = self._settings
        try:
            async with asyncio.timeout(limits.CONNECT_SECONDS):
                await call.write(hello(self.link_id, settings.shard, settings.name))
                response = await call.read()
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.FAILED_PRECONDITION:
                raise NotPrimary(primary_of(error)) from error
            raise
        except BaseException:
            call.cancel()
            raise
        if response is grpc.aio.EOF:
            if await call.code() is grpc.StatusCode.FAILED_PRECONDITION:
                metadata = await call.trailing_metadata()
                raise NotPrimary(str(dict(metadata).get("primary", "")))
            raise LinkEnded(f"no welcome: {await call.details()}")
        assert isinstance(response, matching_pb2.SubmitCommandsResponse)
        return response.welcome

    async def _bootstrap(self, stub: matching_pb2_grpc.MatchingServiceAsyncStub) -> None:
        """Starts the feed from the newest snapshot, or from the first row without one."""
        chunks: list[bytes] = []
        size = 0
        try:
            request = matching_pb2.GetSnapshotRequest(shard=self._settings.shard)
            async for response in stub.GetSnapshot(request):
                size += len(response.chunk)
                if response.index != len(chunks) or size > limits.SNAPSHOT_BYTES_MAX:
                    raise BrokenRow(f"chunk {response.index} of a snapshot, {size} bytes")
                chunks.append(response.chunk)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
        snapshot = b"".join(chunks) if chunks else None
        await self._feed.start_from(snapshot)

    async def _read_rows(self, row_stream: RowStream) -> None:
        feed = self._feed
        request = matching_pb2.StreamEventsRequest(
            shard=self._settings.shard, from_seq=feed.last_seq + 1
        )
        async for rows in rows_of(row_stream, request):
            self._heard()
            for row in rows:
                await feed.take(row)
        raise LinkEnded("StreamEvents ended")

    def _heard(self) -> None:
        self._heard_at = asyncio.get_running_loop().time()

    async def _watch(self, stub: matching_pb2_grpc.MatchingServiceAsyncStub) -> None:
        """Asks a silent primary whether it lives: one that is frozen keeps its connections open."""
        self._heard()
        while True:
            await asyncio.sleep(limits.PRIMARY_WATCH_SECONDS)
            silent = asyncio.get_running_loop().time() - self._heard_at
            if silent < limits.PRIMARY_SILENT_SECONDS:
                continue
            status = await stub.GetStatus(
                matching_pb2.GetStatusRequest(), timeout=limits.PRIMARY_ANSWER_SECONDS
            )
            if status.role != matching_pb2.ROLE_PRIMARY:
                raise LinkEnded("it is not the primary any more")
            self._heard()

    async def _send(self, call: SubmitCall) -> None:
        """The one writer of the Submit stream; it waits when matching does not read."""
        take, write, sent = self._submitter.take, call.write, self._sent
        number = 1
        while True:
            taken = await take()
            for position, waiting in enumerate(taken, start=number):
                if waiting.sender is not None:
                    sent[position] = waiting
            message = submit(number, [waiting.envelope for waiting in taken])
            number += len(taken)
            await write(message)

    async def _read_answers(self, call: SubmitCall) -> None:
        """Refusals go to their senders; progress frees what is remembered of them."""
        sent = self._sent
        settled = 0
        while True:
            response = await call.read()
            if response is grpc.aio.EOF:
                raise LinkEnded(f"SubmitCommands ended: {await call.details()}")
            self._heard()
            assert isinstance(response, matching_pb2.SubmitCommandsResponse)
            if response.HasField("refused"):
                waiting = sent.pop(response.refused.number, None)
                if waiting is not None and waiting.sender is not None:
                    waiting.sender.refused(waiting.number, response.refused)
            elif response.HasField("progress"):
                for number in range(settled + 1, response.progress.number + 1):
                    sent.pop(number, None)
                settled = max(settled, response.progress.number)


def primary_of(error: grpc.aio.AioRpcError) -> str:
    """The hint in a NOT_PRIMARY error; empty when there is none."""
    for metadata in (error.initial_metadata(), error.trailing_metadata()):
        for key, value in metadata or ():
            if key == "primary" and isinstance(value, str):
                return value
    return rpc_errors.fault_of(error).metadata.get("primary", "")
