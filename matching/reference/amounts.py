"""Amounts and ids on the wire: 16 bytes, little-endian two's complement; absent bytes are zero.

Used wherever a message carries money. The strict decoder has already judged the length.
"""

AMOUNT_BYTES = 16
ID_BYTES = 16


def from_bytes(data: bytes) -> int:
    """The integer in 16 bytes or none."""
    return int.from_bytes(data, "little", signed=True)


def to_bytes(amount: int) -> bytes:
    """16 bytes of an integer that fits 127 bits and sign; zero is absent."""
    return amount.to_bytes(AMOUNT_BYTES, "little", signed=True) if amount else b""
