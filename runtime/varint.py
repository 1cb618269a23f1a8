"""Varints of protobuf's wire format, for bytes that are put together without protobuf's copies.

Called by gateway and sequencer, often: small values are looked up. Never for values below 0.
"""

from typing import Final

MORE: Final = 0x80
BITS: Final = 7
_SMALL: Final = [bytes((value,)) for value in range(MORE)]


def varint(value: int) -> bytes:
    """A non-negative integer below 2^64, in as few bytes as it needs."""
    if value < MORE:
        return _SMALL[value]
    encoded = bytearray()
    while value >= MORE:
        encoded.append(value & 0x7F | MORE)
        value >>= BITS
    encoded.append(value)
    return bytes(encoded)
