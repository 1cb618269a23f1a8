"""Commands follow from what changed in the resource, never from the phase of the engine."""

import copy
from typing import Any

import pytest

from cambist.orders.v1 import enums_pb2
from control.markets import plan
from control.markets.plan import Command

SPEC: dict[str, Any] = {
    "marketId": 65_537,
    "shard": 1,
    "base": "BTC",
    "quote": "USDT",
    "lotSizeAtoms": "10000",
    "tickSizeAtoms": "100000",
    "fees": {"makerPpm": -10, "takerPpm": 20},
    "limits": {
        "priceStepTicks": 1,
        "quantityStepLots": 1,
        "minimumQuantityLots": 1,
        "maximumQuantityLots": 1_000,
        "minimumNotionalAtoms": "0",
        "maximumNotionalAtoms": "5",
        "restingOrdersMax": 100,
    },
    "halted": False,
}


def changed(**change: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SPEC), **change}


def with_limits(**change: Any) -> dict[str, Any]:
    return changed(limits={**SPEC["limits"], **change})


@pytest.mark.parametrize(
    ("spec", "acknowledged", "wanted"),
    [
        (SPEC, None, [Command.CREATE]),
        (SPEC, SPEC, []),
        (changed(halted=True), SPEC, [Command.HALT]),
        (SPEC, changed(halted=True), [Command.RESUME]),
        (changed(fees={"makerPpm": 0, "takerPpm": 20}), SPEC, [Command.UPDATE]),
        (with_limits(marketProtectionPpm=0, staticBandPpm=0), SPEC, []),
        (with_limits(staticBandPpm=50_000), SPEC, [Command.UPDATE]),
        (
            changed(fees={"makerPpm": 0, "takerPpm": 20}, halted=True),
            SPEC,
            [Command.UPDATE, Command.HALT],
        ),
    ],
)
def test_one_command_per_changed_group(spec: Any, acknowledged: Any, wanted: list[Command]) -> None:
    assert plan.commands(spec, acknowledged) == wanted


@pytest.mark.parametrize("known", [None, SPEC, changed(halted=True, fees={})])
@pytest.mark.parametrize("spec", [SPEC, changed(halted=True)])
def test_acknowledging_what_is_planned_ends_with_nothing_to_send(spec: Any, known: Any) -> None:
    for _ in Command:
        for command in plan.commands(spec, known)[:1]:
            known = plan.acknowledge(spec, known, command)
    assert plan.commands(spec, known) == []


def test_a_new_market_is_halted_until_it_is_opened() -> None:
    known = plan.acknowledge(SPEC, None, Command.CREATE)
    assert plan.commands(SPEC, known) == [Command.RESUME]


def test_protection_and_band_go_to_the_engine_and_are_none_where_they_are_not_named() -> None:
    told = plan.limits_of(with_limits(marketProtectionPpm=30_000, staticBandPpm=50_000))
    assert (told.market_protection_ppm, told.static_band_ppm) == (30_000, 50_000)
    told = plan.limits_of(SPEC)
    assert (told.market_protection_ppm, told.static_band_ppm) == (0, 0)


def test_zero_notional_is_none_for_the_engine() -> None:
    limits = plan.limits_of(SPEC)
    assert (limits.minimum_notional_atoms, limits.maximum_notional_atoms) == ("", "5")


@pytest.mark.parametrize(
    ("halted", "phase", "diverged"),
    [
        (False, enums_pb2.MARKET_PHASE_HALTED, True),
        (False, enums_pb2.MARKET_PHASE_CLOSED, False),
        (True, enums_pb2.MARKET_PHASE_CONTINUOUS, True),
        (True, enums_pb2.MARKET_PHASE_HALTED, False),
    ],
)
def test_phases_diverge_when_one_side_alone_is_halted(
    halted: bool, phase: int, diverged: bool
) -> None:
    assert plan.diverges(changed(halted=halted), phase) is diverged


def test_a_request_has_one_name_over_all_tries() -> None:
    assert plan.request_id("u", 3, Command.HALT) == "u/3/Halt"
