"""Sections 3 and 8: sessions, their numbers, and who may send what."""

from typing import Any

import pytest

from cambist.internal.journal.v1 import snapshot_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.reference.venue import (
    BUY,
    FIRM,
    FIRST,
    GROUPED,
    MARKET,
    OTHER_FIRM,
    OTHER_MARKET,
    OTHER_SESSION,
    SECOND,
    SECOND_NS,
    SESSION,
    STRANGER,
    Venue,
)

SESSION_FRAME, SYSTEM_FRAME = 1, 9


def session(venue: Venue, session_id: int = SESSION) -> snapshot_pb2.SessionState | None:
    """A session, if it exists."""
    section = snapshot_pb2.SessionsSection.FromString(venue.state.head.sessions)
    for row in section.sessions:
        if row.established.session_id == session_id:
            return row
    return None


def numbers(venue: Venue) -> tuple[int, int]:
    """Last numbers of the session."""
    row = session(venue)
    assert row is not None
    return row.last_order_seq_no, row.last_cancel_seq_no


# --- numbers


def test_both_classes_count_for_themselves(venue: Venue) -> None:
    told = venue.in_session(*(venue.order(FIRST, BUY, 90, 1) for _ in range(3)))
    assert told.session(SESSION) == ["applied ORDER 1+3"]
    told = venue.in_session(venue.mass_cancel(FIRST), venue.mass_cancel(SECOND))
    assert told.session(SESSION) == ["applied CANCEL 1+2"]
    assert numbers(venue) == (3, 2)
    (frame,) = (frame for frame in told.frames if frame.kind == SESSION_FRAME)
    assert (frame.first, frame.last, frame.key) == (3, 2, SESSION)


def test_applied_has_the_sequence_of_the_last_command(venue: Venue) -> None:
    first = venue.engine.last_seq + 1
    told = venue.in_session(*(venue.order(FIRST, BUY, 90, 1) for _ in range(3)))
    (event,) = told.of_kind(SESSION_FRAME)
    assert (event.seq, event.session_id, event.connection) == (first + 2, SESSION, 1)
    assert [event.seq for event in told.private(FIRST)] == [first, first + 1, first + 2]


def test_a_gap_is_named_and_nothing_behind_it_applies(venue: Venue) -> None:
    venue.in_session(venue.order(FIRST, BUY, 90, 1))
    before = venue.engine.last_seq
    sent = [venue.order(FIRST, BUY, 90, lots) for lots in (2, 3)]
    told = venue.in_session(*sent, first=5)
    assert told.session(SESSION) == ["not applied ORDER 2+3"]
    (event,) = told.of_kind(SESSION_FRAME)
    assert (event.seq, event.connection) == (before + 1, 1)
    # The numbers of the journal are used up all the same.
    assert venue.engine.last_seq == before + 2
    assert numbers(venue) == (1, 0)
    told = venue.in_session(*sent, first=2)
    assert told.lines(FIRST) == ["NEW 2@90", "NEW 3@90"]


def test_what_is_numbered_already_is_answered_by_its_id(venue: Venue) -> None:
    sent = [venue.order(FIRST, BUY, 90, lots) for lots in (1, 2)]
    venue.in_session(*sent)
    fresh = venue.order(FIRST, BUY, 90, 3)
    told = venue.in_session(*sent, fresh, first=1)
    first_line, second_line, third_line = told.lines(FIRST)
    assert first_line.startswith("NEW 1@90 repeat of ")
    assert second_line.startswith("NEW 2@90 repeat of ")
    assert third_line == "NEW 3@90"
    assert told.session(SESSION) == ["applied ORDER 1+3"]
    assert numbers(venue) == (3, 0)
    # Even with an id that is new: it is carried out.
    told = venue.in_session(venue.order(FIRST, BUY, 90, 4), first=1)
    assert told.lines(FIRST) == ["NEW 4@90"]
    assert numbers(venue) == (3, 0)


def test_an_unknown_session_and_an_old_connection_are_told_apart(venue: Venue) -> None:
    sent = venue.order(FIRST, BUY, 90, 1)
    told = venue.apply(venue.envelope(sent, session_id=77, connection=4))
    assert told.session(77) == ["not applied ORDER UNKNOWN_SESSION"]
    (event,) = told.of_kind(SESSION_FRAME)
    assert (event.connection, event.not_applied.from_seq_no, event.not_applied.count) == (0, 0, 0)
    venue.establish(SESSION, FIRM, (FIRST,))
    for connection in (1, 3):
        told = venue.apply(venue.envelope(sent, connection=connection, first=1))
        assert told.session(SESSION) == ["not applied ORDER OLD_CONNECTION"]
        (event,) = told.of_kind(SESSION_FRAME)
        assert event.connection == 2
    venue.operate(system.SessionLost(session_id=SESSION, connection=2))
    told = venue.in_session(sent, first=1)
    assert told.session(SESSION) == ["not applied ORDER OLD_CONNECTION"]
    assert venue.book() == ([], [])


# --- rights


def test_only_accounts_of_the_session_may_be_used(venue: Venue) -> None:
    first = venue.engine.last_seq + 1
    sent = venue.order(STRANGER, BUY, 90, 1)
    told = venue.in_session(venue.order(FIRST, BUY, 90, 1), sent)
    assert told.session(SESSION) == [
        "refused ORDER 2 ACCOUNT_NOT_PERMITTED",
        "applied ORDER 1+2",
    ]
    refused = told.of_kind(SESSION_FRAME)[0]
    assert (refused.seq, refused.refused.id) == (first + 1, sent.cl_ord_id)
    assert told.lines(STRANGER) == []
    told = venue.in_session(venue.resolve(STRANGER, sent.cl_ord_id))
    assert told.session(SESSION)[0] == "refused CANCEL 1 ACCOUNT_NOT_PERMITTED"


def test_who_may_not_trade_may_cancel(venue: Venue) -> None:
    placed = venue.place(FIRST, BUY, 90, 1)
    venue.establish(SESSION, FIRM, (FIRST,), may_trade=False)
    told = venue.in_session(venue.order(FIRST, BUY, 90, 1), venue.amend(FIRST, placed.id, lots=2))
    assert told.session(SESSION) == [
        "refused ORDER 1 ACCOUNT_NOT_PERMITTED",
        "refused ORDER 2 ACCOUNT_NOT_PERMITTED",
        "applied ORDER 1+2",
    ]
    told = venue.in_session(venue.cancel(FIRST, placed.id))
    assert told.lines(FIRST) == ["CANCELED REQUESTED 1 cum 0"]


def test_a_list_of_markets_permits_these_only(venue: Venue) -> None:
    venue.establish(SESSION, FIRM, (FIRST,), market_ids=[OTHER_MARKET])
    told = venue.in_session(
        venue.order(FIRST, BUY, 90, 1), venue.order(FIRST, BUY, 91, 1, market_id=OTHER_MARKET)
    )
    assert told.lines(FIRST) == ["REJECTED MARKET_NOT_PERMITTED", "NEW 1@91"]


# --- opening and closing


def test_a_session_opens_with_its_last_numbers(venue: Venue) -> None:
    venue.in_session(venue.order(FIRST, BUY, 90, 1))
    venue.in_session(venue.mass_cancel(FIRST))
    told = venue.establish(SESSION, FIRM, (FIRST,), correlation=88)
    assert told.system() == ["answer"]
    assert told.session(SESSION) == ["opened 1 1"]
    (event,) = told.of_kind(SESSION_FRAME)
    assert (event.connection, event.opened.correlation) == (2, 88)
    row = session(venue)
    assert row is not None
    assert (row.connected, row.connection, row.established.correlation) == (True, 2, 0)
    assert list(row.established.account_ids) == [FIRST]
    assert row.last_used_ns == venue.now


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"session_id": 0, "firm_id": 99}, "INVALID_PARAMETER"),
        ({"window_ms": 600_001}, "INVALID_PARAMETER"),
        ({"window_ms": 600_000, "firm_id": 99}, "UNKNOWN_FIRM"),
        ({"account_ids": [FIRST, 9_999]}, "UNKNOWN_ACCOUNT"),
        ({"account_ids": [4, FIRST]}, "UNKNOWN_ACCOUNT"),
        ({"account_ids": [STRANGER, 9_999]}, "FOREIGN_ACCOUNT"),
        ({"session_id": OTHER_SESSION}, "DUPLICATE_ID"),
    ],
)
def test_a_session_that_cannot_be_is_refused(
    venue: Venue, fields: dict[str, Any], reason: str
) -> None:
    values: dict[str, Any] = {"session_id": 5, "firm_id": FIRM, "account_ids": [FIRST]}
    before = venue.state.head.sessions
    told = venue.operate(system.SessionEstablished(**(values | fields)))
    assert told.system() == [f"answer {reason}"]
    assert [frame.kind for frame in told.frames] == [SYSTEM_FRAME]
    assert venue.state.head.sessions == before


def test_a_lost_connection_keeps_the_session(venue: Venue) -> None:
    venue.in_session(venue.order(FIRST, BUY, 90, 1))
    told = venue.operate(system.SessionLost(session_id=SESSION, connection=1))
    assert told.session(SESSION) == ["dropped"]
    assert numbers(venue) == (1, 0)
    again = venue.operate(system.SessionLost(session_id=SESSION, connection=1))
    assert again.system() == ["answer OLD_CONNECTION"]
    assert venue.establish(SESSION, FIRM, (FIRST,)).session(SESSION) == ["opened 1 0"]
    old = venue.operate(system.SessionLost(session_id=SESSION, connection=1))
    assert old.system() == ["answer OLD_CONNECTION"]
    unknown = venue.operate(system.SessionLost(session_id=77, connection=1))
    assert unknown.system() == ["answer UNKNOWN_SESSION"]


@pytest.mark.parametrize(("connection", "by"), [(1, "client"), (0, "venue")])
def test_an_ended_session_is_forgotten(venue: Venue, connection: int, by: str) -> None:
    venue.in_session(venue.order(FIRST, BUY, 90, 1))
    told = venue.operate(system.SessionEnded(session_id=SESSION, connection=connection))
    assert told.session(SESSION) == [f"over by {by}"]
    (frame,) = (frame for frame in told.frames if frame.kind == SESSION_FRAME)
    assert (frame.first, frame.last) == (0, 0)
    assert told.of_kind(SESSION_FRAME)[0].connection == 1
    assert session(venue) is None
    assert venue.book() == (["1@90 of 4096"], [])
    again = venue.operate(system.SessionEnded(session_id=SESSION, connection=connection))
    assert again.system() == ["answer UNKNOWN_SESSION"]
    assert venue.establish(SESSION, FIRM, (FIRST,)).session(SESSION) == ["opened 0 0"]


def test_only_the_present_connection_ends_a_session(venue: Venue) -> None:
    told = venue.operate(system.SessionEnded(session_id=SESSION, connection=2))
    assert told.system() == ["answer OLD_CONNECTION"]
    assert session(venue) is not None


def test_a_lost_gateway_drops_its_sessions_ascending(venue: Venue) -> None:
    for session_id in (9, 7, 8):
        venue.establish(session_id, OTHER_FIRM, (STRANGER,), link_id=44)
    venue.operate(system.SessionLost(session_id=8, connection=1))
    told = venue.operate(system.GatewayLost(link_id=44))
    assert [event.session_id for event in told.of_kind(SESSION_FRAME)] == [7, 9]
    assert told.session(7) == told.session(9) == ["dropped"]
    row = session(venue)
    assert row is not None
    assert row.connected
    assert venue.operate(system.GatewayLost(link_id=44)).of_kind(SESSION_FRAME) == []


def test_a_new_epoch_disconnects_everybody_silently(venue: Venue) -> None:
    told = venue.operate(system.EpochStarted(epoch=4))
    assert told.system() == ["answer", "epoch_started"]
    assert told.of_kind(SESSION_FRAME) == []
    sent = venue.order(FIRST, BUY, 90, 1)
    assert venue.in_session(sent).session(SESSION) == ["not applied ORDER OLD_CONNECTION"]


def test_use_is_noted(venue: Venue) -> None:
    venue.wait(SECOND_NS)
    venue.in_session(venue.mass_cancel(GROUPED, market_id=MARKET))
    row = session(venue)
    assert row is not None
    assert row.last_used_ns == venue.now
    venue.wait(SECOND_NS)
    venue.in_session(venue.order(FIRST, BUY, 90, 1), first=9)
    assert session(venue) == row


def test_commands_of_cancel_class_in_the_order_class_are_malformed(venue: Venue) -> None:
    envelope = venue.envelope(venue.order(FIRST, BUY, 90, 1))
    envelope.command_class = enums.COMMAND_CLASS_CANCEL
    before = venue.engine.snapshot()
    with pytest.raises(venue.kind.malformed):
        venue.apply(envelope)
    assert venue.engine.snapshot() == before
