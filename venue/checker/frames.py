"""Cuts an event row into its frames by the directory of docs/semantics.md §2."""

import struct
from dataclasses import dataclass
from typing import Final

from cambist.internal.journal.v1 import frames_pb2

SESSION: Final = int(frames_pb2.FRAME_KIND_SESSION)
PRIVATE: Final = int(frames_pb2.FRAME_KIND_PRIVATE)
BALANCE: Final = int(frames_pb2.FRAME_KIND_BALANCE)
L3: Final = int(frames_pb2.FRAME_KIND_L3)
TRADES: Final = int(frames_pb2.FRAME_KIND_TRADES)
SYSTEM: Final = int(frames_pb2.FRAME_KIND_SYSTEM)
KIND_MAX: Final = 9
_LAYOUT: Final = 1
_HEAD: Final = struct.Struct("<II")
RECORD: Final = struct.Struct("<B3sIQQQII")


class MalformedRow(Exception):
    """The directory does not describe the row."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: what it is, and its payload."""

    kind: int
    events: int
    key: int
    first: int
    last: int
    payload: bytes


def split(row: bytes) -> list[Frame]:
    """The frames of a row in their order; raises MalformedRow that says why."""
    if len(row) < _HEAD.size:
        raise MalformedRow(f"{len(row)} bytes")
    layout, count = _HEAD.unpack_from(row)
    start = _HEAD.size + count * RECORD.size
    if layout != _LAYOUT or start > len(row):
        raise MalformedRow(f"layout {layout}, {count} frames in {len(row)} bytes")
    frames: list[Frame] = []
    end, place = 0, (0, 0)
    for index in range(count):
        values = RECORD.unpack_from(row, _HEAD.size + index * RECORD.size)
        kind, _, events, key, first, last, offset, length = values
        if offset != end or not 1 <= kind <= KIND_MAX or (kind, key) <= place:
            raise MalformedRow(f"record {index}: kind {kind}, key {key}, offset {offset}")
        end, place = offset + length, (kind, key)
        payload = row[start + offset : start + end]
        frames.append(Frame(kind, events, key, first, last, payload))
    if start + end != len(row):
        raise MalformedRow(f"{start + end} bytes described, {len(row)} there")
    return frames


def join(frames: list[Frame]) -> bytes:
    """The row of these frames: the reverse of `split`."""
    records, payloads, offset = [], [], 0
    for frame in frames:
        length = len(frame.payload)
        records.append(
            RECORD.pack(
                frame.kind,
                bytes(3),
                frame.events,
                frame.key,
                frame.first,
                frame.last,
                offset,
                length,
            )
        )
        payloads.append(frame.payload)
        offset += length
    return b"".join((_HEAD.pack(_LAYOUT, len(frames)), *records, *payloads))
