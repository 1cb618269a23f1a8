"""Addresses of TRON: base58 text to the 21 bytes of an account, and back.

Called by the adapter and the builder. A refusal has a name (`AddressFault`). Hexadecimal text is
refused where base58 belongs: a node reads both, and the same text must never mean two accounts.
"""

import enum
from collections.abc import Collection
from typing import Final

import base58
from eth_hash.auto import keccak

from wallets.contract import Destination
from wallets.errors import RefusedAddress
from wallets.extended_keys import ExtendedKey

PREFIX: Final = 0x41
KEY_BYTES: Final = 21
TEXT_LENGTH: Final = 34
BASE58_CHARACTERS: Final = frozenset(base58.BITCOIN_ALPHABET.decode())
# Of xpub and tpub: TRON has no letters of its own.
PUBLIC_KEY_VERSIONS: Final = (bytes.fromhex("0488b21e"), bytes.fromhex("043587cf"))
ZERO_KEY: Final = bytes((PREFIX,)) + bytes(20)


class AddressFault(enum.StrEnum):
    """Why a text is no destination of ours."""

    HEXADECIMAL = "HEXADECIMAL"
    LENGTH = "LENGTH"
    CHARACTER = "CHARACTER"
    CHECKSUM = "CHECKSUM"
    WRONG_NETWORK = "WRONG_NETWORK"
    # The account of zero bytes: nobody holds its key.
    ZERO = "ZERO"
    # A token's contract or another that must not be paid.
    CONTRACT = "CONTRACT"
    OWN = "OWN"


def parse_address(text: str) -> Destination:
    """The account that a base58 text stands for. Raises RefusedAddress."""
    if is_hexadecimal(text):
        raise RefusedAddress(AddressFault.HEXADECIMAL, "base58 is expected")
    if len(text) != TEXT_LENGTH:
        raise RefusedAddress(AddressFault.LENGTH, f"{len(text)} characters, not {TEXT_LENGTH}")
    if not BASE58_CHARACTERS.issuperset(text):
        raise RefusedAddress(AddressFault.CHARACTER, "not base58")
    try:
        key = base58.b58decode_check(text)
    except ValueError as error:
        raise RefusedAddress(AddressFault.CHECKSUM, "base58 checksum") from error
    if len(key) != KEY_BYTES:
        raise RefusedAddress(AddressFault.LENGTH, f"{len(key)} bytes, not {KEY_BYTES}")
    if key[0] != PREFIX:
        raise RefusedAddress(AddressFault.WRONG_NETWORK, f"prefix {key[0]:#x}")
    if key == ZERO_KEY:
        raise RefusedAddress(AddressFault.ZERO, "the account of zero bytes")
    return Destination(text, key)


def check_payable(
    destination: Destination, contracts: Collection[bytes], own: Collection[bytes]
) -> None:
    """Refuses contracts that we know and accounts of our own. Raises RefusedAddress."""
    if destination.key in contracts:
        raise RefusedAddress(AddressFault.CONTRACT, "a token's contract cannot be paid")
    if destination.key in own:
        raise RefusedAddress(AddressFault.OWN, "an address of the venue itself")


def address_of(key: bytes) -> str:
    """The text of an account. Raises RefusedAddress when the bytes are none."""
    if len(key) != KEY_BYTES or key[0] != PREFIX:
        raise RefusedAddress(AddressFault.LENGTH, "not 21 bytes that begin with 41")
    return base58.b58encode_check(key).decode()


def account_at(extended_public_key: str, index: int) -> bytes:
    """The account of a child of a branch. Raises Rejected."""
    branch = ExtendedKey.parse(extended_public_key, PUBLIC_KEY_VERSIONS)
    return bytes((PREFIX,)) + keccak(branch.point(index).format(compressed=False)[1:])[12:]


def is_hexadecimal(text: str) -> bool:
    """Whether a text is an account in the node's other notation, with or without 0x or 41."""
    digits = text.lower().removeprefix("0x")
    return len(digits) in (40, 42) and set(digits) <= set("0123456789abcdef")
