"""Section 6: Resolve says what became of an id, and settles it."""

from typing import Final

import pytest

from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import enums_pb2 as enums
from cambist.orders.v1 import events_pb2 as events
from tests.reference.told import Told
from tests.reference.venue import BASE, BUY, FIRST, SECOND, SECOND_NS, SELL, STRANGER, Venue

RETENTION_NS: Final = 600 * SECOND_NS


def report(told: Told) -> events.ResolveReport:
    """The only thing that was told."""
    (event,) = told.private(FIRST)
    return event.resolve_report


def test_an_open_order_is_told_with_its_fills(venue: Venue) -> None:
    placed = venue.place(FIRST, BUY, 100, 10)
    answer_seq = venue.engine.last_seq
    venue.place(STRANGER, SELL, 100, 4)
    for ask in (venue.send, venue.in_session):
        assert report(ask(venue.resolve(FIRST, placed.id))) == events.ResolveReport(
            id=placed.id,
            state=enums.RESOLVE_STATE_OPEN,
            order_id=placed.order_id,
            cum_lots=4,
            leaves_lots=6,
            first_answer_seq=answer_seq,
        )


def test_a_closed_order_and_other_commands_are_applied(venue: Venue) -> None:
    placed = venue.place(FIRST, BUY, 100, 10)
    first_seq = venue.engine.last_seq
    request = venue.cancel(FIRST, placed.id)
    venue.send(request)
    moved = venue.transfer(FIRST, SECOND, BASE, 1)
    venue.send(moved)
    for id_, order_id, answer_seq in (
        (placed.id, placed.order_id, first_seq),
        (request.request_id, placed.order_id, first_seq + 1),
        (moved.request_id, 0, first_seq + 2),
    ):
        assert report(venue.send(venue.resolve(FIRST, id_))) == events.ResolveReport(
            id=id_,
            state=enums.RESOLVE_STATE_APPLIED,
            order_id=order_id,
            first_answer_seq=answer_seq,
        )


def test_a_refused_command_is_told_with_its_reason(venue: Venue) -> None:
    sent = venue.order(FIRST, BUY, 0, 10)
    venue.send(sent)
    answer_seq = venue.engine.last_seq
    assert report(venue.send(venue.resolve(FIRST, sent.cl_ord_id))) == events.ResolveReport(
        id=sent.cl_ord_id,
        state=enums.RESOLVE_STATE_REJECTED,
        reject_reason=enums.REJECT_REASON_INVALID_PRICE,
        first_answer_seq=answer_seq,
    )


def test_an_unknown_id_is_burnt_and_what_arrives_later_is_refused(venue: Venue) -> None:
    sent = venue.order(FIRST, BUY, 100, 10)
    never = events.ResolveReport(id=sent.cl_ord_id, state=enums.RESOLVE_STATE_NEVER_APPLIED)
    for _ in range(2):
        assert report(venue.send(venue.resolve(FIRST, sent.cl_ord_id))) == never
        venue.restore()
    for _ in range(2):
        assert venue.send(sent).lines(FIRST) == ["REJECTED BURNT"]
    other = venue.order(STRANGER, BUY, 100, 10, cl_ord_id=sent.cl_ord_id)
    assert venue.send(other).lines(STRANGER) == ["NEW 10@100"]


@pytest.mark.parametrize(
    ("age_ns", "state"), [(RETENTION_NS, "NEVER_APPLIED"), (RETENTION_NS + 1, "FORGOTTEN")]
)
def test_what_is_older_than_the_window_is_forgotten(venue: Venue, age_ns: int, state: str) -> None:
    asked = venue.resolve(FIRST, b"x" * 16, venue.now + 1_000 - age_ns)
    assert venue.send(asked).lines(FIRST) == [state]
    kept = [key.id for row in venue.state.keys.accounts for key in row.keys]
    assert kept == ([b"x" * 16] if state == "NEVER_APPLIED" else [])


def test_what_is_older_than_the_ids_that_are_kept_is_forgotten(venue: Venue) -> None:
    limits = system.AccountLimits(id_capacity=16)
    venue.operate(system.SetAccountLimits(account_id=FIRST, limits=limits))
    first = venue.order(FIRST, BUY, 0, 1)
    for sent in (
        first,
        *(venue.order(FIRST, BUY, 0, 1, sent_time_ns=venue.now) for _ in range(16)),
    ):
        venue.send(sent)
    asked = venue.resolve(FIRST, first.cl_ord_id, first.sent_time_ns)
    assert venue.send(asked).lines(FIRST) == ["FORGOTTEN"]
    later = venue.resolve(FIRST, b"x" * 16, first.sent_time_ns + 1)
    assert venue.send(later).lines(FIRST) == ["NEVER_APPLIED"]


def test_a_burnt_id_counts_against_the_capacity(venue: Venue) -> None:
    limits = system.AccountLimits(id_capacity=16)
    venue.operate(system.SetAccountLimits(account_id=FIRST, limits=limits))
    ids = [venue.new_id() for _ in range(17)]
    for id_ in ids:
        venue.send(venue.resolve(FIRST, id_))
    kept = [key.id for row in venue.state.keys.accounts for key in row.keys]
    assert kept == ids[1:]
