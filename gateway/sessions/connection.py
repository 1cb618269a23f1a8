"""One connection of one session: what it has sent, what waits for it, how it ends.

The router delivers frames, the client's reader adds batches, one writer task empties the outbox.
It never waits and never opens a private frame.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import events_pb2, service_pb2
from gateway.identity.keys import Caller
from gateway.sessions import messages
from gateway.sessions.credit import Credit
from gateway.shard.envelopes import session_ended, session_lost
from gateway.shard.outbox import Outbox, Outgoing
from gateway.shard.rows import Record, Row
from gateway.shard.shard import Shard
from runtime.order_traces import Numbered

Reason = service_pb2.TerminateReason
ReasonValue: TypeAlias = service_pb2.TerminateReason.ValueType


@dataclass(frozen=True, slots=True)
class ConnectionTerms:
    """What was agreed at Establish."""

    session_id: int
    session_version: int
    account_ids: tuple[int, ...]
    keep_alive_ns: int
    resume_after_seq: int
    # Private events are wanted too.
    is_private: bool


class Connection:
    """A live connection; `end` is the only way out and acts once."""

    def __init__(
        self,
        terms: ConnectionTerms,
        caller: Caller,
        shard: Shard,
        outbox: Outbox,
        credit: Credit,
        *,
        on_slow: Callable[["Connection", int], None],
    ) -> None:
        self.terms = terms
        self.caller = caller
        self.shard = shard
        self.outbox = outbox
        self.credit = credit
        self._on_slow = on_slow
        self.connection = 0
        self.last_order_seq_no = 0
        self.last_cancel_seq_no = 0
        # Sequence of the newest row queued, and of the newest one handed to gRPC.
        self.queued_seq = terms.resume_after_seq
        self.sent_seq = terms.resume_after_seq
        # Rows are being read from ring or journal; live ones may be dropped meanwhile.
        self.is_catching_up = False
        self.has_missed = False
        # The reader waits for matching, not for the client.
        self.is_blocked = False
        self.heard_ns = shard.clock.monotonic_ns()
        self.queued_ns = self.heard_ns
        self.write_started_ns = 0
        self.ended: asyncio.Future[ReasonValue] = asyncio.get_running_loop().create_future()
        self._frame: memoryview | None = None
        self._answered: list[Numbered] = []

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ended.done()

    def attach(self, row: Row, event: events_pb2.SessionEvent) -> None:
        """The engine gave it the session: from this row on it hears it."""
        self.connection = event.connection
        if not self.terms.resume_after_seq:
            self.queued_seq = self.sent_seq = row.first_seq - 1
        self.last_order_seq_no = event.opened.last_order_seq_no
        self.last_cancel_seq_no = event.opened.last_cancel_seq_no
        router = self.shard.feed.router
        router.add_session(self.terms.session_id, self)
        if self.terms.is_private:
            router.subscribe(self, self.terms.account_ids)

    def session_events(
        self, row: Row, record: Record, events: Sequence[events_pb2.SessionEvent]
    ) -> None:
        """Frees credit, notices what ends the connection; the frame goes out with `deliver`."""
        self._frame = row.payload(record)
        if record.first or record.last:
            self.last_order_seq_no, self.last_cancel_seq_no = record.first, record.last
        for event in events:
            if event.connection != self.connection:
                if event.HasField("opened"):
                    self.deliver(row, ())
                    self.end(Reason.TERMINATE_REASON_TAKEN_OVER, is_lost=False)
                    return
                continue
            self.credit.settle(event)
            if event.HasField("applied"):
                self._answered.append(self._numbered(event.applied))
            elif event.HasField("over"):
                self.deliver(row, ())
                self.end(Reason.TERMINATE_REASON_SESSION_OVER, is_lost=False)
                return
            elif event.HasField("dropped"):
                self.deliver(row, ())
                self.end(Reason.TERMINATE_REASON_FAILOVER, "the link was lost", is_lost=False)
                return

    def _numbered(self, applied: events_pb2.BatchApplied) -> Numbered:
        return Numbered(
            self.terms.session_id, applied.command_class, applied.first_seq_no, applied.count
        )

    def deliver(self, row: Row, private: Sequence[memoryview]) -> None:
        """Queues the row's frames. A client that is too far behind is ended."""
        frame, self._frame = self._frame, None
        answered, self._answered = tuple(self._answered), []
        if self.ended.done() or self.has_missed:
            return
        message = messages.event_batch(
            row,
            frame if frame is not None else b"",
            private,
            (self.last_order_seq_no, self.last_cancel_seq_no),
            self.credit.remaining,
        )
        if self.outbox.put(Outgoing(message, row.last_seq, row.durable_ns, answered)):
            self.queued_seq = row.last_seq
            return
        if self.is_catching_up:
            self.outbox.clear()
            self.has_missed = True
        else:
            self.end(Reason.TERMINATE_REASON_SLOW_CONSUMER)

    def put(self, message: bytes) -> None:
        """Queues a message that is no event; a client that does not read is ended."""
        if not self.outbox.put(Outgoing(message)) and not self.is_catching_up:
            self.end(Reason.TERMINATE_REASON_SLOW_CONSUMER)
        self.queued_ns = self.shard.clock.monotonic_ns()

    def refused(self, number: int, refusal: matching_pb2.Refused) -> None:
        """Matching found a batch malformed."""
        sent = self.credit.refuse(number)
        if sent is not None and not self.is_over:
            self.put(
                messages.batch_malformed(sent.command_class, sent.first_seq_no, sent.count, refusal)
            )

    def not_sent(self, number: int) -> None:
        """The link broke first; the end of the connection says it all."""

    def end(
        self,
        reason: ReasonValue,
        text: str = "",
        *,
        is_lost: bool = True,
        is_forgotten: bool = False,
        by_client: bool = False,
    ) -> None:
        """Ends the connection: last message, subscriptions, memory, the engine's knowledge.

        `is_lost`: the engine is told that the connection was lost; `is_forgotten`: that the
        session is over; `by_client`: that its client said so.
        """
        if self.ended.done():
            return
        self.ended.set_result(reason)
        router = self.shard.feed.router
        router.remove_session(self.terms.session_id, self)
        if self.terms.is_private:
            router.unsubscribe(self, self.terms.account_ids)
        is_slow = reason == Reason.TERMINATE_REASON_SLOW_CONSUMER
        last_seq = self.sent_seq if is_slow else self.queued_seq
        last = Outgoing(messages.terminate(reason, text, last_seq))
        self.outbox.close(last, drop_waiting=is_slow)
        if is_slow:
            self._on_slow(self, last_seq)
        if self.connection and is_forgotten:
            ended_by = self.connection if by_client else 0
            self.shard.post_system(session_ended(self.terms.session_id, ended_by))
        elif self.connection and is_lost:
            lost = session_lost(self.terms.session_id, self.connection, by_client=by_client)
            self.shard.post_system(lost)

    def key_gone(self, reason: str) -> None:
        """The key was revoked, has expired, or was changed."""
        if reason == "KEY_CHANGED":
            self.end(Reason.TERMINATE_REASON_REFUSED, "the key was changed: negotiate again")
        else:
            self.end(Reason.TERMINATE_REASON_KEY_REVOKED, reason, is_forgotten=True)
