"""Rows of the event journal as they arrive: bytes and a directory, frames unopened.

Made by the event feed, read by the router, the ring and the image. The layout is that of
docs/semantics.md §2.
"""

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from cambist.internal.journal.v1 import frames_pb2
from cambist.internal.matching.v1 import matching_pb2
from gateway import wire

HEAD: Final = struct.Struct("<II")
RECORD: Final = struct.Struct("<B3xIQQQII")
LAYOUT: Final = 1
ROWS_FIELD: Final = matching_pb2.StreamEventsResponse.ROWS_FIELD_NUMBER
EVENTS_FIELD: Final = matching_pb2.EventRow.EVENTS_FIELD_NUMBER
FIELD_MAX: Final = 15

SESSION: Final = int(frames_pb2.FRAME_KIND_SESSION)
PRIVATE: Final = int(frames_pb2.FRAME_KIND_PRIVATE)
BALANCE: Final = int(frames_pb2.FRAME_KIND_BALANCE)
L3: Final = int(frames_pb2.FRAME_KIND_L3)
TRADES: Final = int(frames_pb2.FRAME_KIND_TRADES)
L2: Final = int(frames_pb2.FRAME_KIND_L2)
BBO: Final = int(frames_pb2.FRAME_KIND_BBO)
STATUS: Final = int(frames_pb2.FRAME_KIND_STATUS)
SYSTEM: Final = int(frames_pb2.FRAME_KIND_SYSTEM)


class Record(NamedTuple):
    """One frame of a row: what it is and where its payload lies."""

    kind: int
    events: int
    key: int
    first: int
    last: int
    offset: int
    length: int


class BrokenRow(Exception):
    """A row whose layout is not what this build reads; the feed is opened anew."""


@dataclass(slots=True, eq=False)
class Row:
    """One committed row; nothing in it changes."""

    first_seq: int
    last_seq: int
    time_ns: int
    matched_ns: int
    durable_ns: int
    events: bytes
    payloads_start: int
    _records: tuple[Record, ...] | None

    @property
    def records(self) -> tuple[Record, ...]:
        """Its frames, ascending by (kind, key)."""
        return read_directory(self.events) if self._records is None else self._records

    def store(self) -> None:
        """It is only kept for resumes now: what can be read again from its bytes is dropped.

        Many small objects of many rows would be looked at by every garbage collection.
        """
        self._records = None

    def payload(self, record: Record) -> memoryview:
        """The bytes of a frame, not copied: whoever keeps them copies them."""
        start = self.payloads_start + record.offset
        return memoryview(self.events)[start : start + record.length]

    def copy(self, record: Record) -> bytes:
        """The bytes of a frame, for a frame that is opened."""
        start = self.payloads_start + record.offset
        return self.events[start : start + record.length]


def read_directory(events: bytes) -> tuple[Record, ...]:
    """The records of a row; raises BrokenRow."""
    if len(events) < HEAD.size:
        raise BrokenRow("a row without a head")
    layout, count = HEAD.unpack_from(events)
    end = HEAD.size + count * RECORD.size
    if layout != LAYOUT or end > len(events):
        raise BrokenRow(f"layout {layout} with {count} frames in {len(events)} bytes")
    directory = memoryview(events)[HEAD.size : end]
    return tuple(map(Record._make, RECORD.iter_unpack(directory)))


def read_rows(response: bytes) -> list[Row]:
    """The rows of a StreamEventsResponse, each copied once. Raises BrokenRow."""
    rows = wire.split(response, ROWS_FIELD)
    if rows is None:
        raise BrokenRow("a message that holds something else than rows")
    return [read_row(row) for row in rows]


def read_row(message: memoryview) -> Row:
    """A row from an EventRow of matching's; raises BrokenRow."""
    numbers = [0] * (FIELD_MAX + 1)
    events = b""
    try:
        for number, value in wire.fields(message):
            if isinstance(value, int):
                numbers[number] = value
            elif number == EVENTS_FIELD:
                events = bytes(value)
    except wire.NotWire as error:
        raise BrokenRow("a row that is not protobuf") from error
    records = read_directory(events)
    payloads_start = HEAD.size + len(records) * RECORD.size
    if records and payloads_start + records[-1].offset + records[-1].length != len(events):
        raise BrokenRow("payloads do not end with the row")
    return Row(
        numbers[1], numbers[2], numbers[3], numbers[5], numbers[6], events, payloads_start, records
    )
