"""Puts commands, envelopes and batches together. Used by everything that makes tapes."""

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import Message

from cambist.internal.journal.v1 import batch_pb2
from cambist.internal.journal.v1 import system_pb2 as system
from cambist.orders.v1 import commands_pb2 as commands
from cambist.orders.v1 import enums_pb2 as enums

Envelope = batch_pb2.Envelope
MEMBERS: Final = {
    field.message_type.full_name: field.name
    for field in commands.Command.DESCRIPTOR.fields
    if field.message_type is not None
}
SYSTEM_MEMBERS: Final = {
    field.message_type.full_name: field.name
    for field in system.SystemCommand.DESCRIPTOR.fields
    if field.message_type is not None
}
CANCEL_CLASS: Final = frozenset(
    {"cancel", "mass_cancel", "cancel_quotes", "cancel_all_after", "resolve"}
)


def amount(atoms: int) -> bytes:
    """An amount as 16 bytes; zero is absent."""
    return atoms.to_bytes(16, "little", signed=True) if atoms else b""


def atoms(data: bytes) -> int:
    """What 16 bytes, or none, say."""
    return int.from_bytes(data, "little", signed=True)


def command(message: Message) -> commands.Command:
    """A command of a firm around its message."""
    wrapped = commands.Command()
    member = getattr(wrapped, MEMBERS[message.DESCRIPTOR.full_name])
    member.CopyFrom(message)
    member.SetInParent()
    return wrapped


def system_command(message: Message) -> system.SystemCommand:
    """A command of the venue around its message."""
    wrapped = system.SystemCommand()
    member = getattr(wrapped, SYSTEM_MEMBERS[message.DESCRIPTOR.full_name])
    member.CopyFrom(message)
    member.SetInParent()
    return wrapped


def class_of(wrapped: commands.Command) -> enums.CommandClass.ValueType:
    """ORDER or CANCEL."""
    if wrapped.WhichOneof("command") in CANCEL_CLASS:
        return enums.COMMAND_CLASS_CANCEL
    return enums.COMMAND_CLASS_ORDER


def body_of(wrapped: commands.Command) -> Message:
    """The message of a command."""
    member = wrapped.WhichOneof("command")
    assert member is not None
    body: Message = getattr(wrapped, member)
    return body


def firm_envelope(
    command_class: enums.CommandClass.ValueType,
    body: Sequence[commands.Command],
    *,
    session_id: int = 0,
    connection: int = 0,
    first_seq_no: int = 0,
    received_ns: int = 0,
    correlation: int = 0,
) -> Envelope:
    """An envelope of class ORDER, CANCEL or UNARY."""
    return Envelope(
        command_class=command_class,
        session_id=session_id,
        connection=connection,
        first_seq_no=first_seq_no,
        count=len(body),
        received_ns=received_ns,
        correlation=correlation,
        commands=commands.Commands(commands=body).SerializeToString(deterministic=True),
    )


def system_envelope(
    body: Sequence[Message], *, received_ns: int = 0, correlation: int = 0
) -> Envelope:
    """An envelope of class SYSTEM around messages of the venue."""
    wrapped = system.SystemCommands(commands=[system_command(message) for message in body])
    return Envelope(
        command_class=enums.COMMAND_CLASS_SYSTEM,
        count=len(body),
        received_ns=received_ns,
        correlation=correlation,
        system_commands=wrapped.SerializeToString(deterministic=True),
    )


def batch(shard: int, first_seq: int, time_ns: int, envelopes: Sequence[Envelope]) -> bytes:
    """A batch."""
    return batch_pb2.Batch(
        shard=shard, first_seq=first_seq, time_ns=time_ns, envelopes=envelopes
    ).SerializeToString(deterministic=True)
