"""JSON of a node's HTTP interface from and to protobuf. Pure.

As on a real node the JSON `raw_data` alone counts: `raw_data_hex` and `txID` of a request are not
read. Accounts are hexadecimal text, as without `visible`.
"""

from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from tronpy.proto import tron_pb2

from wallets.tron.simulator.chain import Executed, SimulatedBlock, id_of
from wallets.tron.simulator.state import TRANSFER_TOPIC, Receipt

Json = dict[str, Any]
TYPES = {"TransferContract": 1, "TriggerSmartContract": 31}
# JSON name and whether it is bytes, per kind.
FIELDS: dict[str, dict[str, bool]] = {
    "TransferContract": {"amount": False, "owner_address": True, "to_address": True},
    "TriggerSmartContract": {
        "owner_address": True,
        "contract_address": True,
        "data": True,
        "call_value": False,
    },
}


def transaction_from(body: Json) -> tron_pb2.Transaction:
    """Raises KeyError, TypeError or ValueError for what is no transaction that is simulated."""
    data = body["raw_data"]
    contracts = []
    for contract in data["contract"]:
        kind = contract["type"]
        value = contract["parameter"]["value"]
        fields = {
            name: bytes.fromhex(value[name]) if is_bytes else value[name]
            for name, is_bytes in FIELDS[kind].items()
            if name in value
        }
        message = getattr(tron_pb2, kind)(**fields)
        parameter = AnyMessage(
            type_url=f"type.googleapis.com/protocol.{kind}", value=message.SerializeToString()
        )
        contracts.append(
            tron_pb2.Transaction.Contract(
                type=TYPES[kind],
                parameter=parameter,
                Permission_id=contract.get("Permission_id", 0),
            )
        )
    raw = tron_pb2.Transaction.raw(
        ref_block_bytes=bytes.fromhex(data["ref_block_bytes"]),
        ref_block_hash=bytes.fromhex(data["ref_block_hash"]),
        expiration=data["expiration"],
        data=bytes.fromhex(data.get("data", "")),
        contract=contracts,
        timestamp=data.get("timestamp", 0),
        fee_limit=data.get("fee_limit", 0),
    )
    signatures = [bytes.fromhex(text) for text in body.get("signature", [])]
    return tron_pb2.Transaction(raw_data=raw, signature=signatures)


def transaction_json(whole: tron_pb2.Transaction, result: str = "") -> Json:
    """As `gettransactionbyid` shows it; `result` is its contractRet."""
    raw = whole.raw_data
    contract = raw.contract[0]
    kind = {number: name for name, number in TYPES.items()}[contract.type]
    message = getattr(tron_pb2, kind).FromString(contract.parameter.value)
    value = {
        field.name: found.hex() if isinstance(found, bytes) else found
        for field, found in message.ListFields()
    }
    form: Json = {"parameter": {"value": value, "type_url": contract.parameter.type_url}}
    form["type"] = kind
    if contract.Permission_id:
        form["Permission_id"] = contract.Permission_id
    data: Json = {
        "contract": [form],
        "ref_block_bytes": raw.ref_block_bytes.hex(),
        "ref_block_hash": raw.ref_block_hash.hex(),
        "expiration": raw.expiration,
        "timestamp": raw.timestamp,
    }
    if raw.data:
        data["data"] = raw.data.hex()
    if raw.fee_limit:
        data["fee_limit"] = raw.fee_limit
    answer: Json = {"ret": [{"contractRet": result}]} if result else {"visible": False}
    if whole.signature:
        answer["signature"] = [signature.hex() for signature in whole.signature]
    return answer | {
        "txID": id_of(whole),
        "raw_data": data,
        "raw_data_hex": raw.SerializeToString().hex(),
    }


def executed_json(done: Executed) -> Json:
    """A transaction with its contractRet."""
    return transaction_json(done.whole, done.receipt.result or "SUCCESS")


def info_json(done: Executed, block: SimulatedBlock) -> Json:
    """As `gettransactioninfobyid` shows it; zeros are left out."""
    receipt = done.receipt
    answer: Json = {"id": done.txid, "fee": receipt.fee, "blockNumber": block.height}
    answer |= {
        "blockTimeStamp": block.time_ms,
        "contractResult": [receipt.returned.hex()],
        "contract_address": receipt.token.hex(),
        "receipt": receipt_json(receipt),
        "log": [
            {
                # The prefix 41 is missing here, as on a real node.
                "address": log.token[1:].hex(),
                "topics": [
                    TRANSFER_TOPIC,
                    log.sender[1:].rjust(32, b"\0").hex(),
                    log.receiver[1:].rjust(32, b"\0").hex(),
                ],
                "data": log.amount.to_bytes(32).hex(),
            }
            for log in receipt.logs
        ],
    }
    if receipt.result not in ("", "SUCCESS"):
        answer["result"] = "FAILED"
    return {name: value for name, value in answer.items() if value}


def receipt_json(receipt: Receipt) -> Json:
    """The receipt; zeros are left out."""
    answer = {
        "energy_fee": receipt.energy_fee,
        "energy_usage_total": receipt.energy_usage,
        "net_usage": receipt.net_usage,
        "net_fee": receipt.net_fee,
        "result": receipt.result,
    }
    return {name: value for name, value in answer.items() if value}


def block_json(block: SimulatedBlock) -> Json:
    """A block as `getblockbynum` shows it."""
    header = {
        "number": block.height,
        "parentHash": block.parent_hash,
        "version": 32,
        "timestamp": block.time_ms,
    }
    answer: Json = {"blockID": block.block_hash, "block_header": {"raw_data": header}}
    if block.transactions:
        answer["transactions"] = [executed_json(done) for done in block.transactions]
    return answer
