"""Numbers, bytes and objects as a TRON node writes them in JSON, checked. Pure.

Called wherever an answer of a node is read. What is none is the node's fault: Quarantined.
"""

import json
from typing import Any, Final

from wallets.errors import Quarantined
from wallets.limits import NODE_WORDS_MAX
from wallets.tron.limits import AMOUNT_SUN_MAX

HASH_BYTES: Final = 32
# One for all: to make it takes longer than to write a log with it.
ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)


def number(value: object) -> int:
    """A number that is not negative; a node leaves zeros out."""
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= AMOUNT_SUN_MAX:
        return value
    raise Quarantined(f"not a number: {str(value)[:NODE_WORDS_MAX]}")


def data(value: object, size: int | None = None) -> bytes:
    """Bytes, of a given length if one is given; a node leaves empty ones out."""
    text = "" if value is None else value
    if isinstance(text, str):
        try:
            found = bytes.fromhex(text)
        except ValueError:
            found = b""
        if len(found) * 2 == len(text) and size in (None, len(found)):
            return found
    raise Quarantined(f"not bytes: {str(value)[:NODE_WORDS_MAX]}")


def fields(value: object) -> dict[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise Quarantined(f"not an object: {str(value)[:NODE_WORDS_MAX]}")
    return value


def items(value: object) -> list[Any]:
    """A list; a node leaves empty ones out."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Quarantined(f"not a list: {str(value)[:NODE_WORDS_MAX]}")
    return value


def canonical(value: object) -> bytes:
    """The same bytes for the same content, whatever the order of its names."""
    return ENCODER.encode(value).encode()
