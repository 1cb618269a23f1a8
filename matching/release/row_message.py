"""A released row as the bytes that streams send: encoded once, whoever reads it.

Messages with one row each, one after the other, are a message with several rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cambist.internal.matching.v1 import matching_pb2
from matching.release.directory import keep
from runtime.varint import varint

# Field 1 of StreamEventsResponse and field 4 of EventRow, length-delimited.
ROW_TAG: Final = b"\x0a"
EVENTS_TAG: Final = b"\x22"


@dataclass(frozen=True, slots=True)
class RowMessage:
    """A StreamEventsResponse with one row, and where the event row's bytes lie in it."""

    first_seq: int
    last_seq: int
    message: bytes = field(repr=False)
    events_start: int
    events_end: int

    @property
    def events(self) -> memoryview:
        """The event row, not copied."""
        return memoryview(self.message)[self.events_start : self.events_end]


@dataclass(frozen=True, slots=True)
class RowTimes:
    """Engine time of a row, and when this process matched and committed it; 0 = replayed."""

    time_ns: int
    matched_ns: int = 0
    durable_ns: int = 0


def encode(first_seq: int, last_seq: int, events: bytes, times: RowTimes) -> RowMessage:
    """The message of a row."""
    head = matching_pb2.EventRow(
        first_seq=first_seq, last_seq=last_seq, time_ns=times.time_ns
    ).SerializeToString()
    tail = matching_pb2.EventRow(
        matched_ns=times.matched_ns, durable_ns=times.durable_ns
    ).SerializeToString()
    length = varint(len(events))
    row_bytes = len(head) + len(EVENTS_TAG) + len(length) + len(events) + len(tail)
    row_length = varint(row_bytes)
    message = b"".join((ROW_TAG, row_length, head, EVENTS_TAG, length, events, tail))
    end = len(message) - len(tail)
    return RowMessage(first_seq, last_seq, message, end - len(events), end)


def filtered(row: RowMessage, wanted: Sequence[tuple[int, int]]) -> bytes | None:
    """The message with these frames only (all, when none are named); None when none is left."""
    if not wanted:
        return row.message
    kept = keep(row.events, wanted)
    if kept is None:
        return None
    message = matching_pb2.StreamEventsResponse.FromString(row.message)
    message.rows[0].events = kept
    return message.SerializeToString()
