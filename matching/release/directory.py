"""The directory of an event row: which frames it holds and where. Pure; layout of semantics §2."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from cambist.internal.journal.v1 import frames_pb2

HEAD: Final = struct.Struct("<II")
RECORD: Final = struct.Struct("<B3xIQQQII")
KEY: Final = struct.Struct("<B7xQ")
LAYOUT: Final = 1

SESSION: Final = int(frames_pb2.FRAME_KIND_SESSION)
PRIVATE: Final = int(frames_pb2.FRAME_KIND_PRIVATE)
BALANCE: Final = int(frames_pb2.FRAME_KIND_BALANCE)
STATUS: Final = int(frames_pb2.FRAME_KIND_STATUS)
SYSTEM: Final = int(frames_pb2.FRAME_KIND_SYSTEM)

Buffer = bytes | memoryview


class Record(NamedTuple):
    """One frame of a row."""

    kind: int
    events: int
    key: int
    first: int
    last: int
    offset: int
    length: int


class Directory:
    """Reads the frames of one row without opening them."""

    __slots__ = ("_row", "_start", "count")

    def __init__(self, row: Buffer) -> None:
        _, self.count = HEAD.unpack_from(row)
        self._row = row
        self._start = HEAD.size + self.count * RECORD.size

    def record(self, index: int) -> Record:
        """The record at `index`; they ascend by (kind, key)."""
        return Record._make(RECORD.unpack_from(self._row, HEAD.size + index * RECORD.size))

    def find(self, kind: int, key: int) -> Record | None:
        """The frame of a kind and key, None when the row has none."""
        low, high = 0, self.count
        wanted = (kind, key)
        while low < high:
            middle = (low + high) // 2
            if KEY.unpack_from(self._row, HEAD.size + middle * RECORD.size) < wanted:
                low = middle + 1
            else:
                high = middle
        if low == self.count:
            return None
        record = self.record(low)
        return record if (record.kind, record.key) == wanted else None

    def last_of(self, kinds: Sequence[int]) -> Iterator[Record]:
        """Frames of these kinds; cheap for the highest kinds, which stand at the end."""
        for index in range(self.count - 1, -1, -1):
            record = self.record(index)
            if record.kind < min(kinds):
                return
            if record.kind in kinds:
                yield record

    def payload(self, record: Record) -> bytes:
        """The bytes of a frame."""
        start = self._start + record.offset
        return bytes(self._row[start : start + record.length])


def keep(row: Buffer, wanted: Iterable[tuple[int, int]]) -> bytes | None:
    """The row with the frames of these (kind, key) only; None when there are none.

    `wanted` ascends.
    """
    directory = Directory(row)
    records, payloads, offset = [], [], 0
    for kind, key in wanted:
        record = directory.find(kind, key)
        if record is None:
            continue
        payload = directory.payload(record)
        records.append(RECORD.pack(*record._replace(offset=offset)))
        payloads.append(payload)
        offset += len(payload)
    if not records:
        return None
    return b"".join((HEAD.pack(LAYOUT, len(records)), *records, *payloads))


def wanted_frames(
    account_ids: Iterable[int], session_ids: Iterable[int]
) -> tuple[tuple[int, int], ...]:
    """Frames of accounts and sessions, ascending, as `keep` takes them."""
    accounts = sorted(set(account_ids))
    return (
        *((SESSION, session_id) for session_id in sorted(set(session_ids))),
        *((PRIVATE, account_id) for account_id in accounts),
        *((BALANCE, account_id) for account_id in accounts),
    )
