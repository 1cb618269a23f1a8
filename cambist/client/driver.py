"""Moves the messages of a session: one stream after another until the session is over.

One task reads, one writes; `Core` decides. It reconnects to the next endpoint by itself, and gives
up only when the venue says so, or has not been reached for `give_up_seconds`.
"""

import asyncio
import enum
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from cambist.client import limits
from cambist.client.channels import Channels, Stream
from cambist.client.core import ConnectionFault, Core
from cambist.client.enums import CancelOnDisconnect, TerminateReason
from cambist.client.errors import CambistError, Rejected, SessionEnded, Unavailable, Unknown
from cambist.orders.v1 import enums_pb2, service_pb2

ORDER_ENTRY_SESSION: Final = "/cambist.orders.v1.OrderEntryService/OrderEntrySession"
NEGOTIATE: Final = "/cambist.orders.v1.OrderEntryService/Negotiate"
NANOSECONDS: Final = 1_000_000_000
SessionStream: TypeAlias = Stream[service_pb2.OrderEntrySessionResponse]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a session asks for."""

    name: str
    shard: int = 1
    account_ids: tuple[int, ...] = ()
    cancel_on_disconnect: CancelOnDisconnect = CancelOnDisconnect.NEVER
    window_ms: int = limits.WINDOW_MS
    keep_alive_ms: int = limits.KEEP_ALIVE_MS
    # Session events only; private events are read elsewhere.
    is_session_only: bool = False
    give_up_seconds: float = limits.GIVE_UP_SECONDS


class Then(enum.Enum):
    """What follows the end of a connection."""

    RECONNECT = enum.auto()
    NEGOTIATE = enum.auto()
    FAULT = enum.auto()
    OVER = enum.auto()


AFTER: Final = {
    TerminateReason.TAKEN_OVER: Then.OVER,
    TerminateReason.KEY_REVOKED: Then.OVER,
    TerminateReason.SESSION_OVER: Then.OVER,
    TerminateReason.UNKNOWN_SESSION: Then.NEGOTIATE,
    TerminateReason.REFUSED: Then.FAULT,
    TerminateReason.PROTOCOL_ERROR: Then.FAULT,
}


class Terminated(CambistError):
    """The venue ended the connection."""

    def __init__(self, reason: TerminateReason, text: str) -> None:
        super().__init__(f"{reason.name}: {text}" if text else reason.name)
        self.reason = reason


@dataclass(slots=True)
class Statistics:
    """Counters of one session."""

    connections: int = 0
    resends: int = 0
    batches_sent: int = 0
    rows: int = 0
    last_end: str = ""


@dataclass(slots=True, eq=False)
class Driver:
    """The life of one session."""

    core: Core[Any]
    terms: Terms
    channels: Channels
    # Waits while listeners are full; the stream is not read meanwhile.
    before_read: Callable[[], Any] | None = None
    # Called when answers have made room, and at the end.
    on_progress: Callable[[], None] = lambda: None
    session_id: int = 0
    session_version: int = 0
    account_ids: tuple[int, ...] = ()
    statistics: Statistics = field(default_factory=Statistics)
    ended: SessionEnded | None = None
    is_connected: bool = False
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _is_closing: bool = False
    _closing_reason: TerminateReason = TerminateReason.FINISHED
    _heard_ns: int = 0
    _faults: int = 0
    _opened: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    async def opened(self) -> None:
        """Waits for the first connection. Raises what ended the session."""
        await self._opened.wait()
        if self.ended is not None:
            raise self.ended

    def close(self, *, is_over: bool) -> None:
        """Ends the connection; with `is_over` the venue forgets the session."""
        self._is_closing = True
        if is_over:
            self._closing_reason = TerminateReason.SESSION_OVER
        self._wake.set()

    async def run(self) -> None:
        """Runs until the session is over; what it raises is a fault of ours."""
        ended = SessionEnded("CANCELLED", "the task was cancelled")
        try:
            ended = await self._connect_for_ever()
        except Exception as error:
            # The outermost loop: whoever waits for answers must hear of it.
            ended = SessionEnded("FAULT", repr(error))
            raise
        finally:
            self.ended = ended
            self.core.abandon()
            self._opened.set()
            self.on_progress()

    async def _connect_for_ever(self) -> SessionEnded:
        reached_ns = time.monotonic_ns()
        backoff_seconds = limits.BACKOFF_FIRST_SECONDS
        while True:
            connections = self.statistics.connections
            try:
                await self._negotiate()
                await self._converse()
                if self._is_closing:
                    return SessionEnded("CLOSED", "closed by the client")
            except Terminated as error:
                self.statistics.last_end = str(error)
                if (ended := self._after(error)) is not None:
                    return ended
            except Rejected as error:
                self._faults += 1
                if not self.channels.must_log_on(error) or self._faults > limits.FAULTS_MAX:
                    return SessionEnded(error.reason, error.text)
            except (Unavailable, Unknown, ConnectionFault) as error:
                self.statistics.last_end = str(error)
                self.channels.rotate()
            if self._is_closing:
                return SessionEnded("CLOSED", "closed by the client")
            if self.statistics.connections > connections:
                reached_ns = time.monotonic_ns()
                backoff_seconds = limits.BACKOFF_FIRST_SECONDS
            elif time.monotonic_ns() - reached_ns > self.terms.give_up_seconds * NANOSECONDS:
                return SessionEnded("UNREACHABLE", self.statistics.last_end)
            await self._pause(backoff_seconds)
            backoff_seconds = min(2 * backoff_seconds, limits.BACKOFF_MAX_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Waits, but not for a session that is being closed."""
        self._wake.clear()
        if not self._is_closing:
            try:
                async with asyncio.timeout(seconds):
                    while not self._is_closing:
                        await self._wake.wait()
                        self._wake.clear()
            except TimeoutError:
                pass

    def _after(self, error: Terminated) -> SessionEnded | None:
        then = AFTER.get(error.reason, Then.RECONNECT)
        if then is Then.NEGOTIATE:
            self.session_id = 0
        if then in (Then.NEGOTIATE, Then.FAULT):
            self._faults += 1
        if then is Then.OVER or self._faults > limits.FAULTS_MAX:
            return SessionEnded(error.reason.name, str(error))
        self.channels.rotate()
        return None

    async def _negotiate(self) -> None:
        if self.session_id:
            return
        request = service_pb2.NegotiateRequest(
            shard=self.terms.shard,
            session_name=self.terms.name,
            account_ids=self.terms.account_ids,
        )
        answer = await self.channels.unary(NEGOTIATE, request, service_pb2.NegotiateResponse)
        self.session_id = answer.session_id
        self.session_version = answer.session_version
        self.account_ids = tuple(answer.account_ids)

    def _establish(self) -> bytes:
        mode = (
            service_pb2.RESPONSE_MODE_SESSION_ONLY
            if self.terms.is_session_only
            else service_pb2.RESPONSE_MODE_EVERYTHING
        )
        establish = service_pb2.Establish(
            session_id=self.session_id,
            session_version=self.session_version,
            keep_alive_ms=self.terms.keep_alive_ms,
            next_order_seq_no=self.core.lanes.order.next_seq_no,
            next_cancel_seq_no=self.core.lanes.cancel.next_seq_no,
            cancel_on_disconnect=enums_pb2.CancelOnDisconnect.ValueType(
                self.terms.cancel_on_disconnect
            ),
            cod_window_ms=self.terms.window_ms,
            resume_after_seq=self.core.last_seq,
            response_mode=mode,
        )
        return service_pb2.OrderEntrySessionRequest(establish=establish).SerializeToString()

    @asynccontextmanager
    async def _stream(self) -> AsyncIterator[SessionStream]:
        stream = await self.channels.stream(
            ORDER_ENTRY_SESSION, service_pb2.OrderEntrySessionResponse
        )
        try:
            yield stream
        finally:
            self.is_connected = False
            self.core.lost()
            stream.cancel()

    async def _converse(self) -> None:
        """One connection, from Establish to its end."""
        async with self._stream() as stream:
            try:
                async with asyncio.timeout(limits.ESTABLISH_SECONDS):
                    await stream.write(self._establish())
                    response = await stream.read()
            except TimeoutError:
                raise Unavailable("NO_ANSWER", "no answer to Establish") from None
            self._open(response)
            writer = asyncio.create_task(self._write(stream))
            reader = asyncio.create_task(self._read(stream))
            try:
                await asyncio.wait((writer, reader), return_when=asyncio.FIRST_COMPLETED)
                if not reader.done():
                    # We have said our last word, or cannot speak: the venue may say why.
                    await asyncio.wait((reader,), timeout=limits.CLOSE_SECONDS)
                if reader.done():
                    reader.result()
                elif writer.done():
                    writer.result()
            finally:
                writer.cancel()
                reader.cancel()
                await asyncio.gather(writer, reader, return_exceptions=True)

    def _open(self, response: service_pb2.OrderEntrySessionResponse | None) -> None:
        if response is None:
            raise Unavailable("STREAM_ENDED", "the stream ended before its answer")
        if response.HasField("terminate"):
            end = response.terminate
            raise Terminated(TerminateReason(end.reason), end.text)
        if not response.HasField("established"):
            raise ConnectionFault("the first answer is not Established")
        self.core.opened(response.established)
        self.statistics.connections += 1
        self._heard_ns = time.monotonic_ns()
        self.is_connected = True
        self._opened.set()
        self._wake.set()

    async def _write(self, stream: SessionStream) -> None:
        """Sends what may go out, and heartbeats; returns after the last word."""
        beat_ns = self.terms.keep_alive_ms * 1_000_000 // 2
        lapse_ns = self.terms.keep_alive_ms * 1_000_000 * limits.KEEP_ALIVE_LAPSES
        spoke_ns = time.monotonic_ns()
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            now_ns = time.monotonic_ns()
            while (message := self.core.next_message(now_ns)) is not None:
                await stream.write(message)
                self.statistics.batches_sent += 1
                spoke_ns = now_ns = time.monotonic_ns()
            if self._is_closing and self.core.lanes.is_idle:
                await self._say_goodbye(stream)
                return
            if now_ns - spoke_ns >= beat_ns:
                await stream.write(self.core.heartbeat())
                spoke_ns = now_ns
            if self._heard_ns and now_ns - self._heard_ns > lapse_ns:
                raise ConnectionFault("the venue is silent")
            until_ns = self.core.lanes.waits_until_ns()
            wait_ns = min(beat_ns, max(1_000_000, until_ns - now_ns)) if until_ns else beat_ns
            # Every answer wakes the writer: a time-out of its own each time would cost more.
            alarm = loop.call_later(wait_ns / NANOSECONDS, self._wake.set)
            try:
                await self._wake.wait()
            finally:
                alarm.cancel()

    async def _say_goodbye(self, stream: SessionStream) -> None:
        reason = service_pb2.TerminateReason.ValueType(self._closing_reason)
        terminate = service_pb2.Terminate(reason=reason)
        request = service_pb2.OrderEntrySessionRequest(terminate=terminate)
        await stream.write(request.SerializeToString())
        await stream.done_writing()

    async def _read(self, stream: SessionStream) -> None:
        """Takes what the venue says, until it has said its last."""
        while True:
            if self.before_read is not None and (waiting := self.before_read()) is not None:
                self._heard_ns = 0
                await waiting
            self._heard_ns = time.monotonic_ns()
            response = await stream.read()
            self._heard_ns = time.monotonic_ns()
            if response is None:
                if self._is_closing:
                    return
                raise Unavailable("STREAM_ENDED", "the stream ended")
            self._take(response)
            self._wake.set()
            self.on_progress()

    def _take(self, response: service_pb2.OrderEntrySessionResponse) -> None:
        match response.WhichOneof("response"):
            case "events":
                self.statistics.rows += 1
                self._faults = 0
                self.core.events(response.events)
            case "sequence":
                self.core.sequence(response.sequence)
            case "batch_refused":
                self.statistics.resends += 1
                self.core.batch_refused(response.batch_refused, time.monotonic_ns())
            case "open_orders":
                self.core.open_orders(response.open_orders)
            case "terminate":
                end = response.terminate
                raise Terminated(TerminateReason(end.reason), end.text)
            case "go_away":
                # The stream goes on until its deadline; what is asked now would be lost with it.
                raise Terminated(TerminateReason.DRAINING, response.go_away.reason)
            case _:
                pass
