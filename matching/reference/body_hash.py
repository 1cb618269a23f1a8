"""fold64: the hash of a command's body. Section 2. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from cambist.orders.v1 import commands_pb2
from matching.reference.amounts import ID_BYTES

WORD: Final = (1 << 64) - 1
SEED: Final = 0x243F6A8885A308D3
FACTOR: Final = 0x9E3779B97F4A7C15
LAST_FACTOR: Final = 0xD6E8FEB86659FD93
ROTATION: Final = 29
# Of the command itself; they are no part of its body.
LEFT_OUT: Final = frozenset({"cl_ord_id", "request_id", "account_id", "after_order_seq_no"})


def body_hash(member: int, message: Any) -> int:
    """The hash of a command that has an id: `member` is its number in Command."""
    folded = SEED
    for word in words(member, message):
        folded = ((folded ^ word) * FACTOR) & WORD
        folded = ((folded << ROTATION) | (folded >> (64 - ROTATION))) & WORD
    folded ^= folded >> 32
    folded = (folded * LAST_FACTOR) & WORD
    return folded ^ (folded >> 32)


def words(member: int, message: Any) -> Iterator[int]:
    """Member number, then the fields in their order."""
    yield member
    yield from fields_of(message)


def fields_of(message: Any) -> Iterator[int]:
    """The fields in their order; a message inside in the place of its field."""
    for field in message.DESCRIPTOR.fields:
        if field.name in LEFT_OUT:
            continue
        value = getattr(message, field.name)
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            yield from fields_of(value)
        elif field.type == FieldDescriptor.TYPE_BYTES:
            padded = value.ljust(ID_BYTES, b"\0")
            yield int.from_bytes(padded[:8], "little")
            yield int.from_bytes(padded[8:], "little")
        elif field.type == FieldDescriptor.TYPE_STRING:
            text = value.encode()
            yield len(text)
            for start in range(0, len(text), 8):
                yield int.from_bytes(text[start : start + 8], "little")
        else:
            yield int(value) & WORD


def member_of(command: commands_pb2.Command) -> tuple[int, str, Any]:
    """Number, name and message of the member that is set."""
    name = command.WhichOneof("command")
    assert name is not None, "the strict decoder refuses an empty command"
    return command.DESCRIPTOR.fields_by_name[name].number, name, getattr(command, name)
