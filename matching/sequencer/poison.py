"""Takes envelopes apart when one of their commands stops the engine. Pure.

A body is split at the tags of its commands; the bytes of a command stay as they are.
"""

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.message import Message

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.orders.v1 import commands_pb2
from matching.sequencer.envelopes import SYSTEM
from runtime.varint import BITS, MORE, varint

# Field 1 of Commands and of SystemCommands, length-delimited.
COMMAND_TAG: Final = b"\x0a"
VARINT_MASK: Final = 0x7F


def singles(envelope: bytes) -> list[bytes]:
    """One envelope per command of a well-formed envelope, with the numbers they had."""
    whole = batch_pb2.Envelope.FromString(envelope)
    is_system = whole.command_class == SYSTEM
    body = whole.system_commands if is_system else whole.commands
    found = []
    for index, command in enumerate(commands_of(body)):
        part = batch_pb2.Envelope()
        part.CopyFrom(whole)
        part.count = 1
        if whole.first_seq_no:
            part.first_seq_no = whole.first_seq_no + index
        one = COMMAND_TAG + varint(len(command)) + command
        if is_system:
            part.system_commands = one
        else:
            part.commands = one
        found.append(part.SerializeToString())
    return found


def commands_of(body: bytes) -> Iterator[bytes]:
    """The bytes of each command of a well-formed body."""
    position = 0
    while position < len(body):
        position += len(COMMAND_TAG)
        length, shift = 0, 0
        while True:
            byte = body[position]
            position += 1
            length |= (byte & VARINT_MASK) << shift
            shift += BITS
            if byte < MORE:
                break
        yield body[position : position + length]
        position += length


def market_of(single: bytes) -> int:
    """The market that the command of a single envelope names; 0 = none."""
    envelope = batch_pb2.Envelope.FromString(single)
    command: Any
    if envelope.command_class == SYSTEM:
        command = system_pb2.SystemCommands.FromString(envelope.system_commands).commands[0]
    else:
        command = commands_pb2.Commands.FromString(envelope.commands).commands[0]
    name = command.WhichOneof("command")
    return find_market(getattr(command, name)) if name is not None else 0


def find_market(message: Message) -> int:
    """The first `market_id` of a message, or of the order inside a Replace; 0 = none."""
    fields = message.DESCRIPTOR.fields_by_name
    if "market_id" in fields:
        return int(getattr(message, "market_id"))  # noqa: B009 - no such field on every message
    if "new_order" in fields:
        return find_market(getattr(message, "new_order"))  # noqa: B009
    return 0
