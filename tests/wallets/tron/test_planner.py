"""Where energy and bandwidth come from."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.errors import Rejected, Stuck
from wallets.tron.plan import main
from wallets.tron.planner import (
    Policy,
    Prices,
    Source,
    Stock,
    Task,
    energy_of,
    fee_limit_sun,
    plan,
)

TRX = 1_000_000
PRICES = Prices(100, 1_000, TRX, 100_000, TRX)
POLICY = Policy(30, 50 * TRX)
TOKEN = Task(0, 345, 13_664, 0, activates=False, has_memo=False)
STOCK = Stock(100 * TRX, 0, 0, 0, 0, 0, None)

amounts = st.integers(0, 10**13)
figures = st.integers(0, 10**6)
tasks = st.builds(
    Task,
    amounts,
    st.integers(1, 2_000),
    figures,
    st.integers(0, 34_000),
    st.booleans(),
    st.booleans(),
)
stocks = st.builds(Stock, amounts, figures, figures, figures, figures, figures, st.none() | amounts)
prices = st.builds(Prices, st.integers(1, 1_000), st.integers(1, 2_000), figures, figures, figures)


@given(tasks, stocks, prices)
def test_a_plan_is_affordable_the_cheapest_and_adds_up(
    task: Task, stock: Stock, price: Prices
) -> None:
    try:
        made = plan(task, stock, price, POLICY)
    except Stuck:
        return
    chosen = next(way for way in made.options if way.source is made.source)
    memo_sun = price.memo_sun if task.has_memo else 0
    fixed_sun = made.bandwidth_sun + made.activation_sun + memo_sun
    assert task.amount_sun + fixed_sun + chosen.sender_sun <= stock.balance_sun
    assert made.cost_sun == fixed_sun + chosen.cost_sun <= POLICY.cost_sun_max
    for way in made.options:
        if way.cost_sun < chosen.cost_sun:
            assert task.amount_sun + fixed_sun + way.sender_sun > stock.balance_sun
    # The limit always allows what was estimated, and is never 0 for a call.
    assert made.fee_limit_sun >= made.energy * price.energy_sun
    assert bool(made.fee_limit_sun) is bool(made.energy)


@given(tasks, stocks, prices, figures)
def test_more_energy_never_costs_more(task: Task, stock: Stock, price: Prices, more: int) -> None:
    try:
        made = plan(task, stock, price, POLICY)
    except Stuck:
        return
    richer = plan(task, replace(stock, energy=stock.energy + more), price, POLICY)
    assert richer.cost_sun <= made.cost_sun


def test_the_sources_are_taken_by_price() -> None:
    missing_sun = 13_664 * 100
    cases = [
        (STOCK, Source.BURN, missing_sun),
        (replace(STOCK, rental_sun=missing_sun - 1), Source.RENTAL, missing_sun - 1),
        (replace(STOCK, rental_sun=missing_sun + 1), Source.BURN, missing_sun),
        (replace(STOCK, delegable_energy=13_664, delegation_sun=5), Source.DELEGATION, 5),
        (replace(STOCK, delegable_energy=13_663, delegation_sun=5), Source.BURN, missing_sun),
        (replace(STOCK, energy=13_664, rental_sun=0), Source.OWN_STAKE, 0),
        (replace(STOCK, energy=13_663), Source.BURN, 100),
    ]
    for stock, source, energy_sun in cases:
        made = plan(TOKEN, stock, PRICES, POLICY)
        assert (made.source, made.cost_sun) == (source, energy_sun + 345_000)


def test_a_sender_without_trx_takes_delegation_or_waits() -> None:
    poor = replace(STOCK, balance_sun=0, free_bandwidth_bytes=600)
    with pytest.raises(Stuck, match="HotWalletUnfunded"):
        plan(TOKEN, poor, PRICES, POLICY)
    lent = replace(poor, delegable_energy=20_000, delegation_sun=10 * TRX)
    assert plan(TOKEN, lent, PRICES, POLICY).source is Source.DELEGATION


def test_a_plan_above_the_ceiling_waits_by_name() -> None:
    with pytest.raises(Stuck, match="AtCeiling"):
        plan(TOKEN, STOCK, PRICES, replace(POLICY, cost_sun_max=TRX))
    with pytest.raises(Stuck, match="AtCeiling"):
        fee_limit_sun(150_000_001, PRICES, POLICY)


def test_figures_that_no_honest_node_gives_are_refused() -> None:
    with pytest.raises(Rejected, match="MALFORMED"):
        plan(TOKEN, STOCK, replace(PRICES, energy_sun=0), POLICY)
    with pytest.raises(Rejected, match="MALFORMED"):
        plan(TOKEN, replace(STOCK, energy=-1), PRICES, POLICY)


def test_costs_are_those_that_a_real_node_took(
    recording: Callable[[str], list[dict[str, Any]]],
) -> None:
    taken = {
        call["label"]: call["response"]["fee"]
        for scenario in ("05-trx-activation", "16-trc20-transfer")
        for call in recording(scenario)
        if "fee" in call["response"]
    }
    new_account = Task(1, 265, 0, 0, activates=True, has_memo=False)
    empty = replace(TOKEN, base_energy=28_664)
    for label, task, stock in [
        ("1 sun to a new address: info", new_account, STOCK),
        ("to a new holder: info", empty, replace(STOCK, free_bandwidth_bytes=600)),
        ("to an old holder: info", TOKEN, STOCK),
        ("to an address without account: info", empty, STOCK),
    ]:
        assert plan(task, stock, PRICES, POLICY).cost_sun == taken[label], label


def test_the_penalty_of_a_busy_contract_is_estimated_from_above(
    recording: Callable[[str], list[dict[str, Any]]],
) -> None:
    factor, compared = 0, 0
    for call in recording("29-dynamic-energy"):
        answer = call["response"]
        factor = answer.get("contract_state", {}).get("energy_factor", factor)
        used = answer.get("receipt", {}).get("energy_usage_total")
        if call["label"] == "transfer: info" and used:
            estimate = energy_of(replace(TOKEN, energy_factor=factor))
            # The chain rounds down at every step of the code: under one percent.
            assert used <= estimate <= used * 101 // 100
            compared += 1
    assert compared > 3


def test_the_command_shows_the_plan_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--energy-price-sun=100", "--byte-price-sun=1000", "--base-energy=28664"]
    assert main([*words, "--balance-sun=10000000", "--rental-sun=2000000"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["source"] == "rental"
    assert "burn 2866400 sun" in shown["why"]
    assert main(words) == 1
    assert "HotWalletUnfunded" in capsys.readouterr().err


PRICED = ["--energy-price-sun=100", "--byte-price-sun=1000"]


def test_the_command_shows_every_step_of_a_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep", *PRICED, "--base-energy=13664"]
    assert main([*words, "--no-account", "--delegable-energy=1000000"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [step["kind"] for step in shown["steps"]] == ["top_up", "delegation", "sweep", "reclaim"]
    assert shown["cost_sun"] == sum(step["cost_sun"] for step in shown["steps"])
    assert "delegation is the cheapest of: " in shown["why"]
    assert main(["sweep", *PRICED, "--balance-sun=50000000", "--free-bandwidth-bytes=600"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"][0]["amount"] == 50_000_000
    assert main([*words, "--cost-sun-max=1000"]) == 1
    assert "AtCeiling" in capsys.readouterr().err


def test_the_command_shows_what_becomes_of_the_stake(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["stake", *PRICED, "--balance-sun=500000000", "--stake-sun-max=900000000"]
    assert main([*words, "--needed-sun=300000000"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["change"], shown["amount_sun"]) == ("stake", 300_000_000)
    assert main([*words, "--kept-sun=500000000", "--needed-sun=300000000"]) == 0
    assert json.loads(capsys.readouterr().out)["change"] is None
