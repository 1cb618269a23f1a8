"""Solid blocks as movements, held against a real node's recordings."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from tronpy.proto import tron_pb2

from runtime.errors import Unavailable
from wallets.contract import TransactionId
from wallets.errors import Quarantined
from wallets.tron.blocks import TRANSFER_TOPIC, parse_block, transfers
from wallets.tron.transactions import transaction_id

Recording = Callable[[str], list[dict[str, Any]]]
HEIGHT = 23
TOKEN = b"\x41" + b"\x07" * 20


@pytest.fixture
def recorded(recording: Recording) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A block with one transfer of TRX, and its receipts."""
    calls = recording("03-trx-transfer")
    block = answer(calls, "/wallet/getblockbynum")
    return block, answer(calls, "/wallet/gettransactioninfobyblocknum")


def answer(calls: list[dict[str, Any]], path: str) -> Any:
    asked = [call for call in calls if call["path"] == path and call["request"] == {"num": HEIGHT}]
    return asked[0]["response"]


def test_a_recorded_block_is_its_transfer_of_trx(
    recorded: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    block, infos = recorded
    found = parse_block(block, infos, HEIGHT, ())
    (move,) = found.movements
    value = block["transactions"][0]["raw_data"]["contract"][0]["parameter"]["value"]
    assert (move.key.hex(), move.amount_atoms) == (value["to_address"], value["amount"])
    assert (move.index, move.contract) == (-1, b"")
    assert found.txids == {move.txid}
    assert found.ref.block_hash == block["blockID"]
    assert found.parent_hash == block["block_header"]["raw_data"]["parentHash"]


def test_a_block_that_is_not_whole_is_unknown(
    recorded: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    block, infos = recorded
    for told, receipts in (({}, infos), (block, []), (block, None)):
        with pytest.raises(Unavailable):
            parse_block(told, receipts, HEIGHT, ())


def broken(change: str, block: dict[str, Any], infos: list[dict[str, Any]]) -> None:
    """Spoils one thing."""
    transaction = block["transactions"][0]
    match change:
        case "id":
            transaction["txID"] = "00" * 32
            infos[0]["id"] = "00" * 32
        case "bytes":
            transaction["raw_data_hex"] = "zz"
        case "height":
            block["block_header"]["raw_data"]["number"] = HEIGHT + 1
        case "hash":
            block["blockID"] = "00" * 32
        case "receipt of another block":
            infos[0]["blockNumber"] = HEIGHT + 1
        case "one receipt too many":
            infos.append({**infos[0], "id": "11" * 32})
        case "time":
            block["block_header"]["raw_data"]["timestamp"] = "now"


@pytest.mark.parametrize(
    "change",
    ["id", "bytes", "height", "hash", "receipt of another block", "one receipt too many", "time"],
)
def test_a_block_that_contradicts_itself_is_a_lie(
    recorded: tuple[dict[str, Any], list[dict[str, Any]]], change: str
) -> None:
    block, infos = deepcopy(recorded)
    broken(change, block, infos)
    with pytest.raises(Quarantined):
        parse_block(block, infos, HEIGHT, ())


def test_a_failed_transfer_moves_nothing(
    recorded: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    block, infos = deepcopy(recorded)
    block["transactions"][0]["ret"] = [{"contractRet": "REVERT"}]
    assert parse_block(block, infos, HEIGHT, ()).movements == ()
    block, infos = deepcopy(recorded)
    infos[0]["result"] = "FAILED"
    assert parse_block(block, infos, HEIGHT, ()).movements == ()


def test_t12_a_transfer_of_the_older_kind_of_token_moves_nothing(
    recorded: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    block, infos = deepcopy(recorded)
    (transaction,) = block["transactions"]
    raw = tron_pb2.Transaction.raw.FromString(bytes.fromhex(transaction["raw_data_hex"]))
    paid = tron_pb2.TransferContract.FromString(raw.contract[0].parameter.value)
    asset = tron_pb2.TransferAssetContract(
        asset_name=b"USDT",
        owner_address=paid.owner_address,
        to_address=paid.to_address,
        amount=paid.amount,
    )
    raw.contract[0].type = 2
    raw.contract[0].parameter.type_url = "type.googleapis.com/protocol.TransferAssetContract"
    raw.contract[0].parameter.value = asset.SerializeToString()
    transaction["raw_data_hex"] = raw.SerializeToString().hex()
    txid = transaction_id(raw.SerializeToString())
    transaction["txID"] = infos[0]["id"] = txid
    found = parse_block(block, infos, HEIGHT, (TOKEN,))
    assert found.movements == ()
    assert found.txids == {txid}


def test_t12_each_log_of_one_transaction_is_a_movement_of_its_own() -> None:
    def log(token: bytes, amount: int) -> dict[str, Any]:
        topics = [TRANSFER_TOPIC.hex(), "00" * 32, TOKEN[1:].rjust(32, b"\0").hex()]
        return {"address": token[1:].hex(), "topics": topics, "data": amount.to_bytes(32).hex()}

    # Of ours, of another contract, of nothing, and twice the same.
    logs = [log(TOKEN, 5), log(b"\x41" + b"\x08" * 20, 5), log(TOKEN, 0), log(TOKEN, 5)]
    receipt = {"receipt": {"result": "SUCCESS"}, "log": logs}
    found = transfers(TransactionId("aa"), receipt, (TOKEN,))
    assert [(move.index, move.amount_atoms) for move in found] == [(0, 5), (3, 5)]
    assert {(move.key, move.contract) for move in found} == {(TOKEN, TOKEN)}
