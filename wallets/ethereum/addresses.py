"""Addresses: checked by EIP-55, refused by name, derived from an extended public key. Pure.

Called by the adapter. Addresses of customers are plain accounts; no private key is near. An address
without its checksum is refused: one wrong digit of it would be another account, for ever.
"""

import enum
from collections.abc import Collection
from typing import Final

from eth_hash.auto import keccak
from eth_utils.address import is_checksum_address, is_hex_address

from wallets.contract import Destination
from wallets.errors import RefusedAddress
from wallets.extended_keys import ExtendedKey

# Extended public keys: xpub and, of test networks, tpub.
PUBLIC_KEY_VERSIONS: Final = (bytes.fromhex("0488b21e"), bytes.fromhex("043587cf"))
ZERO_ADDRESS: Final = bytes(20)
TEXT_LENGTH: Final = 42


class AddressFault(enum.StrEnum):
    """Why a text is no destination."""

    NOT_AN_ADDRESS = "NOT_AN_ADDRESS"
    CHECKSUM = "CHECKSUM"
    ZERO_ADDRESS = "ZERO_ADDRESS"
    CONTRACT = "CONTRACT"
    OWN_ADDRESS = "OWN_ADDRESS"


def text_of(key: bytes) -> str:
    """An account with its checksum: a letter is a capital where the hash has 8 or more."""
    if len(key) != len(ZERO_ADDRESS):
        raise ValueError(f"an account has {len(ZERO_ADDRESS)} bytes, not {len(key)}")
    digits = key.hex()
    marks = keccak(digits.encode()).hex()
    pairs = zip(digits, marks, strict=False)
    return "0x" + "".join(digit.upper() if mark > "7" else digit for digit, mark in pairs)


def parse_address(text: str, contracts: Collection[bytes]) -> Destination:
    """Checks a destination. `contracts` are our tokens. Raises RefusedAddress."""
    if len(text) != TEXT_LENGTH or not text.startswith("0x") or not is_hex_address(text):
        raise RefusedAddress(AddressFault.NOT_AN_ADDRESS, "0x and 40 hexadecimal digits")
    if not is_checksum_address(text):
        raise RefusedAddress(AddressFault.CHECKSUM, "its capital letters are not its checksum")
    key = bytes.fromhex(text[2:])
    if key == ZERO_ADDRESS:
        raise RefusedAddress(AddressFault.ZERO_ADDRESS, "nobody has its key")
    if key in contracts:
        raise RefusedAddress(AddressFault.CONTRACT, "a token's contract keeps what it gets")
    return Destination(text, key)


def parse_branch(extended_public_key: str) -> ExtendedKey:
    """Reads xpub or tpub. Raises Rejected by name."""
    return ExtendedKey.parse(extended_public_key, PUBLIC_KEY_VERSIONS)


def account_at(branch: ExtendedKey, index: int) -> bytes:
    """The account of a child. Raises Rejected for an index that has none."""
    return keccak(branch.point(index).format(compressed=False)[1:])[12:]
