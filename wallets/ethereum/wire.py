"""Quantities, bytes and hashes as JSON-RPC writes them, checked. Pure.

Called wherever an answer of a node is read. Text that is none is the node's fault: Quarantined.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from eth_hash.auto import keccak

from wallets.errors import Quarantined
from wallets.ethereum import limits
from wallets.limits import NODE_WORDS_MAX

HASH_BYTES: Final = 32
ADDRESS_BYTES: Final = 20
# Of 32 bytes as nodes tell them.
WORD_DIGITS: Final = len("0x") + 2 * HASH_BYTES


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


def words(values: Sequence[object]) -> bytes:
    """32 bytes each, one behind the other."""
    whole = "0x"
    for value in values:
        if not isinstance(value, str) or len(value) != WORD_DIGITS or not value.startswith("0x"):
            raise Quarantined(f"not 32 bytes: {str(value)[:NODE_WORDS_MAX]}")
        whole += value[2:]
    return data(whole, HASH_BYTES * len(values))


def account(value: object) -> bytes:
    """An account or contract; a block names the same ones again and again."""
    return _account(value) if isinstance(value, str) else data(value, ADDRESS_BYTES)


@lru_cache(maxsize=1_024)
def _account(value: str) -> bytes:
    return data(value, ADDRESS_BYTES)


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
