"""How numbers of the contract become numbers of Postgres. Pure."""

from typing import Final

BIGINT_SPAN: Final = 1 << 64
BIGINT_LIMIT: Final = 1 << 63


def bigint(unsigned: int) -> int:
    """A 64-bit number as `bigint` holds it: from 2^63 on it wraps to negative, one to one."""
    return unsigned if unsigned < BIGINT_LIMIT else unsigned - BIGINT_SPAN


def atoms(amount: bytes) -> int:
    """An amount of the contract: 16 bytes, little-endian two's complement; absent is zero."""
    return int.from_bytes(amount, "little", signed=True)
