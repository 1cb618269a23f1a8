"""Who hears frames of markets and balances: the hub calls subscribers after the image took a row.

A frame is copied once, however many subscribers it has.
"""

from collections.abc import Iterable
from typing import Protocol

from gateway.shard.rows import Record, Row

Topic = tuple[int, int]  # kind of frame, key


class Piece:
    """One frame of one row, on its own: it keeps nothing of the row alive."""

    __slots__ = ("key", "market_seq", "payload", "seq", "tail", "time_ns")

    def __init__(self, row: Row, record: Record) -> None:
        self.payload = row.copy(record)
        self.key = record.key
        self.seq = row.last_seq
        self.market_seq = record.last
        self.time_ns = row.time_ns
        # Encoded once by the first subscriber that sends it.
        self.tail = b""


class FrameSubscriber(Protocol):
    """Hears frames of the topics that it subscribed to."""

    def frame(self, kind: int, piece: Piece) -> None:
        """The frame of a row that the image has taken."""
        ...

    def feed_lost(self) -> None:
        """The feed does not continue what was told."""
        ...


class FrameHub:
    """Subscriptions by topic for one shard."""

    __slots__ = ("_topics",)

    def __init__(self) -> None:
        self._topics: dict[Topic, list[FrameSubscriber]] = {}

    def subscribe(self, subscriber: FrameSubscriber, topics: Iterable[Topic]) -> None:
        """The subscriber hears these topics from the next row on."""
        for topic in topics:
            self._topics.setdefault(topic, []).append(subscriber)

    def unsubscribe(self, subscriber: FrameSubscriber, topics: Iterable[Topic]) -> None:
        """It hears them no more."""
        for topic in topics:
            present = self._topics.get(topic, [])
            if subscriber in present:
                present.remove(subscriber)
            if not present:
                self._topics.pop(topic, None)

    def row_applied(self, row: Row) -> None:
        """The image stands after this row."""
        topics = self._topics
        if not topics:
            return
        for record in row.records:
            subscribers = topics.get((record.kind, record.key))
            if subscribers:
                piece = Piece(row, record)
                for subscriber in list(subscribers):
                    subscriber.frame(record.kind, piece)

    def feed_lost(self) -> None:
        """The image was dropped: every subscriber is told once."""
        everyone = {id(one): one for present in self._topics.values() for one in present}
        for subscriber in everyone.values():
            subscriber.feed_lost()
