"""JSON of a node's HTTP interface from and to protobuf. Pure.

As on a real node the JSON `raw_data` alone counts: `raw_data_hex` and `txID` of a request are not
read. Accounts are hexadecimal text, as without `visible`.
"""

from hashlib import sha256

from google.protobuf.any_pb2 import Any as AnyMessage
from tronpy.proto import tron_pb2

from wallets.tron.contracts import Resource
from wallets.tron.simulator.chain import Executed, SimulatedBlock, id_of
from wallets.tron.simulator.messages import KINDS, NAMES, Json, body_of, message_json, message_of
from wallets.tron.simulator.stake_reads import without_zeros
from wallets.tron.simulator.state import Log, Receipt


def transaction_from(body: Json) -> tron_pb2.Transaction:
    """Raises KeyError, TypeError or ValueError for what is no transaction that is simulated."""
    data = body["raw_data"]
    contracts = []
    for contract in data["contract"]:
        kind = contract["type"]
        message = message_of(kind, contract["parameter"]["value"])
        parameter = AnyMessage(
            type_url=f"type.googleapis.com/protocol.{kind}", value=message.SerializeToString()
        )
        contracts.append(
            tron_pb2.Transaction.Contract(
                type=KINDS[kind].number,
                parameter=parameter,
                Permission_id=contract.get("Permission_id", 0),
            )
        )
    raw = tron_pb2.Transaction.raw(
        ref_block_bytes=bytes.fromhex(data.get("ref_block_bytes", "")),
        ref_block_hash=bytes.fromhex(data.get("ref_block_hash", "")),
        expiration=data.get("expiration", 0),
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
    value = message_json(body_of(contract))
    form: Json = {"parameter": {"value": value, "type_url": contract.parameter.type_url}}
    form["type"] = NAMES[contract.type]
    if contract.Permission_id:
        form["Permission_id"] = contract.Permission_id
    data = without_zeros(
        {
            "contract": [form],
            "ref_block_bytes": raw.ref_block_bytes.hex(),
            "ref_block_hash": raw.ref_block_hash.hex(),
            "expiration": raw.expiration,
            "timestamp": raw.timestamp,
            "data": raw.data.hex(),
            "fee_limit": raw.fee_limit,
        }
    )
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
        "log": [log_json(log) for log in receipt.logs],
    }
    answer["internal_transactions"] = [
        {
            "hash": sha256(f"{done.txid}{number}".encode()).hexdigest(),
            "caller_address": paid.contract.hex(),
            "transferTo_address": paid.to.hex(),
            "callValueInfo": [{"callValue": paid.amount}],
            "note": b"call".hex(),
        }
        for number, paid in enumerate(receipt.internals)
    ]
    answer["withdraw_expire_amount"] = receipt.withdrawn
    if receipt.restaked is not None:
        # A map of three kinds, of which votes alone are always zero.
        restaked = receipt.restaked
        amounts = {
            "ENERGY": restaked[Resource.ENERGY],
            "TRON_POWER": 0,
            "BANDWIDTH": restaked[Resource.BANDWIDTH],
        }
        answer["cancel_unfreezeV2_amount"] = [
            {"key": name, "value": amount} for name, amount in amounts.items()
        ]
    if receipt.result not in ("", "SUCCESS"):
        answer["result"] = "FAILED"
        answer["resMessage"] = receipt.message.encode().hex()
    return without_zeros(answer)


def log_json(log: Log) -> Json:
    """An event; the prefix 41 of its addresses is missing, as on a real node."""
    words = (log.sender[1:].rjust(32, b"\0").hex(), log.receiver[1:].rjust(32, b"\0").hex())
    return {
        "address": log.token[1:].hex(),
        "topics": [log.topic, *words],
        "data": log.amount.to_bytes(32).hex(),
    }


def receipt_json(receipt: Receipt) -> Json:
    """The receipt; zeros are left out."""
    return without_zeros(
        {
            "energy_usage": receipt.energy_usage,
            "energy_fee": receipt.energy_fee,
            "energy_usage_total": receipt.energy_total,
            "energy_penalty_total": receipt.energy_penalty,
            "origin_energy_usage": receipt.origin_energy_usage,
            "net_usage": receipt.net_usage,
            "net_fee": receipt.net_fee,
            "result": receipt.result,
        }
    )


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
