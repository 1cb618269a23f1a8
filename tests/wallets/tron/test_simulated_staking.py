"""Stake and loans of the simulated node, held against a real one's recordings where it has any."""

from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wallets.tron.simulated_net import (
    HOLDER,
    NEW,
    OTHER,
    OTHER_KEY,
    OWNER,
    TOKEN,
    TRX,
    Net,
)
from wallets.tron.contracts import (
    Delegate,
    Freeze,
    Resource,
    Transfer,
    Undelegate,
    Unfreeze,
    token_transfer,
)
from wallets.tron.simulator.parameters import DAY_MILLISECONDS, SLOT_MILLISECONDS, WINDOW_SLOTS
from wallets.tron.simulator.state import Holding
from wallets.tron.simulator.usage import recovered, used_more

ENERGY, BANDWIDTH = Resource.ENERGY, Resource.BANDWIDTH
WITHDRAW: Final = "WithdrawExpireUnfreezeContract"
UNLENT: Final = (
    f"insufficient delegateFrozenBalance(Energy), request={10**13}, unlock_balance={10**10}"
)
ASKS: Final = {"owner_address": OWNER.hex()}


async def resources(net: Net, account: bytes) -> Any:
    return await net.call("/wallet/getaccountresource", address=account.hex())


async def account(net: Net, key: bytes) -> Any:
    return await net.call("/wallet/getaccount", address=key.hex())


async def refused(net: Net, contract: Any) -> str:
    answer = await net.send(net.transaction(contract))
    assert answer["code"] == "CONTRACT_VALIDATE_ERROR"
    return str(answer["message"]).removeprefix("Contract validate error : ")


async def test_stake_gives_its_share_of_the_whole_and_is_no_balance_any_more(net: Net) -> None:
    await net.mined(net.transaction(Freeze(OWNER, 500 * TRX, ENERGY)))
    await net.mined(net.transaction(Freeze(OWNER, 100 * TRX, BANDWIDTH)))
    told = await resources(net, OWNER)
    assert told["EnergyLimit"] == 500 * 180_000_000_000 // 18_000_000_500
    assert told["NetLimit"] == 100 * 43_200_000_000 // 27_000_000_100
    assert told["TotalEnergyWeight"] == 18_000_000_500
    shown = await account(net, OWNER)
    assert shown["balance"] == 400 * TRX
    assert shown["frozenV2"] == [
        {"amount": 100 * TRX},
        {"type": "ENERGY", "amount": 500 * TRX},
        {"type": "TRON_POWER"},
    ]


async def lent(net: Net, lock_blocks: int = 0) -> None:
    """The owner lends the energy of 10,000 TRX to another account."""
    net.fund(OWNER, 100_000 * TRX)
    net.fund(OTHER, 100 * TRX)
    net.chain.head.state.tokens[TOKEN][OTHER] = 100
    await net.mined(net.transaction(Freeze(OWNER, 20_000 * TRX, ENERGY)))
    await net.mined(net.transaction(Delegate(OWNER, OTHER, 10_000 * TRX, ENERGY, lock_blocks)))


async def sweep(net: Net) -> Any:
    call = token_transfer(OTHER, TOKEN, HOLDER, 5)
    return await net.mined(net.transaction(call, 100 * TRX, key=OTHER_KEY))


async def test_a_sweep_with_lent_energy_costs_no_sun(net: Net) -> None:
    await lent(net)
    info = await sweep(net)
    assert info["receipt"] == {
        "energy_usage": 13_664,
        "energy_usage_total": 13_664,
        "net_usage": 345,
        "result": "SUCCESS",
    }
    assert "fee" not in info
    told = await resources(net, OTHER)
    # One block later a little of it is back, as on the recorded net.
    assert (told["EnergyUsed"], told["EnergyLimit"]) == (13_663, 99_999)


async def test_energy_beyond_the_stake_is_burned(net: Net) -> None:
    await lent(net)
    for _ in range(7):
        await sweep(net)
    info = await sweep(net)
    receipt = info["receipt"]
    assert 0 < receipt["energy_usage"] < receipt["energy_usage_total"] == 13_664
    assert receipt["energy_fee"] == (13_664 - receipt["energy_usage"]) * 100
    assert info["fee"] == receipt["energy_fee"] + receipt["net_fee"]


async def test_the_fee_limit_caps_energy_that_is_lent_as_well(net: Net) -> None:
    await lent(net)
    call = token_transfer(OTHER, TOKEN, HOLDER, 5)
    info = await net.mined(net.transaction(call, 1_000_000, key=OTHER_KEY))
    assert info["receipt"]["result"] == "OUT_OF_ENERGY"
    assert info["receipt"]["energy_usage"] == 10_000


async def test_used_energy_goes_back_to_the_lender_with_the_loan(net: Net) -> None:
    await lent(net)
    await sweep(net)
    loan = Undelegate(OWNER, OTHER, 10_000 * TRX, ENERGY)
    await net.mined(net.transaction(loan))
    assert (await resources(net, OWNER))["EnergyUsed"] == 13_662
    told = await resources(net, OTHER)
    assert "EnergyUsed" not in told
    assert "EnergyLimit" not in told
    asked = {"fromAddress": OWNER.hex(), "toAddress": OTHER.hex()}
    assert await net.call("/wallet/getdelegatedresourcev2", **asked) == {}
    assert await refused(net, loan) == "delegated Resource does not exist"


async def test_a_locked_loan_comes_back_when_its_lock_is_over(net: Net) -> None:
    await lent(net, lock_blocks=100)
    loan = Undelegate(OWNER, OTHER, 10_000 * TRX, ENERGY)
    words = "insufficient delegateFrozenBalance(Energy), request=10000000000, unlock_balance=0"
    assert await refused(net, loan) == words
    shorter = Delegate(OWNER, OTHER, 10_000 * TRX, ENERGY, lock_blocks=10)
    assert "remaining time[297000ms] of the last lock period" in await refused(net, shorter)
    asked = {"fromAddress": OWNER.hex(), "toAddress": OTHER.hex()}
    shown = (await net.call("/wallet/getdelegatedresourcev2", **asked))["delegatedResource"]
    assert shown[0]["expire_time_for_energy"] == net.chain.head.time_ms + 297_000
    net.pass_time(300_000)
    info = await net.mined(net.transaction(loan))
    assert info["receipt"]
    assert (await account(net, OWNER))["frozenV2"][1] == {
        "type": "ENERGY",
        "amount": 20_000 * TRX,
    }


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        (Freeze(OWNER, 999_999, ENERGY), "frozenBalance must be greater than or equal to 1 TRX"),
        (
            Freeze(OWNER, 10**15, ENERGY),
            "frozenBalance must be less than or equal to accountBalance",
        ),
        (Delegate(OWNER, NEW, 10 * TRX, ENERGY), f"Account[{NEW.hex()}] not exists"),
        (
            Delegate(OWNER, TOKEN, 10 * TRX, ENERGY),
            "Do not allow delegate resources to contract addresses",
        ),
        (
            Delegate(OWNER, HOLDER, 10**13, ENERGY),
            "delegateBalance must be less than or equal to available FreezeEnergyV2 balance",
        ),
        (
            Delegate(OWNER, HOLDER, 10 * TRX, BANDWIDTH),
            "delegateBalance must be less than or equal to available FreezeBandwidthV2 balance",
        ),
        (
            Delegate(OWNER, HOLDER, 1, ENERGY),
            "delegateBalance must be greater than or equal to 1 TRX",
        ),
        (
            Delegate(OWNER, OWNER, 10 * TRX, ENERGY),
            "receiverAddress must not be the same as ownerAddress",
        ),
        (
            Undelegate(OWNER, OTHER, 10**13, ENERGY),
            UNLENT,
        ),
        (Unfreeze(OWNER, 10**13, ENERGY), "Invalid unfreeze_balance, [10000000000000] is error"),
        (Unfreeze(OWNER, TRX, BANDWIDTH), "no frozenBalance(BANDWIDTH)"),
    ],
)
async def test_refusals_are_in_the_words_of_a_real_node(
    net: Net, contract: Any, words: str
) -> None:
    await lent(net)
    assert await refused(net, contract) == words


async def test_unstaked_trx_waits_and_is_then_paid_out(net: Net) -> None:
    net.chain.parameters = net.chain.head.state.parameters = replace(
        net.chain.parameters, unstaking_days=0
    )
    await net.mined(net.transaction(Freeze(OWNER, 500 * TRX, ENERGY)))
    assert (await net.send(net.asking(WITHDRAW, ASKS)))["message"].endswith(
        "no unFreeze balance to withdraw "
    )
    await net.mined(net.transaction(Unfreeze(OWNER, 200 * TRX, ENERGY)))
    asked = {"owner_address": OWNER.hex()}
    can = await net.call("/wallet/getcanwithdrawunfreezeamount", **asked)
    assert can == {"amount": 200 * TRX}
    info = await net.mined(net.asking(WITHDRAW, ASKS))
    assert info["withdraw_expire_amount"] == 200 * TRX
    assert (await account(net, OWNER))["balance"] == 700 * TRX - info.get("fee", 0)


async def test_what_waits_can_be_staked_again_and_32_waits_are_the_most(net: Net) -> None:
    await net.mined(net.transaction(Freeze(OWNER, 500 * TRX, ENERGY)))
    for _ in range(32):
        await net.send(net.transaction(Unfreeze(OWNER, TRX, ENERGY)))
    net.chain.make_block()
    asked = {"owner_address": OWNER.hex()}
    assert await net.call("/wallet/getavailableunfreezecount", **asked) == {}
    assert await refused(net, Unfreeze(OWNER, TRX, ENERGY)) == (
        "Invalid unfreeze operation, unfreezing times is over limit"
    )
    waiting = (await account(net, OWNER))["unfrozenV2"]
    # The clock of the last block counts, not that of the block that takes it.
    expires_ms = net.chain.head.time_ms - SLOT_MILLISECONDS + 14 * DAY_MILLISECONDS
    assert waiting[0] == {
        "type": "ENERGY",
        "unfreeze_amount": TRX,
        "unfreeze_expire_time": expires_ms,
    }
    info = await net.mined(net.asking("CancelAllUnfreezeV2Contract", ASKS))
    assert info["cancel_unfreezeV2_amount"] == [
        {"key": "ENERGY", "value": 32 * TRX},
        {"key": "TRON_POWER", "value": 0},
        {"key": "BANDWIDTH", "value": 0},
    ]
    assert (await resources(net, OWNER))["EnergyLimit"] == 4_999


async def test_bandwidth_of_stake_is_used_before_the_free_part(net: Net) -> None:
    net.fund(OWNER, 100_000 * TRX)
    await net.mined(net.transaction(Freeze(OWNER, 50_000 * TRX, BANDWIDTH)))
    before = await resources(net, OWNER)
    await net.mined(net.transaction(Transfer(OWNER, HOLDER, 1_000)))
    told = await resources(net, OWNER)
    assert told["freeNetUsed"] < before["freeNetUsed"]
    assert ("NetUsed" in before, told["NetUsed"]) == (False, 266)


async def test_lent_out_stake_is_no_longer_lendable_and_both_sides_are_listed(net: Net) -> None:
    await lent(net)
    asked = {"owner_address": OWNER.hex(), "type": 1}
    assert await net.call("/wallet/getcandelegatedmaxsize", **asked) == {"max_size": 10_000 * TRX}
    index = "/wallet/getdelegatedresourceaccountindexv2"
    assert await net.call(index, value=OWNER.hex()) == {
        "account": OWNER.hex(),
        "toAccounts": [OTHER.hex()],
    }
    assert (await net.call(index, value=OTHER.hex()))["fromAccounts"] == [OWNER.hex()]


@given(
    uses=st.lists(
        st.tuples(st.integers(1, 10**6), st.integers(0, 2 * WINDOW_SLOTS)), min_size=1, max_size=8
    )
)
def test_usage_comes_back_within_a_day_and_never_exceeds_what_was_used(
    uses: list[tuple[int, int]],
) -> None:
    holding, slot, total = Holding(), 0, 0
    for amount, gone in uses:
        slot += gone
        holding, total = used_more(holding, amount, slot), total + amount
        assert 0 <= holding.used <= total
        assert recovered(holding, slot) <= holding.used
    assert recovered(holding, slot + WINDOW_SLOTS) == 0
