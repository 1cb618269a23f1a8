"""Messages of stake 2.0 that tronpy does not carry, declared for the protobuf library.

Used by `wallets.tron.transactions` alone. Field numbers are those of java-tron's
`balance_contract.proto`. A pool of their own keeps them apart from tronpy's `protocol` package.
"""

from typing import Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

FieldProto = descriptor_pb2.FieldDescriptorProto
BYTES: Final = FieldProto.TYPE_BYTES
INT64: Final = FieldProto.TYPE_INT64
# An enum on the wire is a number: 0 bandwidth, 1 energy.
RESOURCE: Final = FieldProto.TYPE_INT32
BOOL: Final = FieldProto.TYPE_BOOL

DELEGATION: Final = (
    ("owner_address", BYTES),
    ("resource", RESOURCE),
    ("balance", INT64),
    ("receiver_address", BYTES),
)
# Fields of each message in the order of their numbers, from 1.
FIELDS: Final = {
    "FreezeBalanceV2Contract": (
        ("owner_address", BYTES),
        ("frozen_balance", INT64),
        ("resource", RESOURCE),
    ),
    "UnfreezeBalanceV2Contract": (
        ("owner_address", BYTES),
        ("unfreeze_balance", INT64),
        ("resource", RESOURCE),
    ),
    "DelegateResourceContract": (*DELEGATION, ("lock", BOOL), ("lock_period", INT64)),
    "UnDelegateResourceContract": DELEGATION,
    "WithdrawExpireUnfreezeContract": (("owner_address", BYTES),),
}


def declare() -> dict[str, type[Message]]:
    """The message classes by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name="wallets/tron/staking.proto", package="protocol", syntax="proto3"
    )
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields, start=1):
            message.field.add(name=field, number=number, type=kind, label=FieldProto.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"protocol.{name}"))
        for name in FIELDS
    }


MESSAGES: Final = declare()
