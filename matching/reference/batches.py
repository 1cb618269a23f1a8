"""Judges and opens a batch: the refusals at the head of section 3. Called by `engine.apply`.

It changes nothing.
"""

from dataclasses import dataclass
from typing import Final

from cambist.internal.journal.v1 import batch_pb2
from matching.reference import limits, schema
from matching.reference.envelopes import open_envelope
from matching.reference.errors import BatchRefused
from matching.reference.schema import FieldSchema, Kind
from matching.reference.strict_decoder import (
    Fault,
    judge_integer,
    read_length,
    read_tag,
    read_varint,
)

BATCH: Final = schema.of(batch_pb2.Batch.DESCRIPTOR)


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch that will be applied."""

    first_seq: int
    last_seq: int
    time_ns: int
    envelopes: list[batch_pb2.Envelope]


def open_batch(data: bytes, shard: int, last_seq: int, time_ns: int) -> OpenBatch:
    """The batch in `data`. Raises BatchRefused, MalformedEnvelope."""
    try:
        numbers, bodies = _scan(data)
    except Fault:
        raise BatchRefused("MALFORMED_BATCH") from None
    if numbers["shard"] != shard:
        raise BatchRefused("WRONG_SHARD")
    if numbers["first_seq"] != last_seq + 1:
        raise BatchRefused("WRONG_SEQ")
    if numbers["time_ns"] < time_ns:
        raise BatchRefused("TIME_BACKWARDS")
    if not bodies:
        raise BatchRefused("NO_ENVELOPE")
    if len(bodies) > limits.BATCH_ENVELOPES_MAX:
        raise BatchRefused("TOO_LARGE")
    envelopes = []
    count = 0
    for body in bodies:
        envelope = open_envelope(body)
        count += envelope.count
        if count > limits.BATCH_COMMANDS_MAX:
            raise BatchRefused("TOO_LARGE")
        envelopes.append(envelope)
    return OpenBatch(last_seq + 1, last_seq + count, numbers["time_ns"], envelopes)


def _scan(data: bytes) -> tuple[dict[str, int], list[bytes]]:
    """The batch's own fields and its envelopes, unopened: their faults have names of their own."""
    found: dict[int, int] = {}
    bodies: list[bytes] = []
    position, end = 0, len(data)
    while position < end:
        field, position = read_tag(data, position, end, BATCH)
        if field.repeated:
            start, position = read_length(data, position, end, field.number)
            bodies.append(data[start:position])
        else:
            position = _scan_number(data, position, end, field, found)
    batch = batch_pb2.Batch.DESCRIPTOR.fields_by_name
    names = ("shard", "first_seq", "time_ns")
    numbers = {name: found.get(batch[name].number, 0) for name in names}
    if numbers["time_ns"] >> 63:
        numbers["time_ns"] -= 1 << 64
    return numbers, bodies


def _scan_number(
    data: bytes, position: int, end: int, field: FieldSchema, found: dict[int, int]
) -> int:
    assert field.kind in (Kind.UINT32, Kind.UINT64, Kind.INT64), "a batch has no other fields"
    if field.number in found:
        raise Fault(0, field.number)
    value, position = read_varint(data, position, end, field.number)
    judge_integer(value, field)
    found[field.number] = value
    return position
