"""Finds in one command what the engine's decoder would refuse, for calls with several commands.

Each command of such a call goes on alone, so one malformed command must be found before the first
is sent: nothing changes when a call is refused. Single commands are left to the engine.
"""

from typing import Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

ID_BYTES: Final = 16
EXPIRES_AFTER_MS_MAX: Final = 60_000
# Ids that must be there; other byte fields may be absent.
REQUIRED: Final = frozenset({"cl_ord_id", "request_id"})


def fault_in(command: Message, raw_length: int) -> tuple[str, int] | None:
    """The first fault as (reason, field number); None when the engine would take it."""
    unknown = UnknownFieldSet(command)
    if len(unknown):
        return "MALFORMED_UNKNOWN_FIELD", int(unknown[0].field_number)
    for field in command.DESCRIPTOR.fields:
        if field.type == FieldDescriptor.TYPE_BYTES:
            length = len(getattr(command, field.name))
            if length not in (0, ID_BYTES) or (field.name in REQUIRED and not length):
                return "MALFORMED_BAD_LENGTH", field.number
            continue
        value = getattr(command, field.name)
        if field.enum_type is not None and value not in field.enum_type.values_by_number:
            return "MALFORMED_UNKNOWN_ENUM_VALUE", field.number
        if field.name == "expires_after_ms" and value > EXPIRES_AFTER_MS_MAX:
            return "MALFORMED_OUT_OF_RANGE", field.number
    # A field twice, or a varint longer than its value needs, makes the bytes longer than ours.
    if raw_length != command.ByteSize():
        return "MALFORMED_DUPLICATE_FIELD", 0
    return None
