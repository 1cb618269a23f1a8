"""Judges and opens envelopes: section 2, in the order it names.

`check_envelope` is called by matching before an envelope is queued and by `apply` for each envelope
of a batch. It must never accept bytes that `apply` would refuse.
"""

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.internal.matching.v1 import matching_pb2 as reasons
from cambist.orders.v1 import commands_pb2, enums_pb2
from matching.reference import limits, schema
from matching.reference.errors import MalformedEnvelope
from matching.reference.schema import MessageSchema
from matching.reference.strict_decoder import Fault, read_length, read_tag, scan

ENVELOPE = schema.of(batch_pb2.Envelope.DESCRIPTOR)
COMMANDS = schema.of(commands_pb2.Commands.DESCRIPTOR)
SYSTEM_COMMANDS = schema.of(system_pb2.SystemCommands.DESCRIPTOR)
CANCEL_MEMBERS = frozenset(
    commands_pb2.Command.DESCRIPTOR.fields_by_name[name].number
    for name in ("cancel", "mass_cancel", "cancel_quotes", "cancel_all_after", "resolve")
)
ORDER_MEMBERS = frozenset(commands_pb2.Command.DESCRIPTOR.fields_by_number) - CANCEL_MEMBERS
MEMBERS_OF_CLASS = {
    enums_pb2.COMMAND_CLASS_ORDER: ORDER_MEMBERS,
    enums_pb2.COMMAND_CLASS_CANCEL: CANCEL_MEMBERS,
}
SESSION_CLASSES = (enums_pb2.COMMAND_CLASS_ORDER, enums_pb2.COMMAND_CLASS_CANCEL)
SEQ_NO_END = 1 << 63


def check_envelope(envelope: bytes) -> None:
    """Raises MalformedEnvelope(reason, index, field) unless the bytes are well formed."""
    open_envelope(envelope)


def open_envelope(data: bytes) -> batch_pb2.Envelope:
    """The envelope in `data`, judged wholly: its fields, then its body."""
    try:
        scan(data, 0, len(data), ENVELOPE)
    except Fault as fault:
        raise MalformedEnvelope(fault.reason, 0, fault.field) from None
    envelope = batch_pb2.Envelope.FromString(data)
    if not _fields_agree(envelope):
        raise MalformedEnvelope(reasons.MALFORMED_REASON_BAD_ENVELOPE, 0, 0)
    if envelope.command_class == enums_pb2.COMMAND_CLASS_SYSTEM:
        body, container = envelope.system_commands, SYSTEM_COMMANDS
    else:
        body, container = envelope.commands, COMMANDS
    if len(body) > limits.ENVELOPE_BYTES_MAX:
        raise MalformedEnvelope(reasons.MALFORMED_REASON_TOO_LARGE, 0, 0)
    count = _scan_body(body, container, MEMBERS_OF_CLASS.get(envelope.command_class))
    if count != envelope.count:
        raise MalformedEnvelope(reasons.MALFORMED_REASON_COUNT_MISMATCH, 0, 0)
    return envelope


def _fields_agree(envelope: batch_pb2.Envelope) -> bool:
    command_class = envelope.command_class
    if command_class == enums_pb2.COMMAND_CLASS_UNSPECIFIED or envelope.received_ns < 0:
        return False
    if not 1 <= envelope.count <= limits.ENVELOPE_COMMANDS_MAX:
        return False
    if command_class == enums_pb2.COMMAND_CLASS_UNARY and envelope.count != 1:
        return False
    is_system = command_class == enums_pb2.COMMAND_CLASS_SYSTEM
    if envelope.commands if is_system else envelope.system_commands:
        return False
    numbers = (envelope.session_id, envelope.connection, envelope.first_seq_no)
    if command_class in SESSION_CLASSES:
        return all(numbers) and envelope.first_seq_no + envelope.count < SEQ_NO_END
    return not any(numbers)


def fault_if(condition: bool, reason: int, field: int) -> None:
    """Raises Fault(reason, field) when the condition holds."""
    if condition:
        raise Fault(reason, field)


def _scan_body(body: bytes, container: MessageSchema, members: frozenset[int] | None) -> int:
    """Judges the commands of a body and counts them."""
    position, index, end = 0, 0, len(body)
    try:
        while position < end:
            field, position = read_tag(body, position, end, container)
            fault_if(index == limits.ENVELOPE_COMMANDS_MAX, reasons.MALFORMED_REASON_TOO_LARGE, 0)
            start, position = read_length(body, position, end, field.number)
            assert field.message is not None, "the containers hold messages only"
            member = scan(body, start, position, field.message)
            is_wrong = members is not None and member not in members
            fault_if(is_wrong, reasons.MALFORMED_REASON_WRONG_CLASS, member)
            index += 1
    except Fault as fault:
        raise MalformedEnvelope(fault.reason, index, fault.field) from None
    return index
