"""TRX and TRC-10 tokens from account to account, and what it costs to make one. Pure."""

from dataclasses import replace

from tronpy.proto import tron_pb2

from wallets.tron.simulator.fees import take_fees
from wallets.tron.simulator.permissions import of_one_key
from wallets.tron.simulator.refusals import Invalid
from wallets.tron.simulator.state import Account, Receipt, State


def validate_transfer(state: State, body: tron_pb2.TransferContract) -> int:
    """The fee of activating the receiver. Raises Invalid in the node's order and words."""
    owner, to, amount = body.owner_address, body.to_address, body.amount
    if not is_address(owner):
        raise Invalid("Invalid ownerAddress!")
    if not is_address(to):
        raise Invalid("Invalid toAddress!")
    if owner == to:
        raise Invalid("Cannot transfer TRX to yourself.")
    if owner not in state.accounts:
        raise Invalid("Validate TransferContract error, no OwnerAccount.")
    if amount <= 0:
        raise Invalid("Amount must be greater than 0.")
    if state.is_contract(to):
        raise Invalid("Cannot transfer TRX to a smartContract.")
    fee = 0 if to in state.accounts else state.parameters.create_account_system_fee
    if state.accounts[owner].balance < amount + fee:
        raise Invalid("Validate TransferContract error, balance is not sufficient.")
    return fee


def transfer(
    state: State, whole: tron_pb2.Transaction, body: tron_pb2.TransferContract, time_ms: int
) -> Receipt:
    """TRX to an account, which is activated if need be. Raises Refused."""
    owner, to, amount = body.owner_address, body.to_address, body.amount
    # A node asks this again after the fees: the whole of both must fit.
    validate_transfer(state, body)
    paid = take_fees(state, owner, whole, time_ms, activates=to not in state.accounts)
    fee = validate_transfer(state, body)
    state.charge(owner, amount + fee)
    activate(state, to, time_ms)
    state.pay(to, amount)
    return replace(paid, fee=paid.fee + fee)


def activate(state: State, key: bytes, time_ms: int) -> None:
    """Makes an account if there is none."""
    state.accounts.setdefault(key, Account(0, time_ms, permissions=of_one_key(key)))


def validate_account(state: State, body: tron_pb2.AccountCreateContract) -> int:
    """The fee of making an account. Raises Invalid."""
    owner, key = body.owner_address, body.account_address
    if not is_address(owner):
        raise Invalid("Invalid ownerAddress")
    if owner not in state.accounts:
        raise Invalid(f"Account[{owner.hex()}] not exists")
    fee = state.parameters.create_account_system_fee
    if state.accounts[owner].balance < fee:
        raise Invalid("Validate CreateAccountActuator error, insufficient fee.")
    if not is_address(key):
        raise Invalid("Invalid account address")
    if key in state.accounts or state.is_contract(key):
        raise Invalid("Account has existed")
    return fee


def create_account(
    state: State, whole: tron_pb2.Transaction, body: tron_pb2.AccountCreateContract, time_ms: int
) -> Receipt:
    """`AccountCreateContract`: an account without any TRX. Raises Refused."""
    validate_account(state, body)
    paid = take_fees(state, body.owner_address, whole, time_ms, activates=True)
    fee = validate_account(state, body)
    state.charge(body.owner_address, fee)
    activate(state, body.account_address, time_ms)
    return replace(paid, fee=paid.fee + fee)


def validate_asset_transfer(state: State, body: tron_pb2.TransferAssetContract) -> int:
    """The fee of activating the receiver of a TRC-10 token. Raises Invalid."""
    owner, to, amount = body.owner_address, body.to_address, body.amount
    if not is_address(owner):
        raise Invalid("Invalid ownerAddress")
    if not is_address(to):
        raise Invalid("Invalid toAddress")
    if amount <= 0:
        raise Invalid("Amount must be greater than 0.")
    if owner == to:
        raise Invalid("Cannot transfer asset to yourself.")
    if owner not in state.accounts:
        raise Invalid("No owner account!")
    if body.asset_name not in state.assets:
        raise Invalid("No asset!")
    held = state.assets[body.asset_name].get(owner, 0)
    if held <= 0:
        raise Invalid("Owner has no asset!")
    if amount > held:
        raise Invalid("assetBalance is not sufficient.")
    if state.is_contract(to):
        raise Invalid("Cannot transfer asset to smartContract.")
    fee = 0 if to in state.accounts else state.parameters.create_account_system_fee
    if state.accounts[owner].balance < fee:
        raise Invalid("Validate TransferAssetActuator error, insufficient fee.")
    return fee


def transfer_asset(
    state: State, whole: tron_pb2.Transaction, body: tron_pb2.TransferAssetContract, time_ms: int
) -> Receipt:
    """`TransferAssetContract`: a TRC-10 token, which no contract stands behind. Raises Refused."""
    owner, to = body.owner_address, body.to_address
    validate_asset_transfer(state, body)
    paid = take_fees(state, owner, whole, time_ms, activates=to not in state.accounts)
    fee = validate_asset_transfer(state, body)
    state.charge(owner, fee)
    activate(state, to, time_ms)
    holders = state.assets[body.asset_name]
    holders[owner] -= body.amount
    holders[to] = holders.get(to, 0) + body.amount
    return replace(paid, fee=paid.fee + fee)


def is_address(key: bytes) -> bool:
    """Whether bytes have the form of an account."""
    return len(key) == 21 and key[0] == 0x41
