"""Messages of an order session from the venue, as bytes.

Event batches are written by hand around frames that stay unopened; the rest is rare.
"""

from collections.abc import Sequence

from cambist.internal.matching.v1 import matching_pb2
from cambist.orders.v1 import enums_pb2, service_pb2
from gateway import wire
from gateway.shard.rows import Row

EVENTS_FIELD = service_pb2.OrderEntrySessionResponse.EVENTS_FIELD_NUMBER
_MALFORMED_PREFIX = "MALFORMED_REASON_"


def event_batch(
    row: Row,
    session_frame: wire.Chunk,
    private_frames: Sequence[wire.Chunk],
    last_seq_nos: tuple[int, int],
    remaining: int,
    *,
    is_replay: bool = False,
) -> bytes:
    """An EventBatch of one row, ready to be sent; a replay has no times of the commit."""
    chunks: list[wire.Chunk] = [wire.number(1, row.first_seq), wire.number(2, row.last_seq)]
    if session_frame:
        chunks += (wire.header(3, len(session_frame)), session_frame)
    if private_frames:
        chunks.append(wire.header(4, sum(map(len, private_frames))))
        chunks += private_frames
    chunks += (
        wire.number(5, last_seq_nos[0]),
        wire.number(6, last_seq_nos[1]),
        wire.number(7, remaining),
        wire.number(8, 0 if is_replay else row.matched_ns),
        wire.number(9, 0 if is_replay else row.durable_ns),
    )
    return b"".join((wire.header(EVENTS_FIELD, sum(map(len, chunks))), *chunks))


def terminate(reason: service_pb2.TerminateReason.ValueType, text: str, last_seq: int) -> bytes:
    """The connection is over."""
    end = service_pb2.Terminate(reason=reason, text=text, last_seq=last_seq)
    return service_pb2.OrderEntrySessionResponse(terminate=end).SerializeToString()


def batch_refused(batch: service_pb2.CommandBatch, reason: str, retry_after_ms: int = 0) -> bytes:
    """A batch was refused by the gateway."""
    refused = service_pb2.BatchRefused(
        command_class=known_class(batch.command_class),
        first_seq_no=batch.first_seq_no,
        count=batch.count,
        reason=reason,
        retry_after_ms=retry_after_ms,
    )
    return service_pb2.OrderEntrySessionResponse(batch_refused=refused).SerializeToString()


def batch_malformed(
    command_class: int, first_seq_no: int, count: int, refusal: matching_pb2.Refused
) -> bytes:
    """A batch was refused by the engine's decoder."""
    refused = service_pb2.BatchRefused(
        command_class=known_class(command_class),
        first_seq_no=first_seq_no,
        count=count,
        reason=malformed_name(refusal.reason),
        index=refusal.index,
        field=refusal.field,
    )
    return service_pb2.OrderEntrySessionResponse(batch_refused=refused).SerializeToString()


def malformed_name(reason: int) -> str:
    """The reason as clients are told it, for example MALFORMED_UNKNOWN_FIELD."""
    if reason not in matching_pb2.MalformedReason.values():
        return "MALFORMED"
    name = matching_pb2.MalformedReason.Name(matching_pb2.MalformedReason.ValueType(reason))
    return "MALFORMED_" + name.removeprefix(_MALFORMED_PREFIX)


def known_class(command_class: int) -> enums_pb2.CommandClass.ValueType:
    """The class, or unspecified when it is none of ours."""
    if command_class in enums_pb2.CommandClass.values():
        return enums_pb2.CommandClass.ValueType(command_class)
    return enums_pb2.COMMAND_CLASS_UNSPECIFIED


def heartbeat(last_seq: int) -> bytes:
    """The venue's heartbeat."""
    sequence = service_pb2.Sequence(last_seq=last_seq)
    return service_pb2.OrderEntrySessionResponse(sequence=sequence).SerializeToString()


def go_away(reason: str, resume_after_seq: int, deadline_ms: int) -> bytes:
    """The gateway is about to stop."""
    message = service_pb2.GoAway(
        reason=reason, resume_after_seq=resume_after_seq, deadline_ms=deadline_ms
    )
    return service_pb2.OrderEntrySessionResponse(go_away=message).SerializeToString()
