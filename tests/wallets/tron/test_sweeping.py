"""What is worth gathering on TRON, what comes first, and what never is."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.errors import Stuck
from wallets.tron.planner import Prices, Source
from wallets.tron.sweeping import (
    Holding,
    Kind,
    Station,
    Step,
    SweepPolicy,
    choose,
    plan,
    spent_of,
    why_not,
    with_margin,
)

TRX = 10**6
TOKEN = b"\x41" + b"t" * 20
PRICES = Prices(100, 1_000, TRX, 100_000, TRX)
POLICY = SweepPolicy({TOKEN: 1_000, b"": 10 * TRX}, steps_max=4, top_up_sun_max=20 * TRX)
STATION = Station(1_000 * TRX, 0, 268, 283)
RICH = replace(STATION, energy=10**9)
NEW = Holding(b"\x41" + b"a" * 20, TOKEN, 5_000, False, 0, 0, 0, 0, 13_664, 346)
OLD = replace(NEW, exists=True, free_bandwidth_bytes=600)
FEE_SUN = 268_000


def holding(number: int, amount: int, native_sun: int, energy: int, *, token: bool) -> Holding:
    return Holding(
        b"\x41" + number.to_bytes(20),
        TOKEN if token else b"",
        amount if token else native_sun,
        bool(native_sun) or not token,
        native_sun,
        energy,
        0,
        600 if native_sun else 0,
        13_664 if token else 0,
        346 if token else 268,
    )


holdings = st.builds(
    holding,
    st.integers(0, 30),
    st.integers(0, 10**6),
    st.integers(0, 10**8),
    st.integers(0, 30_000),
    token=st.booleans(),
)
stations = st.builds(
    Station, st.integers(0, 10**9), st.integers(0, 10**6), st.just(268), st.just(283)
)
prices = st.builds(
    Prices,
    st.integers(1, 1_000),
    st.integers(1, 2_000),
    st.integers(0, 2 * TRX),
    st.integers(0, TRX),
    st.just(TRX),
)


def done(held: Holding, step: Step) -> Holding:
    """The address after one step of help."""
    assert step.kind in (Kind.TOP_UP, Kind.DELEGATION)
    if step.kind is Kind.DELEGATION:
        assert held.exists
        return replace(held, energy=held.energy + step.amount)
    fresh = held.free_bandwidth_bytes if held.exists else 600
    native_sun = held.native_sun + step.amount
    return replace(held, exists=True, native_sun=native_sun, free_bandwidth_bytes=fresh)


@given(st.lists(holdings, max_size=40), stations, prices)
def test_a_round_stays_within_its_budget_and_does_one_thing_for_an_address(
    held: list[Holding], station: Station, price: Prices
) -> None:
    chosen = choose(held, station, price, POLICY)
    assert len(chosen) <= POLICY.steps_max
    assert len({one.holding.account for one in chosen}) == len(chosen)
    spent_sun = sum(spent_of(one.step) for one in chosen)
    assert spent_sun <= min(POLICY.top_up_sun_max, station.balance_sun)
    lent = sum(one.step.amount for one in chosen if one.step.kind is Kind.DELEGATION)
    assert lent <= station.energy
    for one in chosen:
        assert one.holding.amount_atoms >= POLICY.minimum_atoms[one.holding.contract]
        assert one.step.amount > 0
        if one.holding.contract:
            assert one.plan.cost_sun <= POLICY.token_cost_sun_max
        else:
            swept = one.step
            assert swept.amount + swept.cost_sun == one.holding.native_sun
            assert swept.cost_sun * 100 <= swept.amount * POLICY.cost_percent_max


@given(holdings.filter(lambda one: bool(one.contract)), stations, prices)
def test_step_by_step_each_token_comes_to_its_sweep_and_no_help_is_given_twice(
    held: Holding, station: Station, price: Prices
) -> None:
    given_so_far: list[Kind] = []
    try:
        made = plan(held, station, price, POLICY)
        wanted_sun = made.cost_sun
        while made.steps[0].kind is not Kind.SWEEP:
            given_so_far.append(made.steps[0].kind)
            held = done(held, made.steps[0])
            made = plan(held, station, price, POLICY)
            # What is left to do never costs more than was said at the beginning.
            assert made.cost_sun <= wanted_sun
    except Stuck:
        assert not given_so_far
        return
    assert len(set(given_so_far)) == len(given_so_far)
    (sweep, *rest) = made.steps
    assert sweep.amount == held.amount_atoms
    assert sweep.cost_sun <= held.native_sun
    assert [one.kind for one in rest] in ([], [Kind.RECLAIM])


@given(holdings.filter(lambda one: bool(one.contract)), stations, prices, st.integers(0, 10**6))
def test_more_energy_to_lend_never_costs_more(
    held: Holding, station: Station, price: Prices, more: int
) -> None:
    try:
        made = plan(held, station, price, POLICY)
    except Stuck:
        return
    richer = replace(station, energy=station.energy + more)
    assert plan(held, richer, price, POLICY).cost_sun <= made.cost_sun


def test_the_steps_are_in_order_and_the_cheapest() -> None:
    burned_sun = with_margin(13_664, 30) * 100
    cases = [
        # Without stake: TRX makes the account and feeds it.
        (NEW, STATION, Source.BURN, [Kind.TOP_UP, Kind.SWEEP], 1_100_000 + burned_sun + 346_000),
        (OLD, STATION, Source.BURN, [Kind.TOP_UP, Kind.SWEEP], FEE_SUN + burned_sun),
        (
            NEW,
            RICH,
            Source.DELEGATION,
            [Kind.TOP_UP, Kind.DELEGATION, Kind.SWEEP, Kind.RECLAIM],
            1_100_000 + 2 * 283_000 + 346_000,
        ),
        (OLD, RICH, Source.DELEGATION, [Kind.DELEGATION, Kind.SWEEP, Kind.RECLAIM], 566_000),
        # A loan failed lately: it is burned.
        (replace(OLD, may_borrow=False), RICH, Source.BURN, [Kind.TOP_UP, Kind.SWEEP], None),
        (replace(OLD, energy=20_000), RICH, Source.OWN_STAKE, [Kind.SWEEP], 0),
        (replace(OLD, native_sun=TRX * 5), STATION, Source.BURN, [Kind.SWEEP], None),
        (replace(OLD, rental_sun=500_000), RICH, Source.RENTAL, [Kind.RENTAL, Kind.SWEEP], 500_000),
    ]
    for held, station, source, kinds, cost_sun in cases:
        made = plan(held, station, PRICES, POLICY)
        assert (made.source, [step.kind for step in made.steps]) == (source, kinds)
        assert cost_sun in (None, made.cost_sun)


def test_a_token_that_costs_more_than_allowed_stays_and_says_why() -> None:
    cheap = replace(POLICY, token_cost_sun_max=TRX)
    with pytest.raises(Stuck, match=r"AtCeiling.*burn"):
        plan(NEW, STATION, PRICES, cheap)
    assert choose([NEW], STATION, PRICES, cheap) == []


def test_when_nothing_is_done_it_says_why() -> None:
    poor = replace(STATION, balance_sun=TRX)
    cases = [
        ([replace(NEW, amount_atoms=1)], POLICY, "below its minimum"),
        ([NEW], POLICY, "HotWalletUnfunded: top_up takes"),
        ([NEW], replace(POLICY, token_cost_sun_max=TRX), "AtCeiling"),
    ]
    for held, policy, why in cases:
        assert choose(held, poor, PRICES, policy) == []
        assert why in why_not(held, poor, PRICES, policy)


def test_dust_and_what_nobody_listed_costs_nothing() -> None:
    strangers = [replace(NEW, contract=b"\x41" + b"x" * 20)]
    assert choose([*strangers, replace(NEW, amount_atoms=999)], RICH, PRICES, POLICY) == []


def test_trx_that_a_tokens_sweep_needs_stays_until_then() -> None:
    native = replace(OLD, contract=b"", amount_atoms=50 * TRX, native_sun=50 * TRX)
    token = replace(OLD, native_sun=50 * TRX)
    (one,) = choose([native, token], STATION, PRICES, POLICY)
    assert one.holding.contract == TOKEN


def test_energy_that_was_lent_is_used_before_more_is_lent() -> None:
    lent = replace(OLD, account=b"\x41" + b"z" * 20, energy=20_000, amount_atoms=1_000)
    richer = [replace(OLD, account=b"\x41" + bytes([n]) * 20, amount_atoms=10**6) for n in range(9)]
    chosen = choose([*richer, lent], RICH, PRICES, POLICY)
    assert chosen[0].holding == lent
    assert len(chosen) == POLICY.steps_max
