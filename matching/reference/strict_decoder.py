"""The strict decoder: judges bytes by the rules of section 2, whatever the message.

Called by `envelopes` for every envelope and by `batches` for the batch itself. It only judges;
values are then read by the protobuf library, which cannot disagree about bytes that passed. It must
never accept two encodings that the kernel would not.
"""

from itertools import pairwise

from cambist.internal.matching.v1 import matching_pb2 as reasons
from matching.reference.schema import (
    WIRE_GROUP_END,
    WIRE_GROUP_START,
    FieldSchema,
    Kind,
    MessageSchema,
)

FIELD_NUMBER_MAX = (1 << 29) - 1
VARINT_BYTES_MAX = 10
INTEGER_MAX = {Kind.UINT32: (1 << 32) - 1, Kind.BOOL: 1}
INT32_MAX = (1 << 31) - 1
INT32_MIN_BITS = (1 << 64) - (1 << 31)
SIXTEEN = 16
FIXED_BYTES = {Kind.FIXED32: 4, Kind.FIXED64: 8}


class Fault(Exception):  # becomes MalformedEnvelope or BatchRefused
    """The first fault of a scan: a reason and the number of the innermost field."""

    def __init__(self, reason: int, field: int) -> None:
        super().__init__(reason, field)
        self.reason = reason
        self.field = field


def read_varint(data: bytes, position: int, end: int, field: int) -> tuple[int, int]:
    """The varint at `position` and where it ends; `field` is named in a fault."""
    value = 0
    for count in range(VARINT_BYTES_MAX):
        if position >= end:
            raise Fault(reasons.MALFORMED_REASON_TRUNCATED, field)
        byte = data[position]
        position += 1
        if count == VARINT_BYTES_MAX - 1 and byte > 1:
            raise Fault(reasons.MALFORMED_REASON_OVERLONG_VARINT, field)
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            if byte == 0 and count:
                raise Fault(reasons.MALFORMED_REASON_OVERLONG_VARINT, field)
            break
    return value, position


def read_tag(
    data: bytes, position: int, end: int, schema: MessageSchema
) -> tuple[FieldSchema, int]:
    """The field whose tag is at `position`, number and wire type judged."""
    tag, position = read_varint(data, position, end, 0)
    number, wire_type = tag >> 3, tag & 7
    field = schema.fields.get(number)
    if field is None or wire_type in {WIRE_GROUP_START, WIRE_GROUP_END}:
        known = number if number <= FIELD_NUMBER_MAX else 0
        raise Fault(reasons.MALFORMED_REASON_UNKNOWN_FIELD, known)
    if wire_type != field.wire_type:
        raise Fault(reasons.MALFORMED_REASON_WRONG_WIRE_TYPE, number)
    return field, position


def read_length(data: bytes, position: int, end: int, field: int) -> tuple[int, int]:
    """The bounds (start, stop) of a length-delimited value."""
    length, start = read_varint(data, position, end, field)
    if length > end - start:
        raise Fault(reasons.MALFORMED_REASON_TRUNCATED, field)
    return start, start + length


def scan(data: bytes, position: int, end: int, schema: MessageSchema) -> int:
    """Judges one message; returns the number of its oneof member, 0 if it has none."""
    sizes: dict[int, int] = {}  # field: length of its bytes, or number of its items
    items: dict[int, list[int]] = {}  # packed lists
    member = 0
    while position < end:
        field, position = read_tag(data, position, end, schema)
        number, kind = field.number, field.kind
        if not field.repeated and (number in sizes or (field.in_oneof and member)):
            raise Fault(reasons.MALFORMED_REASON_DUPLICATE_FIELD, number)
        if field.in_oneof:
            member = number
        if kind <= Kind.ENUM and not field.repeated:
            value, position = read_varint(data, position, end, number)
            judge_integer(value, field)
            sizes[number] = 0
        elif kind >= Kind.FIXED32:
            if end - position < FIXED_BYTES[kind]:
                raise Fault(reasons.MALFORMED_REASON_TRUNCATED, number)
            position += FIXED_BYTES[kind]
            sizes[number] = 0
        else:
            start, position = read_length(data, position, end, number)
            if field.message is not None:
                scan(data, start, position, field.message)
                sizes[number] = sizes.get(number, 0) + 1
            elif field.repeated:
                _scan_packed(data, start, position, field, items.setdefault(number, []))
                sizes[number] = len(items[number])
            else:
                _judge_bytes(data, start, position, field)
                sizes[number] = position - start
    _finish(schema, sizes, items, member)
    return member


def judge_integer(value: int, field: FieldSchema) -> None:
    """Judges a varint that fits 64 bits against the type of its field."""
    kind = field.kind
    if kind is Kind.ENUM:
        if value not in field.enum_values:
            raise Fault(reasons.MALFORMED_REASON_UNKNOWN_ENUM_VALUE, field.number)
    elif kind is Kind.INT32:
        if INT32_MAX < value < INT32_MIN_BITS:
            raise Fault(reasons.MALFORMED_REASON_OUT_OF_RANGE, field.number)
    elif value > (field.maximum or INTEGER_MAX.get(kind, value)):
        raise Fault(reasons.MALFORMED_REASON_OUT_OF_RANGE, field.number)


def _scan_packed(data: bytes, start: int, end: int, field: FieldSchema, items: list[int]) -> None:
    while start < end:
        value, start = read_varint(data, start, end, field.number)
        judge_integer(value, field)
        items.append(value)


def _judge_bytes(data: bytes, start: int, end: int, field: FieldSchema) -> None:
    if field.kind is Kind.SIXTEEN_BYTES:
        if end - start not in {0, SIXTEEN}:
            raise Fault(reasons.MALFORMED_REASON_BAD_LENGTH, field.number)
    elif field.kind is Kind.STRING:
        try:
            text = data[start:end].decode("utf-8")
        except UnicodeDecodeError:
            raise Fault(reasons.MALFORMED_REASON_BAD_UTF8, field.number) from None
        if len(text) > field.characters_max:
            raise Fault(reasons.MALFORMED_REASON_BAD_LENGTH, field.number)


def _finish(
    schema: MessageSchema, sizes: dict[int, int], items: dict[int, list[int]], member: int
) -> None:
    """What can be judged only when the whole message was read."""
    if schema.is_command and not member:
        raise Fault(reasons.MALFORMED_REASON_EMPTY_COMMAND, 0)
    for number in schema.never_empty:
        if not sizes.get(number):
            raise Fault(reasons.MALFORMED_REASON_BAD_LENGTH, number)
    for number in schema.absent_is_empty:
        message = schema.fields[number].message
        if number not in sizes and message is not None:
            _finish(message, {}, {}, 0)
    for number, fewest, most in schema.list_bounds:
        values = items.get(number, [])
        ascending = all(a < b for a, b in pairwise(values))
        if not fewest <= sizes.get(number, 0) <= most or not ascending:
            raise Fault(reasons.MALFORMED_REASON_BAD_LIST, number)
