"""Executes a transaction: the fees that each kind pays, and what the kind does. Pure.

Called by `wallets.tron.simulator.chain`. A refusal changes nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from google.protobuf.message import DecodeError
from tronpy.proto import tron_pb2

from wallets.tron.simulator.fees import take_fees
from wallets.tron.simulator.lending import lend, take_back
from wallets.tron.simulator.messages import KINDS, body_of
from wallets.tron.simulator.permissions import permissions_of
from wallets.tron.simulator.refusals import Invalid
from wallets.tron.simulator.staking import cancel, stake, unstake, withdraw
from wallets.tron.simulator.state import Receipt, State
from wallets.tron.simulator.transfers import create_account, transfer, transfer_asset
from wallets.tron.simulator.vm import trigger

# Kinds whose fees depend on what they do.
OWN_FEES: Final[dict[str, Callable[[State, tron_pb2.Transaction, Any, int], Receipt]]] = {
    "AccountCreateContract": create_account,
    "TransferContract": transfer,
    "TransferAssetContract": transfer_asset,
    "TriggerSmartContract": trigger,
}


def update_permissions(state: State, body: Any, _time_ms: int) -> Receipt:
    """`AccountPermissionUpdateContract`, for a high fee. Raises Refused."""
    owner, fee = body.owner_address, state.parameters.permission_fee
    permissions = permissions_of(body)
    state.charge(owner, fee)
    state.accounts[owner] = replace(state.accounts[owner], permissions=permissions)
    return Receipt(fee=fee)


# Kinds that pay what every transaction pays first; state, message and time.
PLAIN: Final[dict[str, Callable[[State, Any, int], Receipt]]] = {
    "AccountPermissionUpdateContract": update_permissions,
    "FreezeBalanceV2Contract": stake,
    "UnfreezeBalanceV2Contract": unstake,
    "WithdrawExpireUnfreezeContract": withdraw,
    "CancelAllUnfreezeV2Contract": cancel,
    "DelegateResourceContract": lend,
    "UnDelegateResourceContract": take_back,
}
NUMBERS: Final = {KINDS[name].number: name for name in (*OWN_FEES, *PLAIN)}


def execute(state: State, whole: tron_pb2.Transaction, time_ms: int) -> Receipt:
    """Applies one transaction at a time of the chain. Raises Refused."""
    trial = state.copy()
    receipt = apply(trial, whole, time_ms)
    state.take_over(trial)
    return receipt


def apply(state: State, whole: tron_pb2.Transaction, time_ms: int) -> Receipt:
    """Applies one transaction to this state; a refusal leaves it half done."""
    contract = whole.raw_data.contract[0]
    name = NUMBERS.get(contract.type)
    if name is None:
        raise Invalid("contract type is not simulated")
    try:
        body = body_of(contract)
    except DecodeError as error:
        raise Invalid("contract cannot be read") from error
    if name in OWN_FEES:
        return OWN_FEES[name](state, whole, body, time_ms)
    owner = body.owner_address
    if owner not in state.accounts:
        raise Invalid("account not exists")
    paid = take_fees(state, owner, whole, time_ms)
    done = PLAIN[name](state, body, time_ms)
    return replace(done, fee=paid.fee + done.fee, net_usage=paid.net_usage, net_fee=paid.net_fee)
