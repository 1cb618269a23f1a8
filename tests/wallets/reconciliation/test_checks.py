"""What is a deficit, what is a surplus, and which of them stops payouts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.reconciliation.checks import (
    Finding,
    Held,
    Owed,
    Side,
    check_held,
    check_owed,
    of_tokens_alone,
    to_stop,
)

ATOMS = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("held", "difference"),
    [
        (Held(1, "hot", 100, 100), None),
        (Held(1, "hot", 100, 99), -1),
        (Held(1, "hot", 100, 101), 1),
        (Held(1, "hot", 100, 130, coming_atoms=30), None),
        (Held(1, "hot", 100, 70, missing_atoms=30), None),
        (Held(1, "hot", 100, 60, leaving_atoms=40), None),
        # A transaction of ours took less than what is gone.
        (Held(1, "hot", 100, 50, leaving_atoms=40), -10),
        (Held(1, "cold", 7, 0), -7),
    ],
)
def test_the_chain_shows_the_book_and_what_is_known_to_be_on_its_way(
    held: Held, difference: int | None
) -> None:
    found = [(one.account, one.atoms) for one in check_held([held])]
    assert found == ([] if difference is None else [(held.place, difference)])


@pytest.mark.parametrize(
    ("owed", "difference"),
    [
        (Owed(1, 100, 100), None),
        (Owed(1, 100, 101), -1),
        (Owed(1, 100, 99), 1),
        # A credit that the engine has not taken yet; a settlement likewise.
        (Owed(1, 100, 70, pending_atoms=30), None),
        (Owed(1, 100, 130, pending_atoms=-30), None),
        (Owed(1, 100, 150, opening_atoms=50), None),
        (Owed(1, 100, 151, opening_atoms=50), -1),
    ],
)
def test_what_the_engine_owes_beyond_the_book_is_a_deficit(
    owed: Owed, difference: int | None
) -> None:
    found = [(one.account, one.atoms) for one in check_owed([owed])]
    assert found == ([] if difference is None else [("customers", difference)])


@given(ATOMS, ATOMS, ATOMS)
def test_a_first_look_at_the_engine_finds_nothing_and_the_next_every_change(
    book: int, engine: int, change: int
) -> None:
    first = Owed(1, book, engine).opened()
    assert check_owed([first]) == []
    later = Owed(1, book, engine + change, 0, first.opening_atoms)
    assert [one.atoms for one in check_owed([later])] == ([-change] if change else [])


def test_a_deficit_always_stops_and_a_surplus_only_above_its_limit() -> None:
    deficit = Finding(Side.CHAIN, 1, "hot", -1)
    little, much = Finding(Side.CHAIN, 1, "hot", 10), Finding(Side.CHAIN, 1, "hot", 11)
    assert to_stop([deficit, little, much], {}) == [deficit]
    assert to_stop([deficit, little, much], {1: 10}) == [deficit, much]
    assert str(deficit) == "deficit of 1 in hot of asset 1"


def test_missing_tokens_are_their_issuers_doing_only_where_nothing_else_is_missing() -> None:
    token, other = Finding(Side.CHAIN, 2, "hot", -5), Finding(Side.CHAIN, 3, "hot", -1)
    assert of_tokens_alone([token, other], {1}) == [token, other]
    for beside in (
        Finding(Side.CHAIN, 1, "hot", -1),
        Finding(Side.ENGINE, 2, "customers", -5),
        Finding(Side.CHAIN, 3, "hot", 10),
    ):
        assert of_tokens_alone([token, beside], {1}) == []
