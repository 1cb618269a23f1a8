"""Numbers and credit of one session: which batch may go out next, what the venue has taken.

Pure. The two classes have numbers of their own. Entries get their number when they are queued, so
that a cancel can name an order that still waits here. What the venue did not take goes out again
with the same numbers, once all batches on the wire have been answered.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from cambist.client import limits
from cambist.client.enums import CommandClass


class Numbered(Protocol):
    """What stands in a lane: one command, or a batch that stays whole."""

    # How often it has gone out.
    sends: int

    @property
    def count(self) -> int:
        """Commands in it."""
        ...


Entry = TypeVar("Entry", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Outgoing(Generic[Entry]):
    """A batch that may go out now."""

    command_class: CommandClass
    first_seq_no: int
    entries: list[Entry]


@dataclass(slots=True)
class Lane(Generic[Entry]):
    """One class: entries that the engine has not taken, in order."""

    command_class: CommandClass
    # Number of the first entry below.
    first_seq_no: int = 1
    sent: deque[Entry] = field(default_factory=deque)
    waiting: deque[Entry] = field(default_factory=deque)
    sent_commands: int = 0
    waiting_commands: int = 0
    # Batches on the wire without an answer of any kind.
    unanswered_batches: int = 0
    # A batch was not taken: nothing goes out until the wire is empty.
    is_rewinding: bool = False
    # Nothing goes out before this monotonic time (the venue asked for it).
    not_before_ns: int = 0

    @property
    def next_seq_no(self) -> int:
        """Number that the next queued command gets."""
        return self.first_seq_no + self.sent_commands + self.waiting_commands

    def queue(self, entry: Entry) -> int:
        """Puts an entry at the end; its first number."""
        seq_no = self.next_seq_no
        self.waiting.append(entry)
        self.waiting_commands += entry.count
        return seq_no

    def take(self, commands: int) -> tuple[int, list[Entry]]:
        """Moves at most so many commands to the wire; an entry is never split."""
        first_seq_no = self.first_seq_no + self.sent_commands
        taken: list[Entry] = []
        while self.waiting and self.waiting[0].count <= commands:
            entry = self.waiting.popleft()
            commands -= entry.count
            self.waiting_commands -= entry.count
            self.sent_commands += entry.count
            entry.sends += 1
            self.sent.append(entry)
            taken.append(entry)
        if taken:
            self.unanswered_batches += 1
        return first_seq_no, taken

    def taken_up_to(self, seq_no: int) -> Iterator[Entry]:
        """The engine has everything up to this number; what left the lane thereby."""
        while self.sent and self.first_seq_no + self.sent[0].count - 1 <= seq_no:
            entry = self.sent.popleft()
            self.first_seq_no += entry.count
            self.sent_commands -= entry.count
            yield entry

    def answered(self, *, rewind: bool) -> None:
        """A batch on the wire was answered; with `rewind` it was not taken."""
        self.unanswered_batches = max(0, self.unanswered_batches - 1)
        self.is_rewinding = self.is_rewinding or rewind
        if self.is_rewinding and not self.unanswered_batches:
            self.rewind()

    def rewind(self) -> None:
        """All that was sent and not taken goes out again."""
        self.waiting.extendleft(reversed(self.sent))
        self.waiting_commands += self.sent_commands
        self.sent.clear()
        self.sent_commands = 0
        self.unanswered_batches = 0
        self.is_rewinding = False

    def remove(self, first_seq_no: int, index: int) -> Entry | None:
        """Takes the entry away that holds command `index` of a batch; later numbers move down."""
        seq_no = self.first_seq_no
        for queue in (self.sent, self.waiting):
            for position, entry in enumerate(queue):
                if seq_no <= first_seq_no + index < seq_no + entry.count:
                    del queue[position]
                    if queue is self.sent:
                        self.sent_commands -= entry.count
                    else:
                        self.waiting_commands -= entry.count
                    return entry
                seq_no += entry.count
        return None

    def entries(self) -> Iterator[Entry]:
        """All entries, in order."""
        yield from self.sent
        yield from self.waiting


class Lanes(Generic[Entry]):
    """Both classes of one session and the credit they share."""

    def __init__(self, *, batch_commands: int) -> None:
        self.order: Lane[Entry] = Lane(CommandClass.ORDER)
        self.cancel: Lane[Entry] = Lane(CommandClass.CANCEL)
        self.batch_commands = batch_commands
        self.max_in_flight = 0
        self.is_open = False

    def lane(self, command_class: int) -> Lane[Entry]:
        """The lane of a class."""
        return self.cancel if command_class == CommandClass.CANCEL else self.order

    @property
    def in_flight(self) -> int:
        """Commands on the wire that count against the venue's credit."""
        return self.order.sent_commands + self.cancel.sent_commands

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is on the wire."""
        lanes = self.order, self.cancel
        return not any(lane.sent_commands or lane.waiting_commands for lane in lanes)

    def opened(self, last_order_seq_no: int, last_cancel_seq_no: int) -> "Opened[Entry]":
        """The venue says what it has taken; everything else goes out again."""
        taken: list[Entry] = []
        shifts: dict[CommandClass, int] = {}
        for lane, last in ((self.order, last_order_seq_no), (self.cancel, last_cancel_seq_no)):
            lane.not_before_ns = 0
            sent_up_to = lane.first_seq_no + lane.sent_commands - 1
            if lane.first_seq_no - 1 <= last <= sent_up_to:
                taken.extend(lane.taken_up_to(last))
            lane.rewind()
            shift = last + 1 - lane.first_seq_no
            if shift:
                # The engine's numbers are not ours: a new session, or one that was forgotten.
                shifts[lane.command_class] = shift
                lane.first_seq_no = last + 1
        return Opened(taken, shifts)

    def closed(self) -> None:
        """The connection is gone: nothing goes out before the next `opened`."""
        self.is_open = False

    def next_batch(self, now_ns: int) -> Outgoing[Entry] | None:
        """What goes out next, cancels first; None when nothing may."""
        if not self.is_open:
            return None
        for lane in (self.cancel, self.order):
            if not lane.waiting or lane.is_rewinding or now_ns < lane.not_before_ns:
                continue
            room = self.max_in_flight - self.in_flight
            if lane is self.order:
                room -= self.max_in_flight // limits.CANCEL_CREDIT_SHARE
            first_seq_no, entries = lane.take(min(room, self.batch_commands))
            if entries:
                return Outgoing(lane.command_class, first_seq_no, entries)
        return None

    def waits_until_ns(self) -> int:
        """Earliest monotonic time at which a lane held back by the venue may go on; 0 = none."""
        times = [lane.not_before_ns for lane in (self.order, self.cancel) if lane.waiting]
        return min((time for time in times if time), default=0)


@dataclass(frozen=True, slots=True)
class Opened(Generic[Entry]):
    """What an establishing changed."""

    # Entries that the engine had taken already.
    taken: list[Entry]
    # By how much the numbers of a class moved.
    shifts: dict[CommandClass, int]
