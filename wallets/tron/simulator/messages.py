"""The kinds of contract that the simulator knows: number, message, and its JSON. Pure.

Used by the forms of JSON, by building and by executing. As on a real node accounts and bytes are
hexadecimal text, zeros are left out, and an enum is its name.
"""

from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from tronpy.proto import tron_pb2

from wallets.tron.contracts import Resource
from wallets.tron.staking_messages import BYTES, MESSAGES, FieldProto

Json = dict[str, Any]


def owner_only(name: str) -> type[Message]:
    """A message whose one field is the account that asks."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"wallets/tron/simulator/{name}.proto", package="protocol", syntax="proto3"
    )
    message = file.message_type.add(name=name)
    message.field.add(name="owner_address", number=1, type=BYTES, label=FieldProto.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"protocol.{name}"))


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of contract."""

    number: int
    message: type[Any]


KINDS: Final = {
    "AccountCreateContract": Kind(0, tron_pb2.AccountCreateContract),
    "TransferContract": Kind(1, tron_pb2.TransferContract),
    "TransferAssetContract": Kind(2, tron_pb2.TransferAssetContract),
    "TriggerSmartContract": Kind(31, tron_pb2.TriggerSmartContract),
    "FreezeBalanceV2Contract": Kind(54, MESSAGES["FreezeBalanceV2Contract"]),
    "UnfreezeBalanceV2Contract": Kind(55, MESSAGES["UnfreezeBalanceV2Contract"]),
    "WithdrawExpireUnfreezeContract": Kind(56, owner_only("WithdrawExpireUnfreezeContract")),
    "DelegateResourceContract": Kind(57, MESSAGES["DelegateResourceContract"]),
    "UnDelegateResourceContract": Kind(58, MESSAGES["UnDelegateResourceContract"]),
    "CancelAllUnfreezeV2Contract": Kind(59, owner_only("CancelAllUnfreezeV2Contract")),
}
NAMES: Final = {kind.number: name for name, kind in KINDS.items()}


def body_of(contract: Any) -> Any:
    """The message within a contract of a transaction. Raises KeyError, DecodeError."""
    return KINDS[NAMES[contract.type]].message.FromString(contract.parameter.value)


def message_json(message: Message) -> Json:
    """A message as a node shows it."""
    return {field.name: shown(field.name, value) for field, value in message.ListFields()}


def shown(name: str, value: Any) -> Any:
    """One value of a field."""
    if isinstance(value, bytes):
        return value.hex()
    return Resource(value).name if name == "resource" else value


def message_of(name: str, value: Json) -> Any:
    """A message from its JSON; unknown fields are not read.

    Raises KeyError, TypeError or ValueError for what is none.
    """
    kind = KINDS[name].message
    fields: Json = {}
    for field in kind.DESCRIPTOR.fields:
        if field.name not in value:
            continue
        found = value[field.name]
        if field.type == BYTES:
            fields[field.name] = bytes.fromhex(found)
        elif field.name == "resource" and isinstance(found, str):
            fields[field.name] = Resource[found]
        else:
            fields[field.name] = found
    return kind(**fields)
