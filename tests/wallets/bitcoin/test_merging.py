"""Small coins are merged in cheap hours only, smallest first, and never all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.bitcoin.coins import OwnCoin
from wallets.bitcoin.merging import COINS_KEPT, COINS_LEAST, COINS_MAX, Prices, choose

CHEAP, USUAL = Prices(1_000, 5_000), Prices(5_000, 5_000)
COST = 68


def coins_of(amounts: list[int]) -> list[OwnCoin]:
    return [OwnCoin(f"{place:064x}:0", atoms, "change", 0) for place, atoms in enumerate(amounts)]


@given(st.lists(st.integers(1, 10_000), max_size=400))
def test_what_is_merged_is_the_smallest_that_is_worth_its_input(amounts: list[int]) -> None:
    coins = coins_of(amounts)
    chosen = choose(coins, CHEAP, COST)
    assert len(chosen) == 0 or COINS_LEAST <= len(chosen) <= COINS_MAX
    assert all(coin.amount_atoms > COST for coin in chosen)
    left = [coin for coin in coins if coin not in chosen]
    if chosen:
        assert len(left) >= COINS_KEPT
        larger = [coin for coin in left if coin.amount_atoms > COST]
        highest = max(coin.amount_atoms for coin in chosen)
        assert all(coin.amount_atoms >= highest for coin in larger)
    assert choose(coins, USUAL, COST) == []


@pytest.mark.parametrize(
    ("count", "merged"),
    [
        (COINS_LEAST + COINS_KEPT - 1, 0),
        (COINS_LEAST + COINS_KEPT, COINS_LEAST),
        (10_000, COINS_MAX),
    ],
)
def test_few_coins_are_left_alone_and_many_are_merged_in_parts(count: int, merged: int) -> None:
    assert len(choose(coins_of([1_000] * count), CHEAP, COST)) == merged


@pytest.mark.parametrize(
    ("rate", "is_cheap"), [(2_500, True), (2_501, False), (1, True), (5_000, False)]
)
def test_half_of_the_usual_price_is_cheap(rate: int, is_cheap: bool) -> None:
    assert Prices(rate, 5_000).is_cheap is is_cheap
