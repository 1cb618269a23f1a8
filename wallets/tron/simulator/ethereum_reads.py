"""The part of a TRON node's JSON-RPC interface that reads balances and logs. Pure.

The answers are Ethereum's, the accounts lack their prefix 41. Nothing can be sent by it, as on a
real node.
"""

from typing import Any, Final

from wallets.tron.simulator.chain import SimulatedBlock
from wallets.tron.simulator.json_forms import log_json
from wallets.tron.simulator.messages import Json
from wallets.tron.simulator.view import View

# Blocks of one search.
BLOCKS_MAX: Final = 5_000
NO_METHOD: Final = -32_601
INVALID: Final = -32_602


def rpc(view: View, body: Json) -> Json:
    """Answers one call; an unknown method or bad parameters are an error."""
    method, params = str(body.get("method")), body.get("params") or []
    told: Json = {"jsonrpc": "2.0", "id": body.get("id")}
    try:
        found = read(view, method, params)
    except (IndexError, TypeError, ValueError, AttributeError):
        return told | {"error": {"code": INVALID, "message": "invalid params", "data": "{}"}}
    if found is None:
        message = f"the method {method} does not exist/is not available"
        return told | {"error": {"code": NO_METHOD, "message": message, "data": "{}"}}
    return told | {"result": found}


def read(view: View, method: str, params: list[Any]) -> Any:
    """What a method answers; None when there is none of that name."""
    match method:
        case "eth_chainId":
            # The last four bytes of the first block's id.
            return hex(int(view.chain.blocks[0].block_hash[-8:], 16))
        case "eth_blockNumber":
            return hex(view.view(False)[-1].height)
        case "eth_gasPrice":
            return hex(view.chain.parameters.energy_price)
        case "eth_getBalance":
            account = view.state(False).accounts.get(b"\x41" + bytes.fromhex(params[0][2:]))
            return hex(account.balance if account else 0)
        case "eth_getLogs":
            return logs(view, params[0])
        case _:
            return None


def logs(view: View, wanted: Json) -> list[Json]:
    """Events by block range, contract and topics; a topic of null is any. Raises ValueError."""
    blocks = view.view(False)
    first = height_of(wanted.get("fromBlock", "latest"), len(blocks) - 1)
    last = height_of(wanted.get("toBlock", "latest"), len(blocks) - 1)
    if not 0 <= first <= last + 1 <= first + BLOCKS_MAX:
        raise ValueError("exceed max block range")
    found = [told for block in blocks[first : last + 1] for told in events(block)]
    return [told for told in found if is_wanted(told, wanted)]


def events(block: SimulatedBlock) -> list[Json]:
    """All events of a block, numbered through."""
    placed = [
        (index, done.txid, log_json(log))
        for index, done in enumerate(block.transactions)
        for log in done.receipt.logs
    ]
    return [
        {
            "address": f"0x{told['address']}",
            "topics": [f"0x{topic}" for topic in told["topics"]],
            "data": f"0x{told['data']}",
            "blockHash": f"0x{block.block_hash}",
            "blockNumber": hex(block.height),
            "transactionHash": f"0x{txid}",
            "transactionIndex": hex(index),
            "logIndex": hex(number),
            "removed": False,
        }
        for number, (index, txid, told) in enumerate(placed)
    ]


def height_of(name: str, head: int) -> int:
    """A block's height by its number or by "latest". Raises ValueError."""
    return head if name == "latest" else min(head, int(name, 16))


def is_wanted(told: Json, wanted: Json) -> bool:
    """Whether an event is of the contract and has the topics that are asked for."""
    if wanted.get("address") not in (None, told["address"]):
        return False
    topics = wanted.get("topics") or []
    return all(
        topic is None or topic == shown
        for topic, shown in zip(topics, told["topics"], strict=False)
    )
