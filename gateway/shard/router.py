"""Who hears what of a row: frames are moved by offset to sessions, drop copies and unary calls.

The event feed calls `dispatch` for every row, before anything else looks at it. Only two kinds of
frames are opened: those of sessions (one event per batch) and of the venue itself. Frames of
accounts are opened when a unary call waits for an answer in them.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from cambist.internal.journal.v1 import frames_pb2
from cambist.orders.v1 import events_pb2
from gateway.shard.rows import PRIVATE, SESSION, SYSTEM, Record, Row


class PrivateSubscriber(Protocol):
    """Hears the private events of accounts."""

    def deliver(self, row: Row, private: Sequence[memoryview]) -> None:
        """Frames of the row for its accounts; called once per row that concerns it."""
        ...


class SessionSubscriber(PrivateSubscriber, Protocol):
    """Hears the events of one session, before the private ones of the same row."""

    def session_events(
        self, row: Row, record: Record, events: Sequence[events_pb2.SessionEvent]
    ) -> None:
        """The session's frame in the row."""
        ...


class Opening(Protocol):
    """Asked for a session and waits for the engine."""

    session_id: int

    def opened(self, row: Row, event: events_pb2.SessionEvent) -> None:
        """The engine gave it the session; it adds itself to the router now."""
        ...

    def answered(self, answer: frames_pb2.SystemAnswer) -> None:
        """The engine's answer to the command; a refusal has a reason."""
        ...


class AnswerSeeker(Protocol):
    """Looks for the answers of unary calls on one account."""

    def private_frame(self, payload: memoryview, durable_ns: int) -> None:
        """The account's frame in a row that is durable since then."""
        ...


class SystemListener(Protocol):
    """Keeps reference data."""

    def system_events(self, row: Row, events: Sequence[frames_pb2.SystemEvent]) -> None:
        """The venue's own frame in a row."""
        ...


class Router:
    """Subscriptions to the private frames of one shard."""

    __slots__ = ("_accounts", "_answers", "_openings", "_seekers", "_sessions", "_system")

    def __init__(self, system: Iterable[SystemListener] = ()) -> None:
        self._accounts: dict[int, list[PrivateSubscriber]] = {}
        self._sessions: dict[int, SessionSubscriber] = {}
        self._openings: dict[int, Opening] = {}
        self._answers: dict[int, AnswerWaiter] = {}
        self._seekers: dict[int, AnswerSeeker] = {}
        self._system = tuple(system)

    def subscribe(self, subscriber: PrivateSubscriber, account_ids: Iterable[int]) -> None:
        """From the present row on the subscriber hears these accounts."""
        for account_id in account_ids:
            self._accounts.setdefault(account_id, []).append(subscriber)

    def unsubscribe(self, subscriber: PrivateSubscriber, account_ids: Iterable[int]) -> None:
        """The subscriber hears them no more."""
        for account_id in account_ids:
            present = self._accounts.get(account_id, [])
            if subscriber in present:
                present.remove(subscriber)
            if not present:
                self._accounts.pop(account_id, None)

    def session(self, session_id: int) -> SessionSubscriber | None:
        """Who holds the session in this process."""
        return self._sessions.get(session_id)

    def add_session(self, session_id: int, subscriber: SessionSubscriber) -> None:
        """The subscriber hears the session's frames."""
        self._sessions[session_id] = subscriber

    def remove_session(self, session_id: int, subscriber: SessionSubscriber) -> None:
        """It hears them no more, unless another took its place already."""
        if self._sessions.get(session_id) is subscriber:
            del self._sessions[session_id]

    def sessions(self) -> list[SessionSubscriber]:
        """All that hold a session here."""
        return list(self._sessions.values())

    def expect(self, correlation: int, opening: Opening) -> None:
        """The opening hears what becomes of the command with this correlation."""
        self._openings[correlation] = opening

    def forget(self, correlation: int) -> None:
        """Nobody waits for this correlation any more."""
        self._openings.pop(correlation, None)
        self._answers.pop(correlation, None)

    def forget_openings(self) -> None:
        """The link broke: what was asked over it is answered by nobody."""
        self._openings.clear()
        self._answers.clear()

    def expect_answer(self, correlation: int, waiter: "AnswerWaiter") -> None:
        """The waiter hears a system answer with this correlation."""
        self._answers[correlation] = waiter

    def seek(self, account_id: int, seeker: AnswerSeeker) -> None:
        """The seeker is shown the account's frames."""
        self._seekers[account_id] = seeker

    def stop_seeking(self, account_id: int) -> None:
        """No call waits on the account."""
        self._seekers.pop(account_id, None)

    def dispatch(self, row: Row) -> None:
        """Moves the frames of one row."""
        touched: dict[PrivateSubscriber, list[memoryview]] = {}
        accounts, seekers = self._accounts, self._seekers
        for record in row.records:
            kind = record.kind
            if kind == PRIVATE:
                subscribers = accounts.get(record.key)
                if subscribers:
                    payload = row.payload(record)
                    for subscriber in subscribers:
                        frames = touched.get(subscriber)
                        if frames is None:
                            touched[subscriber] = [payload]
                        else:
                            frames.append(payload)
                if record.key in seekers:
                    seekers[record.key].private_frame(row.payload(record), row.durable_ns)
            elif kind == SESSION:
                holder = self._session_frame(row, record)
                if holder is not None:
                    touched[holder] = []
            elif kind == SYSTEM:
                self._system_frame(row, record)
        for subscriber, frames in touched.items():
            subscriber.deliver(row, frames)

    def _session_frame(self, row: Row, record: Record) -> SessionSubscriber | None:
        """Opens a session's frame when somebody here cares."""
        holder = self._sessions.get(record.key)
        if holder is None and not self._openings:
            return None
        events = events_pb2.SessionEvents.FromString(row.copy(record)).events
        for event in events:
            if event.HasField("opened"):
                opening = self._openings.pop(event.opened.correlation, None)
                if opening is not None and opening.session_id == record.key:
                    if holder is not None:
                        holder.session_events(row, record, events)
                    opening.opened(row, event)
                    # The frame went to the older connection: it tells it of the take-over.
                    return None
        if holder is not None:
            holder.session_events(row, record, events)
        return holder

    def _system_frame(self, row: Row, record: Record) -> None:
        events = frames_pb2.SystemEvents.FromString(row.copy(record)).events
        for event in events:
            if event.HasField("answer"):
                correlation = event.answer.correlation
                opening = self._openings.get(correlation)
                if opening is not None and event.answer.reason:
                    del self._openings[correlation]
                    opening.answered(event.answer)
                waiter = self._answers.pop(correlation, None)
                if waiter is not None:
                    waiter.system_answer(event.answer)
        for listener in self._system:
            listener.system_events(row, events)


class AnswerWaiter(Protocol):
    """Waits for a system answer."""

    def system_answer(self, answer: frames_pb2.SystemAnswer) -> None:
        """It came."""
        ...
