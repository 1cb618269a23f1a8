"""The layout of an event row: a directory of frames, then their payloads.

Used by `image` and by whoever routes frames by offset. It never decodes a payload.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from cambist.feed.errors import FeedBroken

LAYOUT = 1
HEAD = struct.Struct("<II")
RECORD = struct.Struct("<B3sIQQQII")
KIND_MAX = 9


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its record and its payload, a container message."""

    kind: int
    events: int
    key: int
    first: int
    last: int
    payload: bytes


def frames(row: bytes) -> list[Frame]:
    """The frames of a row, ascending by (kind, key).

    Raises FeedBroken(MALFORMED) unless the layout is whole.
    """
    if len(row) < HEAD.size:
        raise FeedBroken("MALFORMED")
    layout, count = HEAD.unpack_from(row)
    payloads_start = HEAD.size + count * RECORD.size
    if layout != LAYOUT or payloads_start > len(row):
        raise FeedBroken("MALFORMED")
    found = list(_frames(row, count, payloads_start))
    places = [(frame.kind, frame.key) for frame in found]
    ascending = all(a < b for a, b in pairwise(places))
    if not ascending or payloads_start + sum(len(frame.payload) for frame in found) != len(row):
        raise FeedBroken("MALFORMED")
    return found


def _frames(row: bytes, count: int, payloads_start: int) -> Iterator[Frame]:
    end = 0
    for position in range(HEAD.size, HEAD.size + count * RECORD.size, RECORD.size):
        kind, padding, events, key, first, last, offset, length = RECORD.unpack_from(row, position)
        if not 1 <= kind <= KIND_MAX or padding != bytes(3) or offset != end:
            raise FeedBroken("MALFORMED")
        end = offset + length
        start = payloads_start + offset
        if start + length > len(row):
            raise FeedBroken("MALFORMED")
        yield Frame(kind, events, key, first, last, row[start : start + length])
