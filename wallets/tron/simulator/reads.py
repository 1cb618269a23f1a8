"""Reads of a simulated node by name, as `/wallet` and `/walletsolidity` serve them.

A real node's habits are kept: "not found" and "bad input" are both `{}`.
"""

from collections.abc import Callable
from typing import Any, Final

from wallets.tron.simulator.account_json import account_json
from wallets.tron.simulator.calls import constant_call, contract_info, estimate
from wallets.tron.simulator.chain import Executed, SimulatedBlock
from wallets.tron.simulator.json_forms import block_json, executed_json, info_json
from wallets.tron.simulator.messages import Json
from wallets.tron.simulator.sign_weights import approved_list, sign_weight
from wallets.tron.simulator.stake_reads import (
    counterparties,
    lendable_most,
    loans_between,
    resources,
    unstaking_count,
    withdrawable_amount,
)
from wallets.tron.simulator.state import State
from wallets.tron.simulator.view import View

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
    txid = str(body.get("value"))
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
        "getFreeNetLimit": parameters.free_bandwidth_bytes,
    }
    return {"chainParameter": [{"key": key, "value": value} for key, value in values.items()]}


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
    "triggerconstantcontract": timed(constant_call),
    "estimateenergy": timed(estimate),
    "getcontractinfo": timed(contract_info),
    "getsignweight": untimed(sign_weight),
    "getapprovedlist": untimed(approved_list),
    "getchainparameters": chain_parameters,
}
