"""Amounts between decimal text and the 16 bytes of the journal. Pure."""

import re
from typing import Final

from matching.errors import Rejected

AMOUNT_BYTES: Final = 16
DECIMAL: Final = re.compile(r"[0-9]{1,40}")
AMOUNT_END: Final = 1 << (8 * AMOUNT_BYTES - 1)


def to_bytes(text: str, field: str) -> bytes:
    """The bytes of a decimal number; empty text and zero are no bytes. Raises Rejected."""
    if not text:
        return b""
    if not DECIMAL.fullmatch(text) or int(text) >= AMOUNT_END:
        raise Rejected("INVALID_AMOUNT", f"{field} is not a decimal amount")
    value = int(text)
    return value.to_bytes(AMOUNT_BYTES, "little", signed=True) if value else b""


def to_text(data: bytes) -> str:
    """The decimal number of bytes."""
    return str(int.from_bytes(data, "little", signed=True))
