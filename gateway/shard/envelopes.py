"""Envelopes of commands, as bytes: what the gateway sends to matching.

Commands of clients go in unopened. System commands are the gateway's own: sessions and nothing
else.
"""

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.orders.v1 import enums_pb2, service_pb2
from gateway import wire

COMMANDS_FIELD = batch_pb2.Envelope.COMMANDS_FIELD_NUMBER


def session_envelope(
    batch: service_pb2.CommandBatch,
    commands: bytes,
    session_id: int,
    connection: int,
    received_ns: int,
) -> bytes:
    """A client's batch of one class; `commands` are those of the batch, taken out of it once."""
    head = batch_pb2.Envelope(
        command_class=batch.command_class,
        session_id=session_id,
        connection=connection,
        first_seq_no=batch.first_seq_no,
        count=batch.count,
        received_ns=received_ns,
    ).SerializeToString()
    if not commands:
        return head
    return b"".join((head, wire.header(COMMANDS_FIELD, len(commands)), commands))


def unary_envelope(commands: bytes, correlation: int, received_ns: int) -> bytes:
    """One command of a unary call; `commands` is a Commands message."""
    return batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_UNARY,
        count=1,
        received_ns=received_ns,
        correlation=correlation,
        commands=commands,
    ).SerializeToString()


def system_envelope(command: system_pb2.SystemCommand, correlation: int, received_ns: int) -> bytes:
    """One command of the gateway's own."""
    body = system_pb2.SystemCommands(commands=[command])
    return batch_pb2.Envelope(
        command_class=enums_pb2.COMMAND_CLASS_SYSTEM,
        count=1,
        received_ns=received_ns,
        correlation=correlation,
        system_commands=body.SerializeToString(),
    ).SerializeToString()


def session_lost(
    session_id: int, connection: int, *, by_client: bool = False
) -> system_pb2.SystemCommand:
    """A connection was lost, or its client took leave; the session stays."""
    lost = system_pb2.SessionLost(session_id=session_id, connection=connection, by_client=by_client)
    return system_pb2.SystemCommand(session_lost=lost)


def session_ended(session_id: int, connection: int) -> system_pb2.SystemCommand:
    """A session is over; connection 0 = ended by the venue, whatever the connection."""
    ended = system_pb2.SessionEnded(session_id=session_id, connection=connection)
    return system_pb2.SystemCommand(session_ended=ended)
