"""What the bounds of the hot wallet ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.treasury.bounds import Bounds, excess, missing

ATOMS = st.integers(0, 10**15)


@pytest.mark.parametrize(
    ("hot", "waiting", "goes", "comes"),
    [
        (50, 0, 0, 0),
        (100, 0, 0, 0),
        (101, 0, 51, 0),
        # Payouts that wait need theirs first.
        (101, 1, 0, 0),
        (19, 0, 0, 31),
        (40, 30, 0, 40),
        (0, 500, 0, 550),
    ],
)
def test_above_the_ceiling_and_below_the_floor_it_comes_to_the_target(
    hot: int, waiting: int, goes: int, comes: int
) -> None:
    kept = Bounds(20, 50, 100)
    assert (excess(hot, waiting, kept), missing(hot, waiting, kept)) == (goes, comes)


@given(ATOMS, ATOMS, st.lists(ATOMS, min_size=3, max_size=3))
def test_nothing_moves_both_ways_and_after_a_move_nothing_moves(
    hot: int, waiting: int, values: list[int]
) -> None:
    kept = Bounds(*sorted(values))
    goes, comes = excess(hot, waiting, kept), missing(hot, waiting, kept)
    assert goes == 0 or comes == 0
    after = hot - goes + comes
    assert (excess(after, waiting, kept), missing(after, waiting, kept)) == (0, 0)


@pytest.mark.parametrize("values", [(-1, 0, 0), (2, 1, 3), (0, 3, 2)])
def test_bounds_that_contradict_each_other_are_refused(values: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="floor"):
        Bounds(*values)
