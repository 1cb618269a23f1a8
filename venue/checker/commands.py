"""The command row: which command has which sequence, and whether each was answered."""

from dataclasses import dataclass
from typing import Final

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.orders.v1 import commands_pb2, enums_pb2

SYSTEM: Final = enums_pb2.COMMAND_CLASS_SYSTEM


@dataclass(frozen=True, slots=True)
class Sent:
    """One command of a firm in the journal."""

    seq: int
    envelope: int
    kind: str
    id: bytes
    account_id: int


@dataclass(frozen=True, slots=True)
class CommandRow:
    """What a command row holds: commands of firms by sequence, and commands in all."""

    shard: int
    first_seq: int
    time_ns: int
    commands: dict[int, Sent]
    # First sequence of each envelope, and how many commands it has.
    envelopes: tuple[tuple[int, int], ...]
    count: int


def read(raw: bytes) -> CommandRow:
    """Reads a command row; raises google.protobuf's DecodeError when it is none."""
    batch = batch_pb2.Batch.FromString(raw)
    seq = batch.first_seq
    commands: dict[int, Sent] = {}
    envelopes: list[tuple[int, int]] = []
    for index, envelope in enumerate(batch.envelopes):
        envelopes.append((seq, envelope.count))
        if envelope.command_class == SYSTEM:
            seq += len(system_pb2.SystemCommands.FromString(envelope.system_commands).commands)
            continue
        for command in commands_pb2.Commands.FromString(envelope.commands).commands:
            kind = command.WhichOneof("command") or ""
            command_id, account_id = identify(command, kind)
            commands[seq] = Sent(seq, index, kind, command_id, account_id)
            seq += 1
    count = seq - batch.first_seq
    return CommandRow(
        batch.shard, batch.first_seq, batch.time_ns, commands, tuple(envelopes), count
    )


def identify(command: commands_pb2.Command, kind: str) -> tuple[bytes, int]:
    """Id and account of a command."""
    if kind == "new_order":
        return command.new_order.cl_ord_id, command.new_order.account_id
    if kind == "replace":
        order = command.replace.new_order
        return order.cl_ord_id, order.account_id
    if kind == "new_list":
        orders = command.new_list.orders
        return command.new_list.request_id, orders[0].account_id if orders else 0
    if kind == "resolve":
        return command.resolve.id, command.resolve.account_id
    body = getattr(command, kind) if kind else None
    return (body.request_id, body.account_id) if body is not None else (b"", 0)
