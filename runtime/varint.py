"""Varints of protobuf's wire format, for bytes that are put together without protobuf's copies.

Called by gateway and sequencer, often: 14 bits at a time are looked up. Never for values below 0.
"""

from typing import Final

# Of one byte: its bits, and the one that says that more follow.
BITS: Final = 7
MORE: Final = 0x80
VALUES: Final = 1 << 2 * BITS
# The bytes of 14 bits: as the end of a varint, and with more to follow.
_ENDS: Final = [
    bytes((value,)) if value < MORE else bytes((value & 0x7F | MORE, value >> BITS))
    for value in range(VALUES)
]
_MORE: Final = [bytes((value & 0x7F | MORE, value >> BITS | MORE)) for value in range(VALUES)]


def varint(value: int) -> bytes:
    """A non-negative integer below 2^64, in as few bytes as it needs."""
    if value < VALUES:
        return _ENDS[value]
    encoded = _MORE[value % VALUES]
    value >>= 2 * BITS
    while value >= VALUES:
        encoded += _MORE[value % VALUES]
        value >>= 2 * BITS
    return encoded + _ENDS[value]
