"""An amendment drops the other orders of its level."""

import pytest

from tests.reference.venue import BUY, FIRST, SECOND, STRANGER, Venue


@pytest.mark.parametrize("amended", [0, 1, 2])
@pytest.mark.parametrize(("price", "lots"), [(100, 3), (100, 9), (99, 0), (101, 7)])
def test_siblings_keep_place_and_quantity(
    venue: Venue, amended: int, price: int, lots: int
) -> None:
    owners = (FIRST, SECOND, STRANGER)
    placed = [venue.place(owner, BUY, 100, 5) for owner in owners]
    venue.send(venue.amend(owners[amended], placed[amended].id, price, lots))
    others = [f"5@100 of {owner}" for i, owner in enumerate(owners) if i != amended]
    own = f"{lots or 5}@{price} of {owners[amended]}"
    bids, asks = venue.book()
    assert sorted(bids) == sorted([*others, own])
    assert [bid for bid in bids if bid != own] == others
    assert asks == []
    if (price, lots) == (100, 3):
        assert bids.index(own) == amended
    elif price == 100:
        assert bids[-1] == own
