"""Messages by hand and rows of events: bytes in, bytes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.internal.matching.v1 import matching_pb2
from cambist.market_data.v1 import events_pb2 as market_events_pb2
from cambist.orders.v1 import enums_pb2, service_pb2
from gateway import wire
from gateway.market_data.subscription import split_pages
from gateway.sessions.messages import event_batch
from gateway.shard.envelopes import session_envelope
from gateway.shard.rows import SYSTEM, BrokenRow, Row, read_rows
from gateway.shard.streams import submit
from tests.fakes.engines import new_engine


@given(st.integers(0, 2**64 - 1))
def test_varints_are_those_of_protobuf(value: int) -> None:
    message = service_pb2.EventBatch(first_seq=value)
    assert wire.number(1, value) == message.SerializeToString()


@given(
    st.integers(0, 2**40),
    st.binary(max_size=300),
    st.lists(st.binary(min_size=1, max_size=300), max_size=4),
    st.integers(0, 10_000),
    st.booleans(),
)
def test_event_batches_are_those_of_protobuf(
    seq: int, session: bytes, private: list[bytes], remaining: int, is_replay: bool
) -> None:
    row = Row(seq, seq + 5, 7, 8, 9, b"", 0, ())
    expected = service_pb2.EventBatch(
        first_seq=seq,
        last_seq=seq + 5,
        session_events=session,
        private_events=b"".join(private),
        last_order_seq_no=3,
        last_cancel_seq_no=4,
        remaining_in_flight=remaining,
        matched_ns=0 if is_replay else 8,
        durable_ns=0 if is_replay else 9,
    )
    written = event_batch(row, session, private, (3, 4), remaining, is_replay=is_replay)
    assert service_pb2.OrderEntrySessionResponse.FromString(written).events == expected


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**63 - 1),
    st.integers(0, 2),
    st.binary(max_size=300),
)
def test_envelopes_of_sessions_are_those_of_protobuf(
    small: int, large: int, command_class: int, commands: bytes
) -> None:
    chosen = enums_pb2.CommandClass.ValueType(command_class)
    batch = service_pb2.CommandBatch(
        command_class=chosen, first_seq_no=large, count=small, commands=commands
    )
    expected = batch_pb2.Envelope(
        command_class=chosen,
        session_id=large,
        connection=small,
        first_seq_no=large,
        count=small,
        received_ns=large,
        commands=commands,
    )
    written = session_envelope(batch, commands, large, small, large)
    assert written == expected.SerializeToString()


@given(st.integers(1, 2**63), st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_submitted_envelopes_are_those_of_protobuf(number: int, envelopes: list[bytes]) -> None:
    expected = matching_pb2.Submit(
        number=number, envelope=envelopes[0], more_envelopes=envelopes[1:]
    )
    written = matching_pb2.SubmitCommandsRequest.FromString(submit(number, envelopes))
    assert written.submit == expected


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_split_gives_the_payloads_of_a_repeated_field(payloads: list[bytes]) -> None:
    raw = b"".join(wire.header(1, len(payload)) + payload for payload in payloads)
    assert list(map(bytes, wire.split(raw, 1) or ())) == payloads


@given(st.binary(max_size=40))
def test_split_never_reads_past_the_end(raw: bytes) -> None:
    found = wire.split(raw, 1)
    if found is not None:
        assert sum(map(len, found)) < max(1, len(raw))


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=30), st.integers(10, 200))
def test_pages_of_a_snapshot_are_cut_between_messages(ids: list[bytes], size: int) -> None:
    events = [market_events_pb2.L3Event(public_order_id=len(one)) for one in ids]
    whole = market_events_pb2.L3Events(events=events).SerializeToString()
    pages = split_pages(whole, size)
    assert b"".join(pages) == whole
    for page in pages:
        market_events_pb2.L3Events.FromString(page)


def clock_row() -> bytes:
    """The event row of one Clock."""
    body = system_pb2.SystemCommands(
        commands=[system_pb2.SystemCommand(clock=system_pb2.Clock())]
    ).SerializeToString()
    envelope = batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_SYSTEM, count=1, system_commands=body
    )
    batch = batch_pb2.Batch(shard=1, first_seq=1, time_ns=1, envelopes=[envelope])
    return new_engine(1).apply(batch.SerializeToString())


def read(events: bytes, **numbers: int) -> Row:
    """The row of a message with these event bytes."""
    response = matching_pb2.StreamEventsResponse()
    response.rows.add(first_seq=1, last_seq=1, events=events, **numbers)
    (row,) = read_rows(response.SerializeToString())
    return row


def test_a_row_of_the_engine_is_read_frame_by_frame() -> None:
    row = read(clock_row(), time_ns=1 << 60, matched_ns=300, durable_ns=1)
    assert (row.first_seq, row.last_seq, row.time_ns) == (1, 1, 1 << 60)
    assert (row.matched_ns, row.durable_ns) == (300, 1)
    (record,) = row.records
    assert (record.kind, record.first, record.last) == (SYSTEM, 1, 1)
    assert bytes(row.payload(record)) == row.copy(record)
    before = row.records
    row.store()
    assert row.records == before


@pytest.mark.parametrize(
    "events",
    [b"", b"\x01\0\0", b"\x02\0\0\0\0\0\0\0", b"\x01\0\0\0\x01\0\0\0", b"\x01\0\0\0" + b"\xff" * 4],
)
def test_rows_of_another_layout_are_refused(events: bytes) -> None:
    with pytest.raises(BrokenRow):
        read(events)


def test_payloads_must_end_with_the_row() -> None:
    events = clock_row()
    for wrong in (events + b"\0", events[:-1]):
        with pytest.raises(BrokenRow):
            read(wrong)


def test_a_message_that_is_cut_anywhere_is_refused_or_has_fewer_rows() -> None:
    response = matching_pb2.StreamEventsResponse()
    for seq in (1, 200):
        response.rows.add(first_seq=seq, last_seq=seq, events=clock_row())
    raw = response.SerializeToString()
    first = len(matching_pb2.StreamEventsResponse(rows=response.rows[:1]).SerializeToString())
    assert [row.first_seq for row in read_rows(raw)] == [1, 200]
    for length in range(len(raw)):
        if length in (0, first):
            assert len(read_rows(raw[:length])) == bool(length)
        else:
            with pytest.raises(BrokenRow):
                read_rows(raw[:length])
    with pytest.raises(BrokenRow):
        read_rows(b"\x10\x01")
