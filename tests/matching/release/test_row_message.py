"""Rows as messages: encoded once, joined by laying them end to end."""

from hypothesis import given
from hypothesis import strategies as st

from cambist.internal.matching.v1 import matching_pb2
from matching.release.directory import PRIVATE, wanted_frames
from matching.release.row_message import RowMessage, RowTimes, encode, filtered
from tests.matching.projector.journal import ACCOUNTS, Journal

TIMES = RowTimes(1_700_000_000_000_000_000, 1, 2)


@given(
    st.integers(1, 1 << 62),
    st.integers(0, 10_000),
    st.binary(max_size=300),
    st.integers(0, 1 << 62),
    st.integers(0, 1 << 62),
)
def test_it_is_the_message_that_protobuf_makes(
    first_seq: int, count: int, events: bytes, matched_ns: int, durable_ns: int
) -> None:
    row = encode(first_seq, first_seq + count, events, RowTimes(7, matched_ns, durable_ns))
    (decoded,) = matching_pb2.StreamEventsResponse.FromString(row.message).rows
    assert decoded == matching_pb2.EventRow(
        first_seq=first_seq,
        last_seq=first_seq + count,
        time_ns=7,
        events=events,
        matched_ns=matched_ns,
        durable_ns=durable_ns,
    )
    assert bytes(row.events) == events


def rows_of(journal: Journal) -> list[RowMessage]:
    return [encode(row.first_seq, row.last_seq, row.events, TIMES) for row in journal.rows]


def test_messages_end_to_end_are_one_message_with_all_rows() -> None:
    rows = rows_of(Journal(1).play(10))
    joined = matching_pb2.StreamEventsResponse.FromString(b"".join(row.message for row in rows))
    assert [row.first_seq for row in joined.rows] == [row.first_seq for row in rows]


def test_a_filtered_row_keeps_its_numbers_and_times() -> None:
    rows = rows_of(Journal(2).play(30))
    wanted = wanted_frames([ACCOUNTS[0]], [])
    kept = [message for row in rows if (message := filtered(row, wanted)) is not None]
    assert 0 < len(kept) < len(rows)
    for message in kept:
        (row,) = matching_pb2.StreamEventsResponse.FromString(message).rows
        assert (row.time_ns, row.matched_ns, row.durable_ns) == (TIMES.time_ns, 1, 2)
        assert row.last_seq >= row.first_seq > 0
        assert row.events[8] == PRIVATE or row.events[4] > 0


def test_without_a_filter_the_row_is_not_touched() -> None:
    (row, *_) = rows_of(Journal(3))
    assert filtered(row, ()) is row.message
