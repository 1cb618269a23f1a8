"""An amendment that is sent again after a later one takes the order back."""

from tests.reference.venue import BUY, FIRST, Venue


def test_a_resent_amendment_is_answered_and_changes_nothing(venue: Venue) -> None:
    bid = venue.place(FIRST, BUY, 100, 10)
    first = venue.amend(FIRST, bid.id, price=101)
    answer_seq = venue.send(first).private(FIRST)[0].seq
    venue.send(venue.amend(FIRST, bid.id, price=95, lots=4))
    before = venue.state
    told = venue.send(first)
    assert told.lines(FIRST) == [f"REPLACED 0@101 leaves 0 cum 0 repeat of {answer_seq}"]
    assert venue.book() == (["4@95 of 4096"], [])
    assert (venue.state.money, venue.state.books) == (before.money, before.books)
    assert venue.state.keys == before.keys
