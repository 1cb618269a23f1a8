"""What the strict decoder knows of each message: fields of the descriptors, bounds of section 2.

Built once at import of `strict_decoder`. A new field in the contract is known here by itself; only
fields with a bound of their own are named.
"""

from dataclasses import dataclass, field
from enum import IntEnum

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from matching.reference import limits

WIRE_VARINT, WIRE_FIXED64, WIRE_LENGTH, WIRE_GROUP_START, WIRE_GROUP_END, WIRE_FIXED32 = range(6)


class Kind(IntEnum):
    """How the value of a field is judged."""

    UINT64 = 1
    UINT32 = 2
    INT64 = 3
    INT32 = 4
    BOOL = 5
    ENUM = 6
    SIXTEEN_BYTES = 7
    BYTES = 8
    STRING = 9
    MESSAGE = 10
    FIXED32 = 11
    FIXED64 = 12


SCALAR_KINDS = {
    FieldDescriptor.TYPE_UINT64: Kind.UINT64,
    FieldDescriptor.TYPE_UINT32: Kind.UINT32,
    FieldDescriptor.TYPE_INT64: Kind.INT64,
    FieldDescriptor.TYPE_INT32: Kind.INT32,
    FieldDescriptor.TYPE_BOOL: Kind.BOOL,
    FieldDescriptor.TYPE_ENUM: Kind.ENUM,
    FieldDescriptor.TYPE_STRING: Kind.STRING,
    FieldDescriptor.TYPE_MESSAGE: Kind.MESSAGE,
    FieldDescriptor.TYPE_FIXED32: Kind.FIXED32,
    FieldDescriptor.TYPE_FIXED64: Kind.FIXED64,
}
WIRE_TYPES = {
    Kind.SIXTEEN_BYTES: WIRE_LENGTH,
    Kind.BYTES: WIRE_LENGTH,
    Kind.STRING: WIRE_LENGTH,
    Kind.MESSAGE: WIRE_LENGTH,
    Kind.FIXED32: WIRE_FIXED32,
    Kind.FIXED64: WIRE_FIXED64,
}
ANY_LENGTH = {"commands", "system_commands", "envelope"}  # bytes fields that are not 16 bytes
NAME_CHARACTERS_MAX = {
    "symbol": 32,
    "name": 32,
    "destination": 128,
    "first_approver": 64,
    "second_approver": 64,
}
REQUIRED_IDS = {"cl_ord_id", "request_id", "deposit_id", "withdrawal_id", "adjustment_id"}
NEVER_EMPTY = REQUIRED_IDS | set(NAME_CHARACTERS_MAX)
LIST_BOUNDS = {  # number of items; scalars strictly ascending
    "cambist.internal.journal.v1.SessionEstablished.account_ids": (1, limits.LIST_ITEMS_MAX),
    "cambist.internal.journal.v1.SessionEstablished.market_ids": (0, limits.LIST_ITEMS_MAX),
    "cambist.orders.v1.NewList.orders": (2, 3),
}
ABSENT_IS_EMPTY = {
    "cambist.orders.v1.Replace.new_order"
}  # absent, it is judged as an empty message


@dataclass(slots=True)
class FieldSchema:
    """One field."""

    number: int
    kind: Kind
    wire_type: int
    repeated: bool
    in_oneof: bool
    maximum: int = 0  # of an integer; 0 = that of its type
    characters_max: int = 0
    enum_values: frozenset[int] = frozenset()
    message: "MessageSchema | None" = None


@dataclass(slots=True)
class MessageSchema:
    """One message. `is_command` says that it is a choice of which one member must be there."""

    fields: dict[int, FieldSchema] = field(default_factory=dict)
    is_command: bool = False
    never_empty: tuple[int, ...] = ()
    list_bounds: tuple[tuple[int, int, int], ...] = ()  # (field, fewest, most)
    absent_is_empty: tuple[int, ...] = ()


_known: dict[str, MessageSchema] = {}


def of(descriptor: Descriptor) -> MessageSchema:
    """The schema of a message type; made once."""
    name = descriptor.full_name
    if name in _known:
        return _known[name]
    schema = _known[name] = MessageSchema(is_command=bool(descriptor.oneofs))
    for item in descriptor.fields:
        schema.fields[item.number] = _field(item)
    numbers = sorted(schema.fields)
    names = descriptor.fields_by_number
    schema.never_empty = tuple(
        n
        for n in numbers
        if names[n].name in NEVER_EMPTY or names[n].full_name == "cambist.orders.v1.Resolve.id"
    )
    schema.list_bounds = tuple(
        (n, *LIST_BOUNDS[names[n].full_name]) for n in numbers if names[n].full_name in LIST_BOUNDS
    )
    schema.absent_is_empty = tuple(n for n in numbers if names[n].full_name in ABSENT_IS_EMPTY)
    return schema


def _field(item: FieldDescriptor) -> FieldSchema:
    if item.type == FieldDescriptor.TYPE_BYTES:
        kind = Kind.BYTES if item.name in ANY_LENGTH else Kind.SIXTEEN_BYTES
    else:
        kind = SCALAR_KINDS[item.type]
    wire_type = WIRE_TYPES.get(kind, WIRE_VARINT)
    packed = item.is_repeated and wire_type != WIRE_LENGTH
    return FieldSchema(
        number=item.number,
        kind=kind,
        wire_type=WIRE_LENGTH if packed else wire_type,
        repeated=item.is_repeated,
        in_oneof=item.containing_oneof is not None,
        maximum=limits.EXPIRES_AFTER_MS_MAX if item.name == "expires_after_ms" else 0,
        characters_max=NAME_CHARACTERS_MAX.get(item.name, 0),
        enum_values=frozenset(item.enum_type.values_by_number) if item.enum_type else frozenset(),
        message=of(item.message_type) if item.message_type is not None else None,
    )
