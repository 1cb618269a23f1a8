"""Reads of a simulated node by name, as `/wallet` and `/walletsolidity` serve them.

A real node's habits are kept: "not found" and "bad input" are both `{}`.
"""

from collections.abc import Callable
from typing import Any, Final

from wallets.tron.simulator.account_json import account_json
from wallets.tron.simulator.building import constant
from wallets.tron.simulator.calls import contract_info, estimate
from wallets.tron.simulator.chain import Executed, SimulatedBlock
from wallets.tron.simulator.funding import key_of_text
from wallets.tron.simulator.json_forms import block_json, executed_json, info_json
from wallets.tron.simulator.messages import Json
from wallets.tron.simulator.request_forms import is_hexadecimal
from wallets.tron.simulator.sign_weights import approved_list, sign_weight
from wallets.tron.simulator.stake_reads import (
    counterparties,
    lendable_most,
    loans_between,
    resources,
    unstaking_count,
    withdrawable_amount,
    without_zeros,
)
from wallets.tron.simulator.state import State
from wallets.tron.simulator.view import View

# Blocks of one answer.
BLOCKS_MAX: Final = 100
Read = Callable[[View, Json, bool], Any]


def found(node: View, txid: str, is_solid: bool) -> tuple[Executed, SimulatedBlock] | None:
    """Where a transaction is, as this endpoint sees it."""
    height = node.chain.heights.get(txid)
    blocks = node.view(is_solid)
    if height is None or height >= len(blocks):
        return None
    block = blocks[height]
    return next((done, block) for done in block.transactions if done.txid == txid)


def now_block(node: View, _body: Json, is_solid: bool) -> Json:
    """The head."""
    return block_json(node.view(is_solid)[-1])


def block_by_number(node: View, body: Json, is_solid: bool) -> Json:
    """A block of the chain; without a number it is genesis, as on a real node."""
    blocks, number = node.view(is_solid), body.get("num", 0)
    return block_json(blocks[number]) if 0 <= number < len(blocks) else {}


def block_by_id(node: View, body: Json, is_solid: bool) -> Json:
    """A block by its hash."""
    for block in reversed(node.view(is_solid)):
        if block.block_hash == body.get("value"):
            return block_json(block)
    return {}


def transaction_by_id(node: View, body: Json, is_solid: bool) -> Json:
    """A transaction, waiting or mined."""
    txid = str(body.get("value", ""))
    if not is_hexadecimal(txid):
        raise ValueError("not hexadecimal")
    waiting = node.chain.pending.get(txid)
    if waiting and not is_solid:
        # A real node shows it as a success before any block has it.
        return executed_json(waiting)
    place = found(node, txid, is_solid)
    return executed_json(place[0]) if place else {}


def transaction_info(node: View, body: Json, is_solid: bool) -> Json:
    """What a mined transaction did."""
    place = found(node, str(body.get("value")), is_solid)
    return info_json(*place) if place else {}


def block_infos(node: View, body: Json, is_solid: bool) -> list[Json]:
    """What all transactions of a block did."""
    blocks, number = node.view(is_solid), body.get("num", 0)
    if node.empty_receipts or not 0 <= number < len(blocks):
        return []
    return [info_json(done, blocks[number]) for done in blocks[number].transactions]


def account(node: View, body: Json, is_solid: bool) -> Json:
    """An account; on a full node waiting transactions are counted already."""
    key = bytes.fromhex(body.get("address", ""))
    return account_json(node.state(is_solid), key, node.time_ms(is_solid))


def timed(answer: Callable[[State, Json, int], Json]) -> Read:
    """A read of a state and its time."""
    return lambda node, body, is_solid: answer(node.state(is_solid), body, node.time_ms(is_solid))


def untimed(answer: Callable[[State, Json], Json]) -> Read:
    """A read of a state alone."""
    return lambda node, body, is_solid: answer(node.state(is_solid), body)


def chain_parameters(node: View, _body: Json, _is_solid: bool) -> Json:
    """The chain's prices."""
    parameters = node.chain.parameters
    values = {
        "getTransactionFee": parameters.byte_price,
        "getEnergyFee": parameters.energy_price,
        "getCreateAccountFee": parameters.create_account_fee,
        "getCreateNewAccountFeeInSystemContract": parameters.create_account_system_fee,
        "getMemoFee": parameters.memo_fee,
        "getMultiSignFee": parameters.several_signatures_fee,
        "getFreeNetLimit": parameters.free_bandwidth_bytes,
    }
    return {"chainParameter": [{"key": key, "value": value} for key, value in values.items()]}


def pending_one(node: View, body: Json, _is_solid: bool) -> Json:
    """A transaction that waits for a block."""
    waiting = node.chain.pending.get(str(body.get("value")))
    return executed_json(waiting) if waiting else {}


def pending_ids(node: View, _body: Json, _is_solid: bool) -> Json:
    """All that waits."""
    return without_zeros({"txId": list(node.chain.pending)})


def pending_count(node: View, _body: Json, _is_solid: bool) -> Json:
    """How much waits."""
    return {"pendingSize": len(node.chain.pending)}


def block_head(node: View, body: Json, is_solid: bool) -> Json:
    """`getblock`: the newest block or the one named, by default without its transactions."""
    blocks, name = node.view(is_solid), str(body.get("id_or_num") or "")
    if not name:
        told = block_json(blocks[-1])
    elif name.isdigit() and len(name) < 64:
        told = block_by_number(node, {"num": int(name)}, is_solid)
    else:
        told = block_by_id(node, {"value": name}, is_solid)
    if not body.get("detail"):
        told.pop("transactions", None)
    return told


def block_range(node: View, body: Json, is_solid: bool) -> Json:
    """`getblockbylimitnext`: the end is not part of it; at most a hundred."""
    start, end = int(body.get("startNum", 0)), int(body.get("endNum", 0))
    if not 0 <= start < end <= start + BLOCKS_MAX:
        return {}
    return without_zeros({"block": [block_json(one) for one in node.view(is_solid)[start:end]]})


def newest_blocks(node: View, body: Json, is_solid: bool) -> Json:
    """`getblockbylatestnum`: at most a hundred, oldest first."""
    count = int(body.get("num", 0))
    if not 0 < count < BLOCKS_MAX:
        return {}
    return {"block": [block_json(one) for one in node.view(is_solid)[-count:]]}


def transaction_count(node: View, body: Json, is_solid: bool) -> Json:
    """How many transactions a block has."""
    blocks, number = node.view(is_solid), int(body.get("num", 0))
    return {"count": len(blocks[number].transactions) if 0 <= number < len(blocks) else -1}


def prices(of: Callable[[View], int]) -> Read:
    """A price since the first block; a real node tells its history."""
    return lambda node, _body, _is_solid: {"prices": f"0:{of(node)}"}


def bandwidth(state: State, body: Json, time_ms: int) -> Json:
    """`getaccountnet`: of the resources, what is about bandwidth."""
    told = resources(state, body, time_ms)
    return {name: value for name, value in told.items() if "Net" in name}


def valid_address(_node: View, body: Json, _is_solid: bool) -> Json:
    """`validateaddress`: both notations are read."""
    text = str(body.get("address", ""))
    try:
        key_of_text(text)
    except ValueError:
        return {"result": False, "message": "Invalid address"}
    form = "Hex string format" if is_hexadecimal(text) else "Base58check format"
    return {"result": True, "message": form}


READS: Final[dict[str, Read]] = {
    "getnowblock": now_block,
    "getblockbynum": block_by_number,
    "getblockbyid": block_by_id,
    "gettransactionbyid": transaction_by_id,
    "gettransactioninfobyid": transaction_info,
    "gettransactioninfobyblocknum": block_infos,
    "getaccount": account,
    "getaccountresource": timed(resources),
    "getcandelegatedmaxsize": timed(lendable_most),
    "getcanwithdrawunfreezeamount": timed(withdrawable_amount),
    "getavailableunfreezecount": timed(unstaking_count),
    "getdelegatedresourcev2": untimed(loans_between),
    "getdelegatedresourceaccountindexv2": untimed(counterparties),
    "triggerconstantcontract": lambda node, body, is_solid: constant(
        node.chain, node.view(is_solid)[-1], node.state(is_solid), body
    ),
    "estimateenergy": timed(estimate),
    "getcontractinfo": timed(contract_info),
    "gettransactionfrompending": pending_one,
    "gettransactionlistfrompending": pending_ids,
    "getpendingsize": pending_count,
    "getblock": block_head,
    "getblockbylimitnext": block_range,
    "getblockbylatestnum": newest_blocks,
    "gettransactioncountbyblocknum": transaction_count,
    "getenergyprices": prices(lambda node: node.chain.parameters.energy_price),
    "getbandwidthprices": prices(lambda node: node.chain.parameters.byte_price),
    "getmemofee": prices(lambda node: node.chain.parameters.memo_fee),
    "getaccountnet": timed(bandwidth),
    "validateaddress": valid_address,
    "getsignweight": untimed(sign_weight),
    "getapprovedlist": untimed(approved_list),
    "getchainparameters": chain_parameters,
}
