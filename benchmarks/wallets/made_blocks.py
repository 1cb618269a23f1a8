"""Blocks of each chain made here: whole, hashed and rooted, with some payments to watched keys.

Used by `benchmarks.wallets.scanning`. Everything that the scanner proves of a block holds, but no
work was done for a header and no signature is true: the scanner looks at neither. Pure.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from benchmarks.wallets.recorded import Recording
from wallets.bitcoin.blocks import merkle_root
from wallets.bitcoin.scripts import ScriptKind, script_of
from wallets.bitcoin.wire import (
    NO_INDEX,
    NO_TXID,
    Input,
    Output,
    Transaction,
    compact,
    double_hash,
)
from wallets.contract import BlockRef, TransactionId
from wallets.ethereum import proofs
from wallets.ethereum.blocks import TRANSFER_TOPIC
from wallets.ethereum.trie_root import ordered_root
from wallets.tron import transactions
from wallets.tron.contracts import token_transfer

GENESIS: Final = "00" * 32
TIME_SECONDS: Final = 1_795_000_000
ETHEREUM_TOKEN: Final = b"\x07" * 20
TRON_TOKEN: Final = b"\x41" + b"\x07" * 20
PAYER: Final = b"\x11" * 20
# Logs of one transaction on Ethereum: exchanges pay many at once.
LOGS_OF_TRANSACTION: Final = 6
AMOUNT_ATOMS: Final = 1_000_000
GAS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Amounts:
    """What stands in one block: movements, and how many of them pay watched keys."""

    moved: int
    ours: int


def digest_of(place: int) -> bytes:
    """20 bytes of a watched key, as the database makes them too (`scanning.FILL`)."""
    return hashlib.sha256(str(place).encode()).digest()[:20]


def recipients(height: int, amounts: Amounts) -> list[bytes]:
    """Whom a block pays: watched keys below a thousand first, then strangers."""
    watched = [digest_of((height * amounts.ours + at) % 1_000) for at in range(amounts.ours)]
    strangers = (f"stranger {height} {at}" for at in range(amounts.moved - amounts.ours))
    return watched + [hashlib.sha256(one.encode()).digest()[:20] for one in strangers]


def add_bitcoin(recording: Recording, height: int, parent: str, amounts: Amounts) -> str:
    """A block of payments with one input and two outputs; its hash."""
    script = script_of(ScriptKind.P2WPKH, b"c" * 20)
    paid = [script_of(ScriptKind.P2WPKH, one) for one in recipients(height, amounts)]
    coinbase = Input(TransactionId(NO_TXID), NO_INDEX, height.to_bytes(4, "little"), 0)
    made = [Transaction(2, (coinbase,), (Output(AMOUNT_ATOMS, script),), 0)]
    for at in range(0, len(paid), 2):
        spent = hashlib.sha256(f"{height} {at}".encode()).hexdigest()
        one = Input(TransactionId(spent), 0, b"", 0, (bytes(72), bytes(33)))
        outputs = tuple(Output(AMOUNT_ATOMS, to) for to in paid[at : at + 2])
        made.append(Transaction(2, (one,), outputs, 0))
    root = merkle_root([double_hash(one.serialise(with_witness=False)) for one in made])
    time = (TIME_SECONDS + height * 600).to_bytes(4, "little")
    header = bytes(4) + bytes.fromhex(parent)[::-1] + root + time + bytes(8)
    block_hash = double_hash(header)[::-1].hex()
    raw = header + compact(len(made)) + b"".join(one.serialise() for one in made)
    recording.add("getblockhash", [height], block_hash)
    recording.add("getblock", [block_hash, 0], raw.hex())
    return block_hash


def add_ethereum(recording: Recording, height: int, parent: str, amounts: Amounts) -> str:
    """A block of calls that each log some transfers of our token; its hash."""
    paid = recipients(height, amounts)
    groups = [
        paid[at : at + LOGS_OF_TRANSACTION] for at in range(0, len(paid), LOGS_OF_TRANSACTION)
    ]
    calls = [call_of(height, place) for place in range(len(groups))]
    raw = [proofs.encoded_transaction(one) for one in calls]
    receipts = [receipt_of(place, group) for place, group in enumerate(groups)]
    header: dict[str, Any] = {
        "parentHash": "0x" + parent,
        "sha3Uncles": "0x" + "1d" * 32,
        "miner": "0x" + PAYER.hex(),
        "stateRoot": "0x" + "22" * 32,
        "transactionsRoot": "0x" + ordered_root(raw).hex(),
        "receiptsRoot": "0x"
        + ordered_root([proofs.encoded_receipt(one) for one in receipts]).hex(),
        "logsBloom": "0x" + "00" * 256,
        "difficulty": "0x0",
        "number": hex(height),
        "gasLimit": hex(60_000_000),
        "gasUsed": hex(GAS * len(groups)),
        "timestamp": hex(TIME_SECONDS + height * 12),
        "extraData": "0x",
        "mixHash": "0x" + "00" * 32,
        "nonce": "0x" + "00" * 8,
        "baseFeePerGas": hex(10**9),
    }
    block_hash = keccak(proofs.by((*proofs.HEADER, *proofs.HEADER_LATER[:1]), header)).hex()
    place_of = {"blockHash": "0x" + block_hash, "blockNumber": hex(height)}
    for place, (call, content, receipt) in enumerate(zip(calls, raw, receipts, strict=True)):
        named = {**place_of, "transactionIndex": hex(place)}
        call.update(named, hash="0x" + keccak(content).hex())
        receipt.update(named, transactionHash=call["hash"])
        for log in receipt["logs"]:
            log.update(named, transactionHash=call["hash"])
    head = {**header, "hash": "0x" + block_hash}
    recording.add("eth_getBlockByNumber", [hex(height), False], {**head, "transactions": []})
    recording.add("eth_getBlockByHash", ["0x" + block_hash, True], {**head, "transactions": calls})
    recording.add("eth_getBlockReceipts", ["0x" + block_hash], receipts)
    return block_hash


def call_of(height: int, place: int) -> dict[str, Any]:
    """A transaction as nodes tell it; nobody signed it."""
    return {
        "type": "0x2",
        "chainId": "0x1",
        "nonce": hex(height * 10_000 + place),
        "maxPriorityFeePerGas": hex(10**9),
        "maxFeePerGas": hex(10**10),
        "gas": hex(GAS),
        "from": "0x" + PAYER.hex(),
        "to": "0x" + ETHEREUM_TOKEN.hex(),
        "value": "0x0",
        "input": "0xa9059cbb" + "00" * 64,
        "accessList": [],
        "v": "0x1",
        "r": "0x" + "1" * 64,
        "s": "0x" + "2" * 64,
    }


def receipt_of(place: int, paid: list[bytes]) -> dict[str, Any]:
    """Of a call that succeeded."""
    logs = [
        {
            "address": "0x" + ETHEREUM_TOKEN.hex(),
            "topics": [
                "0x" + TRANSFER_TOPIC.hex(),
                "0x" + PAYER.rjust(32, b"\0").hex(),
                "0x" + to.rjust(32, b"\0").hex(),
            ],
            "data": "0x" + AMOUNT_ATOMS.to_bytes(32).hex(),
            "logIndex": hex(place * LOGS_OF_TRANSACTION + index),
            "removed": False,
        }
        for index, to in enumerate(paid)
    ]
    return {
        "type": "0x2",
        "status": "0x1",
        "cumulativeGasUsed": hex(GAS * (place + 1)),
        "gasUsed": hex(GAS),
        "effectiveGasPrice": hex(10**9),
        "logsBloom": "0x" + "00" * 256,
        "logs": logs,
    }


def add_tron(recording: Recording, height: int, parent: str, amounts: Amounts) -> str:
    """A block of calls that each log one transfer of our token; its hash."""
    time_ms = TIME_SECONDS * 1_000 + height * 3_000
    identity = hashlib.sha256(f"{height} {parent}".encode()).digest()
    block_hash = (height.to_bytes(8) + identity[8:]).hex()
    reference = transactions.reference_of(BlockRef(height, block_hash), height)
    payer = b"\x41" + PAYER
    calls, infos = [], []
    for place, to in enumerate(recipients(height, amounts)):
        call = token_transfer(payer, TRON_TOKEN, b"\x41" + to, AMOUNT_ATOMS)
        plan = transactions.Plan(call, reference, time_ms + place, time_ms + 60_000, 10**7)
        raw = transactions.build(plan, time_ms)
        txid = transactions.transaction_id(raw)
        ret = [{"contractRet": "SUCCESS"}]
        signature = ["00" * 65]
        calls.append({"ret": ret, "signature": signature, "txID": txid, "raw_data_hex": raw.hex()})
        topics = [TRANSFER_TOPIC, PAYER.rjust(32, b"\0"), to.rjust(32, b"\0")]
        log = {
            "address": TRON_TOKEN[1:].hex(),
            "topics": [topic.hex() for topic in topics],
            "data": AMOUNT_ATOMS.to_bytes(32).hex(),
        }
        receipt = {"energy_usage_total": 14_650, "net_usage": 345, "result": "SUCCESS"}
        infos.append({"id": txid, "blockNumber": height, "log": [log], "receipt": receipt})
    raw_header = {"number": height, "parentHash": parent, "timestamp": time_ms}
    block = {
        "blockID": block_hash,
        "block_header": {"raw_data": raw_header, "witness_signature": "00" * 65},
    }
    recording.add("getblockbynum", {"num": height}, {**block, "transactions": calls})
    recording.add("gettransactioninfobyblocknum", {"num": height}, infos)
    return block_hash
