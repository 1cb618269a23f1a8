"""Batches of one session that matching has not answered, and the credit they use.

Pure. The engine answers batches of a class in the order they were sent; a refusal by matching
(malformed) comes on another way and may overtake or be overtaken.
"""

from collections import deque
from dataclasses import dataclass, field

from cambist.orders.v1 import enums_pb2, events_pb2

ORDER = enums_pb2.COMMAND_CLASS_ORDER
CANCEL = enums_pb2.COMMAND_CLASS_CANCEL
GUESSES_KEPT = 64


@dataclass(frozen=True, slots=True)
class Sent:
    """One batch on its way."""

    ticket: int
    command_class: enums_pb2.CommandClass.ValueType
    first_seq_no: int
    count: int


@dataclass(slots=True)
class Credit:
    """Counts commands that are unanswered."""

    maximum: int
    in_flight: int = 0
    _sent: dict[int, deque[Sent]] = field(
        default_factory=lambda: {int(ORDER): deque(), int(CANCEL): deque()}
    )

    # Batches that the answer to a gap, which names no batch, was taken to mean.
    _guessed: deque[Sent] = field(default_factory=lambda: deque(maxlen=GUESSES_KEPT))

    @property
    def remaining(self) -> int:
        """Commands that may still be sent."""
        return max(0, self.maximum - self.in_flight)

    def add(self, sent: Sent) -> None:
        """A batch was sent."""
        self._sent[sent.command_class].append(sent)
        self.in_flight += sent.count

    def settle(self, event: events_pb2.SessionEvent) -> None:
        """An event of the session: a batch was applied, or was not."""
        if event.HasField("applied"):
            applied = event.applied
            batches = self._sent.get(applied.command_class)
            if not batches:
                return
            for sent in batches:
                if sent.first_seq_no == applied.first_seq_no and sent.count == applied.count:
                    batches.remove(sent)
                    self.in_flight -= sent.count
                    return
        elif event.HasField("not_applied"):
            self._drop_oldest(event.not_applied.command_class)

    def refuse(self, ticket: int) -> Sent | None:
        """Matching refused the batch with this ticket; what it was."""
        for batches in self._sent.values():
            for sent in batches:
                if sent.ticket == ticket:
                    batches.remove(sent)
                    self.in_flight -= sent.count
                    return sent
        for sent in self._guessed:
            if sent.ticket == ticket:
                # The answer to a later gap was taken for its own: that one is settled too.
                self._drop_oldest(sent.command_class)
                return sent
        return None

    def _drop_oldest(self, command_class: int) -> None:
        batches = self._sent.get(command_class)
        if batches:
            sent = batches.popleft()
            self.in_flight -= sent.count
            self._guessed.append(sent)
