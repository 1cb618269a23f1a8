"""What of a node's answer we compare, store and prove with: what every client tells alike.

Called by the node set before answers of nodes are compared. Clients add fields of their own
and write addresses with or without capitals. Pure.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

# One for all: to make it takes longer than to write a log with it.
ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)
HEADER: Final = (
    "number",
    "hash",
    "parentHash",
    "timestamp",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "baseFeePerGas",
    "gasUsed",
    "gasLimit",
    "miner",
)
TRANSACTION: Final = ("hash", "nonce", "from", "to", "value", "input", "blockHash")
LOG: Final = ("address", "topics", "data", "logIndex", "transactionHash", "blockHash", "removed")
RECEIPT: Final = (
    "transactionHash",
    "transactionIndex",
    "blockHash",
    "blockNumber",
    "status",
    "gasUsed",
    "effectiveGasPrice",
)


def header_of(block: Mapping[str, Any]) -> dict[str, Any]:
    """A block without its transactions."""
    return kept(block, HEADER)


def transaction_of(transaction: Mapping[str, Any]) -> dict[str, Any]:
    """What a transaction does."""
    return kept(transaction, TRANSACTION)


def log_of(log: Mapping[str, Any]) -> dict[str, Any]:
    """What a log says, and where."""
    return kept(log, LOG)


def receipt_of(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """What a transaction came to."""
    logs = receipt.get("logs")
    is_list = isinstance(logs, list) and all(isinstance(log, dict) for log in logs)
    told = [log_of(log) for log in logs] if is_list and logs else []
    return {**kept(receipt, RECEIPT), "logs": told}


def projected(method: str, answer: Any) -> Any:
    """An answer as it is compared; one that is not what the method gives stays as it is."""
    if method == "eth_getLogs" and isinstance(answer, list):
        return [log_of(one) if isinstance(one, dict) else one for one in answer]
    if not isinstance(answer, dict):
        return answer
    if method == "eth_getTransactionReceipt":
        return receipt_of(answer)
    if method in ("eth_getBlockByHash", "eth_getBlockByNumber"):
        listed = answer.get("transactions")
        told = [transaction_of(one) for one in listed or () if isinstance(one, dict)]
        return {**header_of(answer), "transactions": told}
    return answer


def kept(value: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The named fields that are there, in lower case."""
    found = {name: value[name] for name in names if name in value}
    return {name: lowered(one) for name, one in found.items()}


def lowered(value: Any) -> Any:
    """Digits in lower case, also within a list."""
    if isinstance(value, str):
        return value.lower()
    return [lowered(one) for one in value] if isinstance(value, list) else value


def canonical(value: object) -> bytes:
    """The same bytes for the same content."""
    return ENCODER.encode(value).encode()
