"""Coins that pay: the sum is exact, nothing is worth less than its own cost, every loop ends."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.bitcoin import coin_selection
from wallets.bitcoin.coin_selection import Coin, Selection, Terms, fee_of, select
from wallets.errors import Condition, Stuck

INPUT = 272
TERMS = Terms(
    target_atoms=100_000,
    base_weight=4 * 42 + 2,
    fee_rate=10_000,
    long_term_fee_rate=10_000,
    change_weight=124,
    change_input_weight=INPUT,
    dust_atoms=294,
    inputs_max=100,
)
AMOUNTS = st.lists(st.integers(1, 200_000), min_size=1, max_size=60)


def coins_of(*amounts: int) -> list[Coin]:
    return [Coin(f"{place:064x}:0", amount, INPUT) for place, amount in enumerate(amounts)]


def weight_of(selection: Selection, terms: Terms) -> int:
    change = terms.change_weight if selection.change_atoms else 0
    return terms.base_weight + change + sum(coin.input_weight for coin in selection.coins)


def assert_exact(selection: Selection, terms: Terms) -> None:
    """Every satoshi is accounted for, and the fee is what the weight asks or a little more."""
    total = sum(coin.amount_atoms for coin in selection.coins)
    assert total == terms.target_atoms + selection.fee_atoms + selection.change_atoms
    asked = fee_of(weight_of(selection, terms), terms.fee_rate)
    assert selection.fee_atoms >= asked
    change_cost = fee_of(terms.change_weight + INPUT, terms.fee_rate) + terms.dust_atoms
    # Each input's fee is rounded up by itself.
    assert selection.fee_atoms <= asked + change_cost + len(selection.coins) + 2
    assert selection.change_atoms == 0 or selection.change_atoms >= terms.dust_atoms
    assert len({coin.outpoint for coin in selection.coins}) == len(selection.coins)
    assert len(selection.coins) <= terms.inputs_max


@given(
    AMOUNTS, st.integers(1, 300_000), st.sampled_from([1_000, 10_000, 200_000]), st.integers(1, 20)
)
def test_a_selection_is_exact_or_refused(
    amounts: list[int], target: int, rate: int, inputs_max: int
) -> None:
    terms = replace(TERMS, target_atoms=target, fee_rate=rate, inputs_max=inputs_max)
    coins = coins_of(*amounts)
    worth = sorted((amount - fee_of(INPUT, rate) for amount in amounts), reverse=True)
    best = sum(value for value in worth[:inputs_max] if value > 0)
    if best < target + fee_of(terms.base_weight, rate):
        with pytest.raises(Stuck) as refused:
            select(coins, terms, Random(1))
        assert refused.value.condition is Condition.HOT_WALLET_UNFUNDED
        return
    selection = select(coins, terms, Random(1))
    assert_exact(selection, terms)
    assert all(coin.amount_atoms > fee_of(INPUT, rate) for coin in selection.coins)


@given(st.lists(st.integers(1_000, 60_000), min_size=2, max_size=9), st.data())
def test_a_set_without_change_is_found_when_one_exists(
    amounts: list[int], data: st.DataObject
) -> None:
    coins = coins_of(*amounts)
    size = data.draw(st.integers(1, len(coins)))
    exact = data.draw(st.permutations(coins))[:size]
    cost = fee_of(INPUT, TERMS.fee_rate) * size + fee_of(TERMS.base_weight, TERMS.fee_rate)
    target = sum(coin.amount_atoms for coin in exact) - cost
    if target < 1 or any(coin.amount_atoms <= fee_of(INPUT, TERMS.fee_rate) for coin in exact):
        return
    selection = select(coins, replace(TERMS, target_atoms=target), Random(1))
    assert selection.change_atoms == 0
    assert selection.waste_atoms == 0


@given(AMOUNTS, st.integers(0, 3))
def test_required_coins_are_always_in(amounts: list[int], seed: int) -> None:
    anchor = Coin("ff" * 32 + ":1", 5_000, INPUT)
    rich = coins_of(*amounts, 500_000)
    selection = select([*rich, anchor], TERMS, Random(seed), required=[anchor])
    assert selection.coins[0] == anchor
    assert_exact(selection, TERMS)


def test_the_same_coins_and_seed_give_the_same_selection() -> None:
    random = Random(5)
    coins = coins_of(*(random.randrange(1_000, 90_000) for _ in range(300)))
    shuffled = random.sample(coins, len(coins))
    assert select(coins, TERMS, Random(9)) == select(shuffled, TERMS, Random(9))


def test_cheap_hours_spend_more_coins_than_dear_ones() -> None:
    coins = coins_of(*[20_000] * 40, 150_000)
    cheap = replace(TERMS, fee_rate=1_000, long_term_fee_rate=20_000)
    dear = replace(TERMS, fee_rate=50_000, long_term_fee_rate=5_000)
    spent_cheap = select(coins, cheap, Random(1))
    spent_dear = select(coins, dear, Random(1))
    assert len(spent_cheap.coins) > len(spent_dear.coins)


@pytest.mark.parametrize("count", [2_000, 10_000])
def test_a_flood_of_dust_is_never_spent_and_costs_no_steps(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    considered: list[int] = []
    search = coin_selection.without_change

    def counted(
        free: list[coin_selection.Candidate], missing: int, change_cost: int, room: int
    ) -> list[coin_selection.Candidate] | None:
        considered.append(len(free))
        return search(free, missing, change_cost, room)

    monkeypatch.setattr(coin_selection, "without_change", counted)
    selection = select(coins_of(*[600] * count, 900_000), TERMS, Random(1))
    assert [coin.amount_atoms for coin in selection.coins] == [900_000]
    assert considered == [1]


def test_too_few_inputs_are_told_apart_by_name() -> None:
    with pytest.raises(Stuck, match="short with 3 inputs"):
        select(coins_of(*[20_000] * 50), replace(TERMS, inputs_max=3), Random(1))
