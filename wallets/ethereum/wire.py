"""Quantities, bytes and hashes as JSON-RPC writes them, checked. Pure.

Called wherever an answer of a node is read. Text that is none is the node's fault: Quarantined.
"""

from typing import Any, Final

from eth_hash.auto import keccak

from wallets.errors import Quarantined
from wallets.ethereum import limits
from wallets.limits import NODE_WORDS_MAX

HASH_BYTES: Final = 32
ADDRESS_BYTES: Final = 20


def quantity(value: object) -> int:
    """A number of at most 256 bits."""
    if isinstance(value, str) and 2 < len(value) <= limits.QUANTITY_DIGITS_MAX + 2:
        try:
            # int() would take signs, spaces and underscores as well.
            if value.startswith("0x") and value[2:].isalnum():
                return int(value, 16)
        except ValueError:
            pass
    raise Quarantined(f"not a quantity: {str(value)[:NODE_WORDS_MAX]}")


def data(value: object, size: int | None = None) -> bytes:
    """Bytes, of a given length if one is given."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            found = bytes.fromhex(value[2:])
        except ValueError:
            found = b""
        if len(found) * 2 == len(value) - 2 and size in (None, len(found)):
            return found
    raise Quarantined(f"not data: {str(value)[:NODE_WORDS_MAX]}")


def hash_text(value: object) -> str:
    """A hash as we store it: lower-case digits without prefix."""
    return data(value, HASH_BYTES).hex()


def fields(value: object) -> dict[str, Any]:
    """An object. An empty or null answer is none."""
    if not isinstance(value, dict):
        raise Quarantined(f"not an object: {str(value)[:NODE_WORDS_MAX]}")
    return value


def hash_of(content: bytes) -> str:
    """Keccak-256."""
    return keccak(content).hex()
