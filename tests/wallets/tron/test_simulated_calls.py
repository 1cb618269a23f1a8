"""Constant calls and resources of the simulated node, held against a real one's recordings."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.wallets.tron.simulated_net import GENESIS_MS
from wallets.tron.simulator.calls import constant_call
from wallets.tron.simulator.parameters import Parameters
from wallets.tron.simulator.stake_reads import resources
from wallets.tron.simulator.state import Account, State

Recording = Callable[[str], list[dict[str, Any]]]
CALL = "triggerconstantcontract"
# Of other functions of a token: nothing of ours asks for them.
LEFT_OUT = {"decimals()", "symbol()", "name()", "totalSupply()"}
BALANCE = "balanceOf(address)"


def calls_of(recorded: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        call
        for call in recorded
        if call["path"].endswith(CALL) and call["request"]["function_selector"] not in LEFT_OUT
    ]


def state_of(calls: list[dict[str, Any]]) -> State:
    """Holders as the recorded balances say."""
    state = State(Parameters())
    for call in calls:
        asked, told = call["request"], call["response"]
        if asked["function_selector"] == BALANCE and "constant_result" in told:
            holders = state.tokens.setdefault(bytes.fromhex(asked["contract_address"]), {})
            holder = b"\x41" + bytes.fromhex(asked["parameter"])[12:]
            holders[holder] = int(told["constant_result"][0], 16)
    return state


def test_recorded_calls_get_the_same_answers(recording: Recording) -> None:
    calls = calls_of(recording("15-trc20-read"))
    state = state_of(calls)
    compared = 0
    for call in calls:
        # The node's own unsigned transaction is left out, but for its result.
        wanted = dict(call["response"])
        told = constant_call(state, call["request"], GENESIS_MS)
        for answer in (wanted, told):
            answer["transaction"] = answer.get("transaction", {}).get("ret", [{}])
        assert told == wanted, call["label"]
        compared += 1
    # Balances, a transfer, a revert, and what is no function or no contract.
    assert compared >= 6


def test_recorded_resources_without_stake_get_the_same_answers(recording: Recording) -> None:
    asked = [one for one in recording("02-accounts") if one["path"].endswith("getaccountresource")]
    compared = 0
    for call in asked:
        told = call["response"]
        if "NetLimit" in told or "EnergyLimit" in told:
            # Of stake.
            continue
        state = State(Parameters())
        if told:
            state.accounts[bytes.fromhex(call["request"]["address"])] = Account(1, GENESIS_MS)
        assert resources(state, call["request"], GENESIS_MS) == told
        compared += 1
    assert compared >= 2


@pytest.mark.parametrize("factor", [1_000, 1_428, 4_392])
def test_the_penalty_is_part_of_the_energy_that_is_told(factor: int) -> None:
    token, owner = b"\x41" + b"\x03" * 20, b"\x41" + b"\x04" * 20
    state = State(Parameters(), tokens={token: {owner: 10}}, energy_factor=factor)
    words = b"\x05" * 20
    told = constant_call(
        state,
        {
            "owner_address": owner.hex(),
            "contract_address": token.hex(),
            "function_selector": "transfer(address,uint256)",
            "parameter": (words.rjust(32, b"\0") + (1).to_bytes(32)).hex(),
        },
        GENESIS_MS,
    )
    without = told["energy_used"] - told.get("energy_penalty", 0)
    assert abs(without - 28_664) <= 1
    assert ("energy_penalty" in told) == (factor > 1_000)
