"""What an account's resources and stake are, out of a real node's answers."""

from collections.abc import Callable
from typing import Any

import pytest

from wallets.errors import Quarantined
from wallets.tron.resources import Resources, stake_of

Recording = Callable[[str], list[dict[str, Any]]]
TRX = 10**6
SCENARIO = "21-stake-delegate"
WAITING_MS = 1_796_564_076_000


def test_shares_of_energy_are_those_of_a_real_node(recording: Recording) -> None:
    asked = [one for one in recording(SCENARIO) if one["path"].endswith("getaccountresource")]
    limits = [one["response"].get("EnergyLimit") for one in asked]
    told = asked[0]["response"]
    shares = Resources(0, 0, 0, told["TotalEnergyLimit"], told["TotalEnergyWeight"])
    # Half a million TRX staked, of which a fifth is lent.
    assert (shares.energy_of(500_000 * TRX), shares.energy_of(100_000 * TRX)) == tuple(limits[:2])
    for energy in (1, 13_664, 28_664, 10**6):
        assert shares.energy_of(shares.sun_of(energy)) >= energy
    assert shares.sun_of(1) == TRX


def test_stake_is_what_a_real_node_says(recording: Recording) -> None:
    accounts = [
        stake_of(one["response"])
        for one in recording(SCENARIO)
        if one["path"].endswith("getaccount")
    ]
    assert accounts[0].staked_sun == accounts[0].free_sun == 500_000 * TRX
    last = next(one for one in accounts if one.leaving)
    # One thousand are lent under a lock, one thousand are on their way back.
    assert (last.free_sun, last.staked_sun) == (498_000 * TRX, 499_000 * TRX)
    assert last.leaving == ((1_000 * TRX, WAITING_MS),)


def test_without_stake_on_the_chain_there_is_no_share_and_no_division_by_nothing() -> None:
    empty = Resources(0, 0, 0, 0, 0)
    assert (empty.energy_of(TRX), empty.sun_of(5)) == (0, TRX)


@pytest.mark.parametrize("answer", [[], {"frozenV2": {}}, {"unfrozenV2": [1]}])
def test_what_no_node_says_is_no_stake(answer: object) -> None:
    with pytest.raises(Quarantined):
        stake_of(answer)


def test_an_account_that_is_not_there_has_staked_nothing() -> None:
    assert stake_of({}) == stake_of({"frozenV2": [{}, {"type": "ENERGY"}, {"type": "TRON_POWER"}]})
