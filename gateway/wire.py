"""Protobuf by hand where a message only wraps bytes that must not be opened.

Used on the path of every batch: one join, or one slice, instead of a copy per layer. Only field
numbers below 16 are written and read, so that a tag is one byte.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from runtime.varint import varint

VARINT: Final = 0
LENGTH: Final = 2
# A varint has at most ten bytes.
SHIFT_MAX: Final = 63

Chunk = bytes | memoryview


def number(field: int, value: int) -> bytes:
    """A varint field; nothing when the value is 0."""
    return varint(field << 3 | VARINT) + varint(value) if value else b""


def header(field: int, length: int) -> bytes:
    """Tag and length of a length-delimited field."""
    return varint(field << 3 | LENGTH) + varint(length)


def message(field: int, chunks: Iterable[Chunk]) -> bytes:
    """A length-delimited field that holds the joined chunks."""
    body = b"".join(chunks)
    return header(field, len(body)) + body


class NotWire(ValueError):
    """Bytes that are not a message of fields below 16 that are varints or length-delimited."""


def fields(view: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field; what is length-delimited is not copied. Raises NotWire."""
    position, end = 0, len(view)
    while position < end:
        tag = view[position]
        value, position = _varint_at(view, position + 1)
        if tag & 0x87 == VARINT:
            yield tag >> 3, value
        elif tag & 0x87 == LENGTH and position + value <= end:
            yield tag >> 3, view[position : position + value]
            position += value
        else:
            raise NotWire


def _varint_at(view: memoryview, position: int) -> tuple[int, int]:
    """A varint and where it ends. Raises NotWire."""
    value = shift = 0
    while position < len(view) and shift <= SHIFT_MAX:
        byte = view[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise NotWire


def split(raw: bytes, field: int) -> list[memoryview] | None:
    """The payloads of a message that has nothing but one length-delimited field, else None."""
    payloads: list[memoryview] = []
    try:
        for found, value in fields(memoryview(raw)):
            if found != field or isinstance(value, int):
                return None
            payloads.append(value)
    except NotWire:
        return None
    return payloads
