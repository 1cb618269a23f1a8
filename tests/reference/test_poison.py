"""Section 8, CommandPoisoned: what stopped the engine is put aside and told to its sender."""

import pytest
from google.protobuf.message import Message

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from tests.differential.flow import messages
from tests.reference.later_commands import later_commands
from tests.reference.told import Told
from tests.reference.venue import BASE, BUY, FIRST, MARKET, SECOND, SESSION, Venue


def put_aside(venue: Venue, envelope: messages.Envelope | bytes, market_id: int = MARKET) -> Told:
    """The envelope is journaled as poisoned."""
    data = envelope if isinstance(envelope, bytes) else envelope.SerializeToString()
    return venue.operate(system.CommandPoisoned(envelope=data, market_id=market_id))


def test_the_market_halts_and_the_sender_is_told(venue: Venue) -> None:
    sent = venue.order(FIRST, BUY, 100, 1)
    received = venue.now
    envelope = venue.unary(sent)
    venue.wait(5_000)
    told = put_aside(venue, envelope)
    assert told.system() == ["answer", "poison_noted"]
    assert told.system_events()[1].poison_noted.market_id == MARKET
    assert told.l3(MARKET) == ["PHASE HALTED"]
    assert told.lines(FIRST) == ["REJECTED POISONED"]
    (event,) = told.private()
    assert (event.seq, event.received_ns) == (venue.engine.last_seq, received)
    again = venue.send(sent).lines(FIRST)
    assert again == [f"REJECTED POISONED repeat of {event.seq}"]


@pytest.mark.parametrize("market_id", [0, 1, MARKET + 9])
def test_an_unknown_market_is_noted_as_none(venue: Venue, market_id: int) -> None:
    told = put_aside(venue, venue.unary(venue.order(FIRST, BUY, 100, 1)), market_id)
    assert told.system_events()[1].poison_noted.market_id == 0
    assert told.l3(MARKET) == []
    assert told.lines(FIRST) == ["REJECTED POISONED"]


def test_a_market_that_is_halted_already_is_not_told_again(venue: Venue) -> None:
    venue.set_phase(enums.MARKET_PHASE_HALTED)
    told = put_aside(venue, venue.unary(venue.order(FIRST, BUY, 100, 1)))
    assert told.system() == ["answer", "poison_noted"]
    assert told.l3(MARKET) == []


def test_a_command_of_a_session_uses_its_number(venue: Venue) -> None:
    told = put_aside(venue, venue.envelope(venue.order(FIRST, BUY, 100, 1)))
    assert told.lines(FIRST) == ["REJECTED POISONED"]
    assert told.session(SESSION) == ["applied ORDER 1+1"]
    assert venue.in_session(venue.mass_cancel(FIRST)).lines(FIRST) == ["MASS CANCEL 0"]


@pytest.mark.parametrize(
    ("first", "connection", "line"),
    [(5, 0, "not applied ORDER 1+4"), (1, 9, "not applied ORDER OLD_CONNECTION")],
)
def test_what_would_not_have_been_applied_is_not(
    venue: Venue, first: int, connection: int, line: str
) -> None:
    sent = venue.order(FIRST, BUY, 100, 1)
    told = put_aside(venue, venue.envelope(sent, first=first, connection=connection))
    assert told.session(SESSION) == [line]
    assert told.private() == []


def test_steps_before_the_sixth_are_as_ever(venue: Venue) -> None:
    known = venue.place(FIRST, BUY, 100, 1).sent
    answer_seq = venue.engine.last_seq
    for sent, lines in (
        (known, [f"NEW 1@100 repeat of {answer_seq}"]),
        (venue.order(FIRST, BUY, 9, 9, cl_ord_id=known.cl_ord_id), ["REJECTED ID_REUSED"]),
        (venue.order(FIRST, BUY, 9, 9, sent_time_ns=1), ["REJECTED STALE"]),
        (venue.order(FIRST, BUY, 0, 9, expires_after_ms=1), ["REJECTED POISONED"]),
    ):
        venue.wait(10**9)
        assert put_aside(venue, venue.unary(sent)).lines(FIRST) == lines
    stranger = put_aside(venue, venue.unary(venue.order(9_999, BUY, 1, 1), correlation=66))
    assert stranger.system() == ["answer", "poison_noted", "answer UNKNOWN_ACCOUNT"]
    assert stranger.system_events()[2].answer.correlation == 66


def test_every_kind_of_command_is_told(venue: Venue) -> None:
    expected: list[tuple[Message, str]] = [
        (venue.cancel(FIRST, 1), "CANCEL REJECTED POISONED"),
        (venue.amend(FIRST, 1, 5), "CANCEL REJECTED POISONED"),
        (venue.mass_cancel(FIRST), "CANCEL REJECTED POISONED"),
        (venue.transfer(FIRST, SECOND, BASE, 1), "TRANSFER_OUT 1 POISONED"),
        (venue.withdrawal(FIRST, BASE, 1, 2), "WITHDRAWAL_REQUESTED 1 fee 2 POISONED"),
    ]
    for sent, line in expected:
        assert put_aside(venue, venue.unary(sent)).lines(FIRST) == [line]
        assert venue.send(sent).lines(FIRST) == [f"{line} repeat of {venue.engine.last_seq - 1}"]


def test_resolve_and_later_commands_leave_no_id(venue: Venue) -> None:
    before = venue.state.keys
    asked = venue.resolve(FIRST, b"x" * 16)
    told = put_aside(venue, venue.unary(asked))
    assert told.lines(FIRST) == ["CANCEL REJECTED POISONED"]
    assert told.private()[0].cancel_reject.request_id == asked.id
    for name, sent in later_commands(venue, FIRST).items():
        told = put_aside(venue, venue.unary(sent))
        line = "REJECTED POISONED" if name == "replace" else "CANCEL REJECTED POISONED"
        assert told.lines(FIRST) == [line]
    assert venue.state.keys == before


def test_a_command_of_the_venue_is_answered_a_second_time(venue: Venue) -> None:
    enclosed = messages.system_envelope([system.CreateFirm(firm_id=9, name="x")], correlation=77)
    told = put_aside(venue, enclosed)
    assert told.system() == ["answer", "poison_noted", "answer POISONED"]
    second = told.system_events()[2].answer
    assert (second.correlation, second.index) == (77, 0)


def test_what_is_malformed_or_has_more_than_one_command_is_only_noted(venue: Venue) -> None:
    two = [venue.order(FIRST, BUY, 100, 1), venue.order(FIRST, BUY, 100, 1)]
    for data in (
        b"",
        b"\xff",
        venue.envelope(*two).SerializeToString(),
        messages.system_envelope([system.Clock(), system.Clock()]).SerializeToString(),
    ):
        told = put_aside(venue, data)
        assert told.system() == ["answer", "poison_noted"]
        assert told.private() == []
        assert told.session(SESSION) == []
