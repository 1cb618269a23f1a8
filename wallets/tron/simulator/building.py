"""Building transactions on a simulated node: unsigned, on the head, for a minute. Pure.

Custody never signs what a node built; wallets of others do. A contract is tried on a copy of the
state first, and refused in the node's words.
"""

from typing import Any, Final

from tronpy.proto import tron_pb2

from wallets.tron.simulator.calls import call_of, constant_call
from wallets.tron.simulator.chain import Chain, SimulatedBlock
from wallets.tron.simulator.execution import PLAIN
from wallets.tron.simulator.json_forms import transaction_from, transaction_json
from wallets.tron.simulator.messages import Json, message_json, message_of
from wallets.tron.simulator.refusals import Refused
from wallets.tron.simulator.state import State
from wallets.tron.simulator.tokens import VIEWS
from wallets.tron.simulator.transfers import (
    validate_account,
    validate_asset_transfer,
    validate_transfer,
)

LASTS_MILLISECONDS: Final = 60_000
NO_CONTRACT: Final = b"No contract or not a valid smart contract".hex()
ROUTES: Final = {
    "createtransaction": "TransferContract",
    "createaccount": "AccountCreateContract",
    "transferasset": "TransferAssetContract",
    "accountpermissionupdate": "AccountPermissionUpdateContract",
    "freezebalancev2": "FreezeBalanceV2Contract",
    "unfreezebalancev2": "UnfreezeBalanceV2Contract",
    "withdrawexpireunfreeze": "WithdrawExpireUnfreezeContract",
    "cancelallunfreezev2": "CancelAllUnfreezeV2Contract",
    "delegateresource": "DelegateResourceContract",
    "undelegateresource": "UnDelegateResourceContract",
}
CHECKS: Final = {
    "TransferContract": validate_transfer,
    "AccountCreateContract": validate_account,
    "TransferAssetContract": validate_asset_transfer,
}


def build(chain: Chain, name: str, body: Json) -> Json:
    """An unsigned transaction of a kind. Raises Invalid, KeyError, TypeError or ValueError."""
    message = message_of(name, body)
    check(chain.pool_state.copy(), name, message, chain.head.time_ms)
    return unsigned(chain, chain.head, name, message_json(message), body)


def check(state: State, name: str, message: Any, time_ms: int) -> None:
    """Raises Invalid for what could not be executed now; changes the state that it is given."""
    if name in CHECKS:
        CHECKS[name](state, message)
    else:
        PLAIN[name](state, message, time_ms)


def build_call(chain: Chain, body: Json) -> Json:
    """`triggersmartcontract`: a view answers at once. Raises ValueError."""
    call, state = call_of(body), chain.pool_state
    if not state.is_contract(call.contract_address):
        return {"result": {"code": "CONTRACT_VALIDATE_ERROR", "message": NO_CONTRACT}}
    if bytes(call.data[:4]) in VIEWS and call.contract_address in state.tokens:
        return constant(chain, chain.head, state, body)
    transaction = unsigned(chain, chain.head, "TriggerSmartContract", message_json(call), body)
    return {"result": {"result": True}, "transaction": transaction}


def constant(chain: Chain, block: SimulatedBlock, state: State, body: Json) -> Json:
    """`triggerconstantcontract`, with the transaction that it would be. Raises ValueError."""
    told = constant_call(state, body, block.time_ms)
    if "transaction" in told:
        call = message_json(call_of(body))
        told["transaction"] |= unsigned(chain, block, "TriggerSmartContract", call, body)
    return told


def unsigned(chain: Chain, head: SimulatedBlock, name: str, value: Json, body: Json) -> Json:
    """The JSON of a transaction on a block. Timestamps differ, so that no two are the same."""
    chain.built += 1
    contract: Json = {"type": name, "parameter": {"value": value}}
    contract["Permission_id"] = int(body.get("Permission_id") or 0)
    data: Json = {
        "contract": [contract],
        "ref_block_bytes": head.block_hash[12:16],
        "ref_block_hash": head.block_hash[16:32],
        "expiration": head.time_ms + LASTS_MILLISECONDS,
        "timestamp": head.time_ms + chain.built,
        "data": str(body.get("extra_data") or ""),
        "fee_limit": int(body.get("fee_limit") or 0),
    }
    whole: tron_pb2.Transaction = transaction_from({"raw_data": data})
    return transaction_json(whole)


def refusal(refused: Refused) -> Json:
    """As a real node words it when it builds."""
    text = f"class org.tron.core.exception.ContractValidateException : {refused.text}"
    return {"Error": text}
