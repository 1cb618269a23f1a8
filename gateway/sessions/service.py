"""Negotiate and OrderEntrySession: from the first message of a stream to its last."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cambist.orders.v1 import events_pb2, service_pb2
from gateway import limits
from gateway.door.calls import Call, Received
from gateway.errors import invalid, not_found, unavailable
from gateway.identity.callers import Callers
from gateway.identity.session_store import PreviousEnd, SessionStore
from gateway.sessions import messages, resume
from gateway.sessions.connection import Connection, Reason
from gateway.sessions.credit import Credit
from gateway.sessions.opening import (
    Refused,
    check_establish,
    make_terms,
    open_session,
    unknown_session,
)
from gateway.sessions.reader import Stream, read_client
from gateway.sessions.table import SessionTable
from gateway.shard.journal import ResumePointGone
from gateway.shard.outbox import Budget, Outbox, Outgoing
from gateway.shard.rows import Row
from gateway.shard.shard import Shard
from gateway.stages import GatewayStages
from runtime import logs
from runtime.clock import Clock
from runtime.errors import Unavailable, Unknown

LOGGER = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What the service stands on."""

    shards: Mapping[int, Shard]
    callers: Callers
    store: SessionStore
    table: SessionTable
    budget: Budget
    stages: GatewayStages
    clock: Clock
    in_flight_commands_max: int
    outbox_bytes_max: int


class SessionService:
    """Order sessions of this process."""

    def __init__(self, parts: SessionParts) -> None:
        self._parts = parts
        self._tasks: set[asyncio.Task[Any]] = set()

    async def negotiate(
        self, received: Received[service_pb2.NegotiateRequest], call: Call
    ) -> service_pb2.NegotiateResponse:
        """A session id for the key, by name."""
        request = received.message
        assert request is not None
        caller = call.caller
        shard = self._parts.shards.get(request.shard)
        if shard is None:
            raise invalid("shard", f"no shard {request.shard} here")
        if not 1 <= len(request.session_name) <= limits.SESSION_NAME_CHARACTERS_MAX:
            raise invalid("session_name", "not 1 to 32 characters")
        if len(request.account_ids) > limits.ACCOUNTS_MAX:
            raise invalid("account_ids", "more than 1,000")
        if shard.feed.must_bootstrap:
            raise unavailable("SHARD_UNAVAILABLE", "the shard has not been reached yet")
        for account_id in request.account_ids:
            if not caller.may_use(account_id, shard.feed.reference):
                raise not_found("UNKNOWN_ACCOUNT", f"no account {account_id}")
        accounts = sorted(set(request.account_ids)) or caller.accounts_on(shard.feed.reference)
        if not accounts:
            raise not_found("UNKNOWN_ACCOUNT", "the key has no account on this shard")
        if len(accounts) > limits.ACCOUNTS_MAX:
            raise invalid("account_ids", "the key has more than 1,000 accounts: name them")
        record = await self._parts.store.negotiate(
            caller.key_id, shard.number, request.session_name, accounts, self._parts.clock.wall_ns()
        )
        self._parts.table.end_older_versions(record.session_id, record.version)
        return service_pb2.NegotiateResponse(
            session_id=record.session_id,
            session_version=record.version,
            account_ids=record.account_ids,
        )

    async def order_entry_session(self, call: Stream) -> None:
        """One stream, from Establish to its last message."""
        try:
            connection, establish = await self._prepare(call)
        except Refused as refusal:
            await call.write(messages.terminate(refusal.reason, refusal.text, 0))
            return
        with (
            self._parts.callers.watching(call.caller, connection.key_gone),
            self._parts.table.holding(connection),
        ):
            try:
                row, event = await open_session(establish, connection)
                await self._start(call, connection, row, event)
                await self._converse(call, connection)
            except Refused as refusal:
                await call.write(messages.terminate(refusal.reason, refusal.text, 0))
            finally:
                connection.end(Reason.TERMINATE_REASON_FINISHED)
                connection.outbox.clear()

    async def _prepare(self, call: Stream) -> tuple[Connection, service_pb2.Establish]:
        """Reads Establish and checks it. Raises Refused."""
        try:
            async with asyncio.timeout(limits.FIRST_MESSAGE_SECONDS):
                received = await call.read()
        except TimeoutError as error:
            text = "no Establish came"
            raise Refused(Reason.TERMINATE_REASON_PROTOCOL_ERROR, text) from error
        request = None if received is None else received.message
        if request is None or request.WhichOneof("request") != "establish":
            raise Refused(
                Reason.TERMINATE_REASON_PROTOCOL_ERROR, "the first message must be Establish"
            )
        establish = request.establish
        check_establish(establish)
        parts = self._parts
        if parts.table.is_draining:
            raise Refused(Reason.TERMINATE_REASON_DRAINING, "this gateway stops")
        # A session id is an identity column: what does not fit it does not exist.
        if not 1 <= establish.session_id < 1 << 63:
            raise unknown_session()
        record = await parts.store.find(establish.session_id)
        if record is None or record.key_id != call.caller.key_id:
            raise unknown_session()
        if record.version != establish.session_version:
            raise unknown_session()
        shard = parts.shards.get(record.shard)
        if shard is None or not shard.is_up:
            text = "the shard has no primary now"
            raise Refused(Reason.TERMINATE_REASON_FAILOVER, text)
        if establish.resume_after_seq > shard.feed.last_seq:
            text = f"resume_after_seq is ahead of {shard.feed.last_seq}"
            raise Refused(Reason.TERMINATE_REASON_PROTOCOL_ERROR, text)
        terms = make_terms(establish, record, call.caller, shard)
        outbox = Outbox(parts.budget, parts.outbox_bytes_max, limits.OUTBOX_MESSAGES_MAX)
        credit = Credit(parts.in_flight_commands_max)
        connection = Connection(
            terms, call.caller, shard, outbox, credit, on_slow=self._remember_slow
        )
        connection.is_catching_up = connection.is_blocked = True
        return connection, establish

    async def _start(
        self, call: Stream, connection: Connection, row: Row, event: events_pb2.SessionEvent
    ) -> None:
        """Established, then what the client has missed."""

        async def write(outgoing: Outgoing) -> None:
            await self._write_one(call, connection, outgoing)

        try:
            oldest_seq = await resume.is_kept(connection, row.first_seq - 1)
            established = await self._established(connection, row, event, oldest_seq)
            response = service_pb2.OrderEntrySessionResponse(established=established)
            await write(Outgoing(response.SerializeToString()))
            if oldest_seq:
                as_of_seq = await resume.send_open_orders(connection, write, row.last_seq)
                await resume.catch_up_from(connection, write, as_of_seq)
            else:
                await resume.catch_up(connection, write, row.first_seq)
        except ResumePointGone:
            text = "the resume point is gone: establish again from 0"
            connection.end(Reason.TERMINATE_REASON_REFUSED, text)
        connection.is_catching_up = connection.is_blocked = False
        connection.heard_ns = self._parts.clock.monotonic_ns()

    async def _established(
        self,
        connection: Connection,
        row: Row,
        event: events_pb2.SessionEvent,
        oldest_seq: int,
    ) -> service_pb2.Established:
        parts = self._parts
        previous = await parts.store.take_end(subject_of(connection))
        established = service_pb2.Established(
            connection=connection.connection,
            last_order_seq_no=event.opened.last_order_seq_no,
            last_cancel_seq_no=event.opened.last_cancel_seq_no,
            max_in_flight=parts.in_flight_commands_max,
            batch_commands_max=limits.BATCH_COMMANDS_MAX,
            batch_bytes_max=limits.BATCH_BYTES_MAX,
            seq=event.seq,
            time_ns=row.time_ns,
            oldest_seq=oldest_seq,
        )
        if previous is not None:
            reason = service_pb2.TerminateReason.ValueType(previous.reason)
            end = service_pb2.Terminate(reason=reason, last_seq=previous.last_seq)
            established.previous_end.CopyFrom(end)
        return established

    async def _converse(self, call: Stream, connection: Connection) -> None:
        """Reads and writes until the last message is out or the client is gone."""
        reader = asyncio.create_task(read_client(call, connection, self._parts.stages))
        writer = asyncio.create_task(self._write_all(call, connection))
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
            if reader.done():
                # It has said its last word, or is over: what is queued still goes out.
                connection.end(Reason.TERMINATE_REASON_FINISHED)
                await writer
        finally:
            reader.cancel()
            writer.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    async def _write_all(self, call: Stream, connection: Connection) -> None:
        """The one writer of the stream."""
        take = connection.outbox.take
        while (outgoing := await take()) is not None:
            await self._write_one(call, connection, outgoing)

    async def _write_one(self, call: Stream, connection: Connection, outgoing: Outgoing) -> None:
        clock = self._parts.clock
        connection.write_started_ns = connection.queued_ns = clock.monotonic_ns()
        await call.write(outgoing.message)
        connection.write_started_ns = 0
        if outgoing.seq:
            connection.sent_seq = outgoing.seq
            if outgoing.answered and outgoing.durable_ns:
                self._parts.stages.delivered(outgoing.answered, outgoing.durable_ns)

    def _remember_slow(self, connection: Connection, last_seq: int) -> None:
        """Keeps why the connection ended, for its return on any gateway."""
        end = PreviousEnd(int(Reason.TERMINATE_REASON_SLOW_CONSUMER), last_seq)
        subject = subject_of(connection)
        LOGGER.info("slow consumer", session=connection.terms.session_id, last_seq=last_seq)

        async def remember() -> None:
            try:
                await self._parts.store.remember_end(subject, end, self._parts.clock.wall_ns())
            except (Unavailable, Unknown) as error:
                LOGGER.warning("end not remembered", subject=subject, error=str(error))

        task = asyncio.create_task(remember())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def subject_of(connection: Connection) -> str:
    """Under which name the end of a session's connection is remembered."""
    return f"session/{connection.terms.session_id}"
