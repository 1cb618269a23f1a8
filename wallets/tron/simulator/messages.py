"""The kinds of contract that the simulator knows: number, message, and its JSON. Pure.

Used by the forms of JSON, by building and by executing. As on a real node accounts and bytes are
hexadecimal text, zeros are left out, and an enum is its name.
"""

from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message
from tronpy.proto import tron_pb2

from wallets.tron.contracts import Resource
from wallets.tron.simulator.refusals import Invalid
from wallets.tron.staking_messages import BYTES, INT64, MESSAGES, FieldProto

Json = dict[str, Any]


FILE: Final = "wallets/tron/simulator.proto"
STRING, MESSAGE = FieldProto.TYPE_STRING, FieldProto.TYPE_MESSAGE
# Fields of messages that neither tronpy nor custody knows: number, kind, and for a message its
# name, with a star when there are many.
FIELDS: Final[dict[str, dict[str, tuple[int, Any] | tuple[int, Any, str]]]] = {
    "Key": {"address": (1, BYTES), "weight": (2, INT64)},
    "Permission": {
        "type": (1, INT64),
        "id": (2, INT64),
        "permission_name": (3, STRING),
        "threshold": (4, INT64),
        "operations": (6, BYTES),
        "keys": (7, MESSAGE, "*Key"),
    },
    "AccountPermissionUpdateContract": {
        "owner_address": (1, BYTES),
        "owner": (2, MESSAGE, "Permission"),
        "actives": (4, MESSAGE, "*Permission"),
    },
    "WithdrawExpireUnfreezeContract": {"owner_address": (1, BYTES)},
    "CancelAllUnfreezeV2Contract": {"owner_address": (1, BYTES)},
}


def declare() -> dict[str, type[Message]]:
    """The message classes by name, in a pool of their own."""
    file = descriptor_pb2.FileDescriptorProto(name=FILE, package="protocol", syntax="proto3")
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, *names) in fields.items():
            many = bool(names) and str(names[0]).startswith("*")
            message.field.add(
                name=field,
                number=number,
                type=kind,
                label=FieldProto.LABEL_REPEATED if many else FieldProto.LABEL_OPTIONAL,
                type_name=f".protocol.{str(names[0]).lstrip('*')}" if names else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"protocol.{name}"))
        for name in FIELDS
    }


OWN: Final = declare()
PERMISSION_TYPES: Final = ("Owner", "Witness", "Active")


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
    "AccountPermissionUpdateContract": Kind(46, OWN["AccountPermissionUpdateContract"]),
    "FreezeBalanceV2Contract": Kind(54, MESSAGES["FreezeBalanceV2Contract"]),
    "UnfreezeBalanceV2Contract": Kind(55, MESSAGES["UnfreezeBalanceV2Contract"]),
    "WithdrawExpireUnfreezeContract": Kind(56, OWN["WithdrawExpireUnfreezeContract"]),
    "DelegateResourceContract": Kind(57, MESSAGES["DelegateResourceContract"]),
    "UnDelegateResourceContract": Kind(58, MESSAGES["UnDelegateResourceContract"]),
    "CancelAllUnfreezeV2Contract": Kind(59, OWN["CancelAllUnfreezeV2Contract"]),
}
NAMES: Final = {kind.number: name for name, kind in KINDS.items()}


def body_of(contract: Any) -> Any:
    """The message within a contract of a transaction. Raises KeyError, DecodeError."""
    return KINDS[NAMES[contract.type]].message.FromString(contract.parameter.value)


def owner_of(whole: Any) -> bytes:
    """The account that a transaction is of. Raises Invalid for a contract that is none."""
    try:
        return bytes(body_of(whole.raw_data.contract[0]).owner_address)
    except (KeyError, DecodeError) as error:
        raise Invalid("contract type is not simulated") from error


def message_json(message: Any) -> Json:
    """A message as a node shows it."""
    return {field.name: shown(field.name, value) for field, value in message.ListFields()}


def shown(name: str, value: Any) -> Any:
    """One value of a field."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Message):
        return message_json(value)
    if name == "resource":
        return Resource(value).name
    if name == "type":
        return PERMISSION_TYPES[value]
    return value if isinstance(value, str | int) else [message_json(one) for one in value]


def message_of(name: str, value: Json) -> Any:
    """A contract's message from its JSON; unknown fields are not read.

    Raises KeyError, TypeError or ValueError for what is none.
    """
    return filled(KINDS[name].message, value)


def filled(kind: type[Any], value: Json) -> Any:
    """A message of a class from its JSON. Raises KeyError, TypeError or ValueError."""
    fields: Json = {}
    for field in kind.DESCRIPTOR.fields:
        found = value.get(field.name)
        if found is None:
            continue
        if field.type == BYTES:
            fields[field.name] = bytes.fromhex(found)
        elif field.type == MESSAGE:
            inner = OWN[field.message_type.name]
            many = isinstance(found, list)
            inners = [filled(inner, one) for one in found] if many else filled(inner, found)
            fields[field.name] = inners
        elif field.name == "resource" and isinstance(found, str):
            fields[field.name] = Resource[found]
        elif field.name == "type" and isinstance(found, str):
            fields[field.name] = PERMISSION_TYPES.index(found)
        else:
            fields[field.name] = found
    return kind(**fields)
