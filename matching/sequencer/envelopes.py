"""Envelopes and batches as bytes: what is read of them, and those that matching makes itself.

Pure. Bodies of firms stay unopened: an envelope goes into the batch as it arrived.
"""

from typing import Final

from cambist.internal.journal.v1 import batch_pb2, system_pb2
from cambist.orders.v1 import enums_pb2
from runtime.varint import varint

SYSTEM: Final = enums_pb2.COMMAND_CLASS_SYSTEM
# Field 4 of Batch, length-delimited.
ENVELOPE_TAG: Final = b"\x22"


def batch(shard: int, first_seq: int, time_ns: int, envelopes: list[bytes]) -> bytes:
    """The bytes of a batch: what a row of the command journal holds."""
    head = batch_pb2.Batch(shard=shard, first_seq=first_seq, time_ns=time_ns)
    parts = [head.SerializeToString()]
    for envelope in envelopes:
        parts += (ENVELOPE_TAG, varint(len(envelope)), envelope)
    return b"".join(parts)


def system_envelope(command: system_pb2.SystemCommand, correlation: int, now_ns: int) -> bytes:
    """An envelope with one command of the venue."""
    body = system_pb2.SystemCommands(commands=[command])
    return batch_pb2.Envelope(
        command_class=SYSTEM,
        count=1,
        received_ns=max(now_ns, 0),
        correlation=correlation,
        system_commands=body.SerializeToString(),
    ).SerializeToString()


def clock(now_ns: int) -> bytes:
    """Lets due timers fire and open cursors go on."""
    command = system_pb2.SystemCommand(clock=system_pb2.Clock())
    return system_envelope(command, 0, now_ns)


def epoch_started(epoch: int, now_ns: int) -> bytes:
    """The first command of a primary."""
    started = system_pb2.EpochStarted(epoch=epoch)
    return system_envelope(system_pb2.SystemCommand(epoch_started=started), 0, now_ns)


def gateway_lost(link_id: int, now_ns: int) -> bytes:
    """A link ended."""
    lost = system_pb2.GatewayLost(link_id=link_id)
    return system_envelope(system_pb2.SystemCommand(gateway_lost=lost), 0, now_ns)


def command_poisoned(envelope: bytes, market_id: int, now_ns: int) -> bytes:
    """Stands in the place of a command that stopped the engine; `envelope` holds only that one."""
    poisoned = system_pb2.CommandPoisoned(envelope=envelope, index=0, market_id=market_id)
    return system_envelope(system_pb2.SystemCommand(command_poisoned=poisoned), 0, now_ns)
