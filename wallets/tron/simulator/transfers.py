"""TRX from account to account, and what it costs to make an account by it. Pure."""

from dataclasses import replace

from tronpy.proto import tron_pb2

from wallets.tron.simulator.fees import take_activation_bandwidth, take_bandwidth, take_memo_fee
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
    if to in state.tokens:
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
    take = take_bandwidth if to in state.accounts else take_activation_bandwidth
    net = take(state, owner, whole, time_ms)
    memo = take_memo_fee(state, owner, whole)
    fee = validate_transfer(state, body)
    state.charge(owner, amount + fee)
    state.accounts.setdefault(to, Account(0, time_ms))
    state.pay(to, amount)
    return replace(net, fee=net.net_fee + memo + fee)


def is_address(key: bytes) -> bool:
    """Whether bytes have the form of an account."""
    return len(key) == 21 and key[0] == 0x41
