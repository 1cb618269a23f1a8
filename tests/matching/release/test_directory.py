"""Reading and cutting event rows by their directory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.release.directory import (
    BALANCE,
    HEAD,
    LAYOUT,
    PRIVATE,
    RECORD,
    SESSION,
    STATUS,
    SYSTEM,
    Directory,
    keep,
    wanted_frames,
)
from tests.matching.projector.journal import Journal

Frames = dict[tuple[int, int], bytes]


def row_of(frames: Frames) -> bytes:
    records, body = [], b""
    for (kind, key), payload in sorted(frames.items()):
        records.append(RECORD.pack(kind, 1, key, 5, 6, len(body), len(payload)))
        body += payload
    return HEAD.pack(LAYOUT, len(records)) + b"".join(records) + body


FRAMES = st.dictionaries(
    st.tuples(st.integers(1, 9), st.integers(0, (1 << 64) - 1)), st.binary(max_size=5), max_size=20
)


@given(FRAMES)
def test_every_frame_is_found_with_its_payload(frames: Frames) -> None:
    directory = Directory(row_of(frames))
    assert directory.count == len(frames)
    for (kind, key), payload in frames.items():
        record = directory.find(kind, key)
        assert record is not None
        assert directory.payload(record) == payload


@given(FRAMES, st.integers(1, 9), st.integers(0, (1 << 64) - 1))
def test_what_is_not_there_is_not_found(frames: Frames, kind: int, key: int) -> None:
    frames.pop((kind, key), None)
    assert Directory(row_of(frames)).find(kind, key) is None


@given(FRAMES, st.lists(st.tuples(st.integers(1, 9), st.integers(0, (1 << 64) - 1))))
def test_a_cut_row_holds_what_was_wanted_and_nothing_else(
    frames: Frames, others: list[tuple[int, int]]
) -> None:
    wanted = sorted({*list(frames)[::2], *others})
    expected = {key: payload for key, payload in frames.items() if key in wanted}
    kept = keep(memoryview(row_of(frames)), wanted)
    assert kept == (row_of(expected) if expected else None)


def test_frames_of_the_highest_kinds_come_from_the_end() -> None:
    frames = {(SESSION, 1): b"a", (STATUS, 2): b"b", (STATUS, 3): b"c", (SYSTEM, 0): b"d"}
    directory = Directory(row_of(frames))
    found = [directory.payload(record) for record in directory.last_of((STATUS, SYSTEM))]
    assert found == [b"d", b"c", b"b"]


def test_wanted_frames_ascend_and_hold_sessions_private_events_and_balances() -> None:
    wanted = wanted_frames([9, 7, 9], [3])
    assert wanted == (
        (SESSION, 3),
        (PRIVATE, 7),
        (PRIVATE, 9),
        (BALANCE, 7),
        (BALANCE, 9),
    )
    assert wanted_frames([], []) == ()


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_the_engine_are_read(seed: int) -> None:
    for row in Journal(seed).play(20).rows:
        directory = Directory(row.events)
        records = [directory.record(index) for index in range(directory.count)]
        assert [(r.kind, r.key) for r in records] == sorted((r.kind, r.key) for r in records)
        whole = keep(row.events, [(record.kind, record.key) for record in records])
        assert whole in (row.events, None)
