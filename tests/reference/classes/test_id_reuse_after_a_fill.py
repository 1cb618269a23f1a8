"""An id may be used again once its order is filled."""

from tests.reference.venue import BUY, FIRST, SELL, STRANGER, Venue


def test_the_id_of_a_filled_order_stays_used(venue: Venue) -> None:
    placed = venue.place(FIRST, SELL, 100, 5)
    answer_seq = placed.told.private(FIRST)[0].seq
    venue.place(STRANGER, BUY, 100, 5)
    other = venue.send(venue.order(FIRST, SELL, 101, 5, cl_ord_id=placed.id))
    assert other.lines(FIRST) == ["REJECTED ID_REUSED"]
    again = venue.send(placed.sent)
    assert again.lines(FIRST) == [f"NEW 5@100 repeat of {answer_seq}"]
    assert venue.book() == ([], [])


def test_ids_are_those_of_an_account(venue: Venue) -> None:
    placed = venue.place(FIRST, SELL, 100, 5)
    stranger = venue.place(STRANGER, SELL, 101, 5, cl_ord_id=placed.id)
    assert stranger.order_id != placed.order_id
    assert venue.book() == ([], ["5@100 of 4096", "5@101 of 5000"])
