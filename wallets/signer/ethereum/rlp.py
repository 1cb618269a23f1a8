"""RLP, as Ethereum writes transactions: numbers, bytes and lists of them. Pure."""

from collections.abc import Sequence
from typing import Final, TypeAlias

Item: TypeAlias = "int | bytes | Sequence[Item]"
BYTES: Final = 0x80
LIST: Final = 0xC0
# Lengths up to this stand in the first byte.
SHORT_MAX: Final = 55


def encode(item: Item) -> bytes:
    """An item; numbers are without sign and leading zeros."""
    if isinstance(item, int):
        return encode(item.to_bytes((item.bit_length() + 7) // 8, "big"))
    if isinstance(item, bytes):
        is_itself = len(item) == 1 and item[0] < BYTES
        return item if is_itself else head(len(item), BYTES) + item
    body = b"".join(map(encode, item))
    return head(len(body), LIST) + body


def head(length: int, kind: int) -> bytes:
    """What comes before the bytes of an item."""
    if length <= SHORT_MAX:
        return bytes((kind + length,))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((kind + SHORT_MAX + len(size),)) + size
