"""The simulated node: held against a real one's recordings, and its faults."""

from collections.abc import Callable
from typing import Any

import pytest
from tronpy.proto import tron_pb2

from tests.wallets.tron.simulated_net import HOLDER, NEW, OWNER, TOKEN, TRX, Net
from wallets.tron.contracts import Transfer, token_transfer
from wallets.tron.simulator.json_forms import transaction_from, transaction_json
from wallets.tron.simulator.parameters import Parameters
from wallets.tron.simulator.signatures import signer_of
from wallets.tron.transactions import transaction_id


def id_of(whole: bytes) -> str:
    raw = tron_pb2.Transaction.FromString(whole).raw_data.SerializeToString()
    return transaction_id(raw)


def test_recorded_json_and_signatures_are_read_as_a_real_node_reads_them(
    recorded_transactions: list[dict[str, Any]],
) -> None:
    read = 0
    for recorded in recorded_transactions:
        contract = recorded["raw_data"]["contract"][0]
        simulated = contract["type"] in ("TransferContract", "TriggerSmartContract")
        if not simulated or recorded.get("visible") or "ret" not in recorded:
            continue
        if "ref_block_bytes" not in recorded["raw_data"] or not recorded.get("signature"):
            continue
        whole = transaction_from(recorded)
        raw = whole.raw_data.SerializeToString()
        assert raw.hex() == recorded["raw_data_hex"]
        result = recorded["ret"][0].get("contractRet", "")
        assert transaction_json(whole, result)["raw_data"] == recorded["raw_data"]
        if len(whole.signature) == 1 and not contract.get("Permission_id"):
            owner = contract["parameter"]["value"]["owner_address"]
            assert signer_of(raw, whole.signature[0]).hex() == owner
        read += 1
    assert read > 5


# (scenario, label of the recorded info, what is sent, sun of its fee limit)
MINED = [
    ("05-trx-activation", "1 sun to a new address: info", Transfer(OWNER, NEW, 1), 0),
    (
        "16-trc20-transfer",
        "to a new holder: info",
        token_transfer(OWNER, TOKEN, NEW, 10**12),
        100 * TRX,
    ),
]
# Own to each run: ids, heights, times; addresses and amounts of events.
LEFT_OUT = {"id", "blockNumber", "blockTimeStamp", "contract_address", "log"}


@pytest.mark.parametrize(("scenario", "label", "contract", "limit_sun"), MINED)
async def test_receipts_are_those_of_a_real_node(
    net: Net,
    recording: Callable[[str], list[dict[str, Any]]],
    scenario: str,
    label: str,
    contract: Any,
    limit_sun: int,
) -> None:
    recorded = next(call for call in recording(scenario) if call["label"] == label)["response"]
    info = await net.mined(net.transaction(contract, limit_sun))
    assert set(info) == set(recorded)
    for name in set(recorded) - LEFT_OUT:
        assert info[name] == recorded[name], name
    assert [set(log) for log in info.get("log", [])] == [
        set(log) for log in recorded.get("log", [])
    ]


async def test_energy_is_that_of_the_holder_and_both_are_capped_by_fee_limit(net: Net) -> None:
    held = await net.mined(net.transaction(token_transfer(OWNER, TOKEN, HOLDER, 5), 100 * TRX))
    assert held["receipt"]["energy_usage_total"] == 13_664
    lost = await net.mined(net.transaction(token_transfer(OWNER, TOKEN, NEW, 5), TRX))
    assert lost["receipt"]["result"] == "OUT_OF_ENERGY"
    assert lost["receipt"]["energy_fee"] == TRX
    assert lost["result"] == "FAILED"
    assert "log" not in lost


async def test_a_call_that_reverts_is_in_a_block_and_is_charged(net: Net) -> None:
    whole = net.transaction(token_transfer(OWNER, TOKEN, HOLDER, 10**13), 100 * TRX)
    info = await net.mined(whole)
    assert info["receipt"]["result"] == "REVERT"
    assert info["receipt"]["energy_usage_total"] == 1_005
    assert net.chain.head.state.tokens[TOKEN][HOLDER] == 1


async def test_free_bandwidth_is_used_up_and_then_trx_is_burned(net: Net) -> None:
    receipts = [
        (await net.mined(net.transaction(Transfer(OWNER, HOLDER, 1_000))))["receipt"]
        for _ in range(3)
    ]
    sizes = [sum(receipt.values()) for receipt in receipts]
    assert [set(receipt) for receipt in receipts] == [{"net_usage"}, {"net_usage"}, {"net_fee"}]
    assert sizes[2] == sizes[0] * 1_000


async def test_a_memo_costs_one_trx(net: Net) -> None:
    info = await net.mined(net.transaction(Transfer(OWNER, HOLDER, 1), memo=b"invoice 42"))
    assert info["fee"] == TRX


async def test_the_same_bytes_again_are_a_duplicate_wherever_they_are(net: Net) -> None:
    whole = net.transaction(Transfer(OWNER, HOLDER, 1))
    assert (await net.send(whole))["code"] == "SUCCESS"
    for _ in range(4):
        assert (await net.send(whole))["code"] == "DUP_TRANSACTION_ERROR"
        net.chain.make_block()


async def test_pending_money_shows_on_the_full_node_and_not_on_the_solid_one(net: Net) -> None:
    whole = net.transaction(Transfer(OWNER, HOLDER, 7))
    await net.send(whole)
    asked = {"address": HOLDER.hex()}
    assert (await net.call("/wallet/getaccount", **asked))["balance"] == TRX + 7
    assert (await net.call("/walletsolidity/getaccount", **asked))["balance"] == TRX
    by_id = {"value": id_of(whole)}
    shown = await net.call("/wallet/gettransactionbyid", **by_id)
    assert shown["ret"] == [{"contractRet": "SUCCESS"}]
    assert await net.call("/wallet/gettransactioninfobyid", **by_id) == {}
    net.chain.make_block()
    assert await net.call("/walletsolidity/gettransactioninfobyid", **by_id) == {}
    for _ in range(2):
        net.chain.make_block()
    solid = await net.call("/walletsolidity/gettransactioninfobyid", **by_id)
    assert solid["id"] == by_id["value"]


async def test_expiration_counts_from_the_time_of_the_head(net: Net) -> None:
    head_ms = net.chain.head.time_ms
    for expiration_ms in (head_ms, head_ms - 1, head_ms + 24 * 3_600_000 + 1):
        whole = net.transaction(Transfer(OWNER, HOLDER, 1), expiration_ms=expiration_ms)
        assert (await net.send(whole))["code"] == "TRANSACTION_EXPIRATION_ERROR"


async def test_a_transaction_that_names_a_block_of_a_lost_fork_is_refused(net: Net) -> None:
    net.chain.parameters = Parameters(solid_lag_blocks=0)
    whole = net.transaction(Transfer(OWNER, HOLDER, 1))
    net.chain.parameters = Parameters(solid_lag_blocks=2)
    await net.call("/simulator/fork", depth=1, keep=False)
    assert (await net.send(whole))["code"] == "TAPOS_ERROR"


@pytest.mark.parametrize("keep", [True, False])
async def test_a_fork_takes_a_mined_transaction_away(net: Net, keep: bool) -> None:
    whole = net.transaction(Transfer(OWNER, HOLDER, 7))
    await net.mined(whole)
    old_hash = net.chain.head.block_hash
    await net.call("/simulator/fork", depth=1, keep=keep)
    assert net.chain.head.block_hash != old_hash
    by_id = {"value": id_of(whole)}
    assert await net.call("/wallet/gettransactioninfobyid", **by_id) == {}
    net.chain.make_block()
    again = await net.call("/wallet/gettransactioninfobyid", **by_id)
    assert bool(again) is keep
    assert net.chain.head.state.accounts[HOLDER].balance == TRX + (7 if keep else 0)


async def test_solid_blocks_do_not_leave_the_chain(net: Net) -> None:
    with pytest.raises(ValueError, match="solid"):
        net.chain.switch_fork(3, keep=True)


async def test_another_key_does_not_sign_for_an_account(net: Net) -> None:
    refused = await net.send(net.transaction(Transfer(HOLDER, OWNER, 1)))
    assert refused["code"] == "SIGERROR"
    assert "is signed by" in refused["message"]


async def test_a_balance_is_spent_once_though_both_fit_alone(net: Net) -> None:
    first = net.transaction(Transfer(OWNER, HOLDER, 600 * TRX))
    second = net.transaction(Transfer(OWNER, HOLDER, 600 * TRX + 1))
    assert (await net.send(first))["code"] == "SUCCESS"
    assert (await net.send(second))["code"] == "CONTRACT_VALIDATE_ERROR"


async def test_a_transaction_can_be_taken_and_dropped_and_sent_again(net: Net) -> None:
    await net.call("/simulator/faults", accept_then_drop=1)
    whole = net.transaction(Transfer(OWNER, HOLDER, 1))
    assert (await net.send(whole))["code"] == "SUCCESS"
    net.chain.make_block()
    by_id = {"value": id_of(whole)}
    assert await net.call("/wallet/gettransactioninfobyid", **by_id) == {}
    assert (await net.mined(whole))["id"] == by_id["value"]


async def test_a_transaction_can_be_taken_though_the_answer_is_lost(net: Net) -> None:
    await net.call("/simulator/faults", accept_then_time_out=1)
    whole = net.transaction(Transfer(OWNER, HOLDER, 1))
    answer = await net.client.post("/wallet/broadcasthex", json={"transaction": whole.hex()})
    assert answer.status == 504
    assert (await net.send(whole))["code"] == "DUP_TRANSACTION_ERROR"


async def test_a_refused_id_can_answer_duplicate_later(net: Net) -> None:
    await net.call("/simulator/faults", cache_refused=True)
    whole = net.transaction(Transfer(OWNER, HOLDER, 10_000 * TRX))
    assert (await net.send(whole))["code"] == "CONTRACT_VALIDATE_ERROR"
    assert (await net.send(whole))["code"] == "DUP_TRANSACTION_ERROR"


async def test_a_replica_lags_and_limits_calls(net: Net) -> None:
    await net.call("/simulator/faults", lag_blocks=3)
    shown = await net.call("/wallet/getnowblock")
    assert shown["block_header"]["raw_data"]["number"] == net.chain.head.height - 3
    ahead = net.chain.head.height
    assert await net.call("/wallet/getblockbynum", num=ahead) == {}
    assert await net.call("/wallet/gettransactioninfobyblocknum", num=ahead) == []
    await net.call("/simulator/faults", calls_left=0)
    assert (await net.client.post("/wallet/getnowblock")).status == 429
