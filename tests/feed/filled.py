"""Messages with every field set, made from their descriptors. Used by the test of the contract.

A decoder that forgot a field of the contract refuses such a message.
"""

from typing import Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

Kind = TypeVar("Kind", bound=Message)


def filled(kind: type[Kind], member: str = "") -> Kind:
    """A message with all its fields set, and of a oneof the member of that name, or the first."""
    message = kind()
    for field in message.DESCRIPTOR.fields:
        group = field.containing_oneof
        if group is not None and field.name != (member or group.fields[0].name):
            continue
        value = _value(field)
        if field.is_repeated:
            getattr(message, field.name).append(value)
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(value)
        else:
            setattr(message, field.name, value)
    return message


def _value(field: Any) -> Any:
    if field.message_type is not None:
        return filled(GetMessageClass(field.message_type))
    if field.enum_type is not None:
        return field.enum_type.values[-1].number
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        # Amounts and ids are 16 bytes.
        return b"\x01" * 16 if field.type == FieldDescriptor.TYPE_BYTES else "A"
    return True if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL else 1
