"""Lanes on a real node give each other what they lack, by the worker's job of gathering."""

import pytest

from tests.chains.ethereum.custody import ETHER, GWEI, Custody, policy_of
from tests.chains.ethereum.test_gathering import hold_lease
from tests.chains.real_signer import NETWORK_ID, SEEDS
from wallets.errors import Condition, Stuck
from wallets.ethereum.addresses import account_at, parse_branch, text_of
from wallets.ethereum.gathering import EthereumGathering, SweepSettings
from wallets.treasury.bounds import Bounds
from wallets.treasury.gathering import Gathering

pytestmark = pytest.mark.chains

SECOND, STATION = 1, 2
TOKENS = 10**12


def place(custody: Custody, index: int) -> bytes:
    network = policy_of(custody.token).network(NETWORK_ID)
    return account_at(parse_branch(SEEDS.branch_key(network, "hot")), index)


async def gathering_of(custody: Custody) -> Gathering:
    """A second lane and a gas station, both empty."""
    for index, is_draining in ((SECOND, False), (STATION, True)):
        await custody.database.write(
            "insert into custody.ethereum_lane values (1, $1, 'hot', $2, $3)",
            place(custody, index),
            index,
            is_draining,
        )
    bounds = {
        "": Bounds(2 * ETHER, 4 * ETHER, 8 * ETHER),
        text_of(custody.token): Bounds(TOKENS // 10, TOKENS // 5, TOKENS // 2),
    }
    settings = SweepSettings(
        text_of(place(custody, STATION)), 20 * GWEI, {"": ETHER}, lane_bounds=bounds
    )
    gathers = EthereumGathering(custody.adapter, custody.database, settings)
    return Gathering(custody.database, custody.adapter, gathers, custody.signer)


async def test_lanes_and_the_gas_station_are_filled_once_from_the_fullest(custody: Custody) -> None:
    gathering = await gathering_of(custody)
    token = await hold_lease(custody)
    planned = []
    for _ in range(24):
        planned.append(await gathering.step(token))
        custody.node.mine()
    # Ether and tokens to the lane; then ether to the station; then all have what they need.
    assert [count for count in planned if count] == [2, 1]
    second, station = place(custody, SECOND), place(custody, STATION)
    assert custody.node.balance(text_of(second)) == 4 * ETHER
    assert custody.tokens_of(second) == TOKENS // 5
    assert custody.tokens_of(station) == 0
    rows = await custody.database.read(
        "select kind, state, fee_atoms from custody.attempt order by attempt_id"
    )
    assert {(row["kind"], row["state"]) for row in rows} == {("rebalance", "final")}
    left = custody.node.balance(text_of(custody.lane))
    filled = custody.node.balance(text_of(station))
    paid = sum(int(row["fee_atoms"]) for row in rows)
    assert left + filled + 4 * ETHER + paid == 10 * ETHER
    assert left >= 4 * ETHER
    assert ETHER < filled < 2 * ETHER
    # Within the hot wallet only the fees are booked.
    booked = await custody.database.read_row(
        "select sum(amount_atoms)::text as atoms from custody.posting "
        "where account = 'network_cost'"
    )
    assert booked is not None
    assert int(booked["atoms"]) == paid
    assert not await custody.database.read("select from custody.owned_input")


async def test_a_payout_does_not_count_on_what_is_on_its_way_to_another_lane(
    custody: Custody,
) -> None:
    gathering = await gathering_of(custody)
    wanted = custody.payout(1, 7 * ETHER)
    await custody.plan(wanted)
    assert await gathering.step(await hold_lease(custody)) == 2
    with pytest.raises(Stuck) as stuck:
        await custody.plan(wanted)
    assert stuck.value.condition is Condition.HOT_WALLET_UNFUNDED
