"""RLP in hex digits: what nodes tell is put together as text, and made bytes of once. Pure.

Called by `proofs`. A block is tens of thousands of values, and to make bytes of each took most of
its time. Digits that are none are found when the whole becomes bytes: `to_bytes` is never left out.
"""

from collections.abc import Iterable
from typing import Any, Final

from wallets.errors import Quarantined
from wallets.ethereum import limits
from wallets.ethereum.trie_root import LIST_OFFSET, SHORT_BYTES_MAX, TEXT_OFFSET, length_of
from wallets.ethereum.wire import WORD_DIGITS
from wallets.limits import NODE_WORDS_MAX

NOTHING: Final = "80"
# What goes before 32 bytes in a list.
WORD_LENGTH: Final = "a0"
# What goes before strings and lists of up to 55 bytes, by their length.
TEXT_LENGTHS: Final = [length_of(size, TEXT_OFFSET).hex() for size in range(SHORT_BYTES_MAX + 1)]
LIST_LENGTHS: Final = [length_of(size, LIST_OFFSET).hex() for size in range(SHORT_BYTES_MAX + 1)]


def number(value: object) -> str:
    """A quantity: without leading zeros, and zero as nothing."""
    if (
        not isinstance(value, str)
        or not 2 < len(value) <= limits.QUANTITY_DIGITS_MAX + 2
        or not value.startswith("0x")
    ):
        raise Quarantined(f"not a quantity: {str(value)[:NODE_WORDS_MAX]}")
    digits = value[2:].lstrip("0")
    return text(digits if len(digits) % 2 == 0 else "0" + digits)


def content(value: object) -> str:
    """Bytes of any length."""
    if not isinstance(value, str) or not value.startswith("0x") or len(value) % 2:
        raise Quarantined(f"not data: {str(value)[:NODE_WORDS_MAX]}")
    return text(value[2:])


def fixed(value: object, size: int) -> str:
    """Bytes of a length above 1."""
    if not isinstance(value, str) or len(value) != 2 * size + 2 or not value.startswith("0x"):
        raise Quarantined(f"not data: {str(value)[:NODE_WORDS_MAX]}")
    return text(value[2:])


def words(values: list[Any]) -> str:
    """A list of 32 bytes each."""
    for value in values:
        if not isinstance(value, str) or len(value) != WORD_DIGITS or not value.startswith("0x"):
            raise Quarantined(f"not data: {str(value)[:NODE_WORDS_MAX]}")
    return sequence([WORD_LENGTH + value[2:] for value in values])


def text(digits: str) -> str:
    """A string of bytes, given as digits."""
    size = len(digits) // 2
    if size == 1 and digits < NOTHING:
        return digits
    if size <= SHORT_BYTES_MAX:
        return TEXT_LENGTHS[size] + digits
    return length_of(size, TEXT_OFFSET).hex() + digits


def sequence(parts: Iterable[str]) -> str:
    """A list, of parts that are in RLP already."""
    digits = "".join(parts)
    size = len(digits) // 2
    if size <= SHORT_BYTES_MAX:
        return LIST_LENGTHS[size] + digits
    return length_of(size, LIST_OFFSET).hex() + digits


def to_bytes(digits: str) -> bytes:
    """The bytes. Raises Quarantined where a node told something else than digits."""
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        found = b""
    # Spaces between bytes are passed over: then the length tells.
    if len(found) * 2 != len(digits):
        raise Quarantined("something else among digits")
    return found
