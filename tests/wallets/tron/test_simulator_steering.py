"""Coins, time and contracts' habits that tests and demonstrations ask of the simulated node."""

from typing import Any

import pytest

from tests.wallets.tron.simulated_net import HOLDER, NEW, OTHER, OTHER_KEY, OWNER, TOKEN, TRX, Net
from wallets.tron.addresses import address_of
from wallets.tron.contracts import Freeze, Resource, Transfer, Trigger, Unfreeze, token_transfer

PAYER = b"\x41" + b"\x07" * 20
PAY = bytes.fromhex("0c11dedd") + HOLDER[1:].rjust(32, b"\0")


async def balance(net: Net, key: bytes) -> Any:
    return (await net.call("/wallet/getaccount", address=key.hex())).get("balance", 0)


async def test_an_account_is_given_trx_and_can_spend_it(net: Net) -> None:
    told = await net.call("/simulator/fund", address=address_of(OTHER), sun=50 * TRX)
    assert told["height"] == net.chain.head.height
    assert await balance(net, OTHER) == 50 * TRX
    await net.mined(net.transaction(Transfer(OTHER, HOLDER, 7), key=OTHER_KEY))
    assert await balance(net, HOLDER) == TRX + 7


async def test_tokens_are_given_on_top_and_make_no_account(net: Net) -> None:
    for _ in range(2):
        await net.call("/simulator/fund", address=NEW.hex(), token=TOKEN.hex(), atoms=5)
    assert net.chain.head.state.tokens[TOKEN][NEW] == 10
    assert await net.call("/wallet/getaccount", address=NEW.hex()) == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"address": NEW.hex()},
        {"address": "nobody", "sun": 1},
        {"address": NEW.hex(), "sun": -1},
        {"address": NEW.hex(), "sun": "much"},
        {"address": NEW.hex(), "token": TOKEN.hex()},
        {"address": NEW.hex(), "atoms": 5},
    ],
)
async def test_a_request_that_says_nothing_clear_gives_nothing(
    net: Net, body: dict[str, Any]
) -> None:
    answer = await net.client.post("/simulator/fund", json=body)
    assert answer.status == 400
    assert await net.call("/wallet/getaccount", address=NEW.hex()) == {}


async def test_fourteen_days_go_by_at_once_and_unstaked_trx_is_free(net: Net) -> None:
    await net.mined(net.transaction(Freeze(OWNER, 500 * TRX, Resource.ENERGY)))
    await net.mined(net.transaction(Unfreeze(OWNER, 500 * TRX, Resource.ENERGY)))
    before = net.chain.head
    told = await net.call("/simulator/time", seconds=14 * 24 * 3_600)
    assert told["time_ms"] == before.time_ms + 14 * 24 * 3_600_000
    assert told["height"] == before.height + 1
    asks = {"owner_address": OWNER.hex()}
    info = await net.mined(net.asking("WithdrawExpireUnfreezeContract", asks))
    assert info["withdraw_expire_amount"] == 500 * TRX


async def test_a_busy_contract_gets_dearer_by_a_fifth_each_round_up_to_its_ceiling(
    net: Net,
) -> None:
    factors = []
    for _ in range(12):
        await net.call("/simulator/contract", contract=TOKEN.hex(), cycle_energy=5 * 10**9)
        await net.call("/simulator/time", seconds=6 * 3_600)
        asked = await net.call("/wallet/getcontractinfo", value=TOKEN.hex())
        factors.append(asked["contract_state"]["energy_factor"])
    # As recorded on a real node.
    assert factors[:9] == [2_000, 4_400, 7_280, 10_736, 14_883, 19_859, 25_830, 32_996, 34_000]
    info = await net.mined(net.transaction(token_transfer(OWNER, TOKEN, HOLDER, 5), 100 * TRX))
    receipt = info["receipt"]
    assert receipt["energy_usage_total"] - receipt["energy_penalty_total"] == 13_664
    # A real node said 46,350: it rounds per instruction.
    assert receipt["energy_penalty_total"] == pytest.approx(46_350, rel=0.003)
    await net.call("/simulator/time", seconds=6 * 3_600)
    asked = await net.call("/wallet/getcontractinfo", value=TOKEN.hex())
    assert asked["contract_state"]["energy_factor"] == 31_800


async def test_a_contracts_creator_pays_its_part_of_the_energy(net: Net) -> None:
    net.fund(OTHER, 100 * TRX)
    net.fund(OWNER, 100_000 * TRX)
    await net.mined(net.transaction(Freeze(OWNER, 90_000 * TRX, Resource.ENERGY)))
    await net.call("/simulator/fund", address=OTHER.hex(), token=TOKEN.hex(), atoms=9)
    habits = {"creator": OWNER.hex(), "user_percent": 30, "origin_energy_limit": 5_000}
    await net.call("/simulator/contract", contract=TOKEN.hex(), **habits)
    call = token_transfer(OTHER, TOKEN, HOLDER, 5)
    receipt = (await net.mined(net.transaction(call, 100 * TRX, key=OTHER_KEY)))["receipt"]
    assert receipt["origin_energy_usage"] == 5_000
    assert receipt["energy_fee"] == (13_664 - 5_000) * 100


async def test_trx_that_a_contract_pays_out_shows_as_internal_alone(net: Net) -> None:
    await net.call("/simulator/contract", contract=PAYER.hex(), pays_out=True)
    info = await net.mined(net.transaction(Trigger(OWNER, PAYER, PAY, 3 * TRX), 100 * TRX))
    assert info["receipt"]["energy_usage_total"] == 7_092
    [paid] = info["internal_transactions"]
    assert paid.pop("hash")
    assert paid == {
        "caller_address": PAYER.hex(),
        "transferTo_address": HOLDER.hex(),
        "callValueInfo": [{"callValue": 3 * TRX}],
        "note": "63616c6c",
    }
    assert await balance(net, HOLDER) == 4 * TRX


# (habits, result, atoms that arrive, what the call returns)
HABITS = [
    ({"returns": ""}, "SUCCESS", 1_000_000, ""),
    ({"returns": f"{1:064x}"}, "SUCCESS", 1_000_000, f"{1:064x}"),
    ({}, "SUCCESS", 1_000_000, "00" * 32),
    (
        {"fee_basis_points": 10, "fee_max": 10**6, "creator": NEW.hex()},
        "SUCCESS",
        999_000,
        "00" * 32,
    ),
    ({"is_paused": True}, "REVERT", 0, None),
    ({"banned": [OWNER.hex()]}, "REVERT", 0, None),
]


@pytest.mark.parametrize(("habits", "result", "arrives", "returned"), HABITS)
async def test_a_token_may_have_odd_habits(
    net: Net, habits: dict[str, Any], result: str, arrives: int, returned: str | None
) -> None:
    await net.call("/simulator/contract", contract=TOKEN.hex(), **habits)
    call = token_transfer(OWNER, TOKEN, HOLDER, 1_000_000)
    info = await net.mined(net.transaction(call, 100 * TRX))
    assert info["receipt"]["result"] == result
    assert net.chain.head.state.tokens[TOKEN][HOLDER] == 1 + arrives
    if returned is not None:
        assert info["contractResult"] == [returned]


async def test_a_trc10_twin_of_a_token_is_another_token(net: Net) -> None:
    await net.call("/simulator/fund", address=OWNER.hex(), asset="1000001", atoms=500)
    value = {
        "owner_address": OWNER.hex(),
        "to_address": HOLDER.hex(),
        "asset_name": b"1000001".hex(),
        "amount": 200,
    }
    info = await net.mined(net.asking("TransferAssetContract", value))
    assert "log" not in info
    assert net.chain.head.state.assets[b"1000001"] == {OWNER: 300, HOLDER: 200}
    assert net.chain.head.state.tokens[TOKEN][HOLDER] == 1
    shown = await net.call("/wallet/getaccount", address=HOLDER.hex())
    assert shown["assetV2"] == [{"key": "1000001", "value": 200}]


async def test_making_an_account_costs_the_same_as_paying_to_a_new_one(net: Net) -> None:
    value = {"owner_address": OWNER.hex(), "account_address": NEW.hex()}
    info = await net.mined(net.asking("AccountCreateContract", value))
    assert (info["fee"], info["receipt"]) == (1_100_000, {"net_fee": 100_000})
    again = await net.send(net.asking("AccountCreateContract", value))
    assert again["message"] == "Contract validate error : Account has existed"
