"""What one of our transactions does on the chain, and its bytes as the chain's own message.

Called by `wallets.tron.transactions`. Pure. Accounts are 21 bytes, amounts are sun. Nothing here
can be an approval, a change of permissions or an unknown call: those have no type.
"""

import enum
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError, Message
from tronpy.proto import tron_pb2

from wallets.errors import Rejected
from wallets.tron.addresses import KEY_BYTES, PREFIX
from wallets.tron.limits import AMOUNT_SUN_MAX, AMOUNT_TOKEN_MAX
from wallets.tron.staking_messages import MESSAGES

TRANSFER_SELECTOR: Final = bytes.fromhex("a9059cbb")
TYPE_URL: Final = "type.googleapis.com/protocol."


class Resource(enum.IntEnum):
    """What staked TRX gives."""

    BANDWIDTH = 0
    ENERGY = 1


@dataclass(frozen=True, slots=True)
class Transfer:
    """TRX from one account to another."""

    owner: bytes
    to: bytes
    amount_sun: int


@dataclass(frozen=True, slots=True)
class Trigger:
    """A call of a contract."""

    owner: bytes
    contract: bytes
    data: bytes
    call_value_sun: int = 0


@dataclass(frozen=True, slots=True)
class Freeze:
    """Stakes TRX for a resource."""

    owner: bytes
    amount_sun: int
    resource: Resource


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """Begins the waiting time of staked TRX."""

    owner: bytes
    amount_sun: int
    resource: Resource


@dataclass(frozen=True, slots=True)
class Delegate:
    """Lends the resource of staked TRX to another account; `lock_blocks` 0 is not locked."""

    owner: bytes
    receiver: bytes
    amount_sun: int
    resource: Resource
    lock_blocks: int = 0


@dataclass(frozen=True, slots=True)
class Undelegate:
    """Takes a lent resource back."""

    owner: bytes
    receiver: bytes
    amount_sun: int
    resource: Resource


@dataclass(frozen=True, slots=True)
class WithdrawUnfrozen:
    """Takes staked TRX whose waiting time is over; the chain knows how much."""

    owner: bytes


Staking = Freeze | Unfreeze | Delegate | Undelegate | WithdrawUnfrozen
Contract = Transfer | Trigger | Staking


def token_transfer(owner: bytes, token: bytes, to: bytes, amount_atoms: int) -> Trigger:
    """The call that moves a TRC-20 token. Raises Rejected."""
    if not 0 < amount_atoms <= AMOUNT_TOKEN_MAX:
        raise Rejected("INVALID_AMOUNT", f"{amount_atoms} is no amount of a token")
    check_account(to)
    data = TRANSFER_SELECTOR + to[1:].rjust(32, b"\0") + amount_atoms.to_bytes(32)
    return Trigger(owner, token, data)


def message_of(contract: Contract) -> tuple[str, Message]:
    """The name and the message of the chain. Raises Rejected for what no node would take."""
    check_account(contract.owner)
    match contract:
        case Transfer(owner, to, amount):
            check_account(to)
            check_sun(amount)
            return "TransferContract", tron_pb2.TransferContract(
                owner_address=owner, to_address=to, amount=amount
            )
        case Trigger(owner, token, data, value):
            check_account(token)
            if not 0 <= value <= AMOUNT_SUN_MAX:
                raise Rejected("INVALID_AMOUNT", f"{value} sun with a call")
            return "TriggerSmartContract", tron_pb2.TriggerSmartContract(
                owner_address=owner, contract_address=token, data=data, call_value=value
            )
        case _:
            return staking_message(contract)


def staking_message(contract: Staking) -> tuple[str, Message]:
    """The name and the message of a contract about stake. Raises Rejected."""
    if isinstance(contract, WithdrawUnfrozen):
        name = "WithdrawExpireUnfreezeContract"
        return name, MESSAGES[name](owner_address=contract.owner)
    check_sun(contract.amount_sun)
    fields: dict[str, object] = {"owner_address": contract.owner, "resource": contract.resource}
    match contract:
        case Freeze():
            name = "FreezeBalanceV2Contract"
            fields["frozen_balance"] = contract.amount_sun
        case Unfreeze():
            name = "UnfreezeBalanceV2Contract"
            fields["unfreeze_balance"] = contract.amount_sun
        case Delegate() | Undelegate():
            check_account(contract.receiver)
            name = "UnDelegateResourceContract"
            fields |= {"balance": contract.amount_sun, "receiver_address": contract.receiver}
            if isinstance(contract, Delegate):
                name = "DelegateResourceContract"
                fields |= {"lock": contract.lock_blocks > 0, "lock_period": contract.lock_blocks}
    return name, MESSAGES[name](**fields)


def contract_of(type_url: str, value: bytes) -> Contract:
    """Reads a message back. Raises Rejected for a kind that we never make."""
    name = type_url.removeprefix(TYPE_URL)
    try:
        if name == "TransferContract":
            transfer = tron_pb2.TransferContract.FromString(value)
            return Transfer(transfer.owner_address, transfer.to_address, transfer.amount)
        if name == "TriggerSmartContract":
            call = tron_pb2.TriggerSmartContract.FromString(value)
            return Trigger(call.owner_address, call.contract_address, call.data, call.call_value)
        if name in MESSAGES:
            return staking_contract_of(name, MESSAGES[name].FromString(value))
    except (DecodeError, ValueError) as error:
        raise Rejected("MALFORMED", f"{name} cannot be read") from error
    raise Rejected("UNKNOWN_CONTRACT_TYPE", f"{name[:60]} is none that is made here")


def staking_contract_of(name: str, message: Message) -> Contract:
    """Reads a message about stake back. Raises ValueError for an unknown resource."""
    fields = {field.name: value for field, value in message.ListFields()}
    owner = fields.get("owner_address", b"")
    if name == "WithdrawExpireUnfreezeContract":
        return WithdrawUnfrozen(owner)
    resource = Resource(fields.get("resource", 0))
    if name == "FreezeBalanceV2Contract":
        return Freeze(owner, fields.get("frozen_balance", 0), resource)
    if name == "UnfreezeBalanceV2Contract":
        return Unfreeze(owner, fields.get("unfreeze_balance", 0), resource)
    receiver = fields.get("receiver_address", b"")
    amount_sun = fields.get("balance", 0)
    if name == "UnDelegateResourceContract":
        return Undelegate(owner, receiver, amount_sun, resource)
    return Delegate(owner, receiver, amount_sun, resource, fields.get("lock_period", 0))


def check_account(key: bytes) -> None:
    """Raises Rejected for bytes that are no account."""
    if len(key) != KEY_BYTES or key[0] != PREFIX:
        raise Rejected("INVALID_ACCOUNT", "an account is 21 bytes that begin with 41")


def check_sun(amount_sun: int) -> None:
    """Raises Rejected for what is no amount of TRX."""
    if not 0 < amount_sun <= AMOUNT_SUN_MAX:
        raise Rejected("INVALID_AMOUNT", f"{amount_sun} is no amount in sun")
