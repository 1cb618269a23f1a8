"""Framing of the ceiling: pieces (session, orders, bytes) packed into one message."""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

ORDER_METHOD: Final = "/benchmarks.Ceiling/Order"
SUBMIT_METHOD: Final = "/benchmarks.Ceiling/Submit"
_HEAD: Final = struct.Struct("<III")
ORDERS: Final = struct.Struct("<I")
OPTIONS: Final[list[tuple[str, Any]]] = [
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
]


class Piece(NamedTuple):
    """Requests or answers of one session."""

    session: int
    orders: int
    data: bytes


def pack(pieces: Sequence[Piece]) -> bytes:
    """Several pieces as one message."""
    parts: list[bytes] = []
    for session, orders, data in pieces:
        parts += (_HEAD.pack(session, orders, len(data)), data)
    return b"".join(parts)


def unpack(message: bytes) -> Iterator[Piece]:
    """The pieces of a message."""
    position = 0
    while position < len(message):
        session, orders, length = _HEAD.unpack_from(message, position)
        position += _HEAD.size
        yield Piece(session, orders, message[position : position + length])
        position += length
