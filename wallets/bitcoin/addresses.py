"""Addresses of Bitcoin: text to script bytes, and script bytes to text.

Called by the adapter, for destinations of payouts and for deposit addresses that are given out. A
refusal has a name (`AddressFault`). An address that would be read differently by anybody else is
refused: what was parsed is encoded again and must be the same text.
"""

import enum
from typing import Final

import base58

from wallets.bitcoin import bech32, library
from wallets.bitcoin.networks import NETWORKS, BitcoinNetwork
from wallets.bitcoin.scripts import ScriptKind, dust_atoms, kind_of, program_of, script_of
from wallets.contract import Destination
from wallets.errors import RefusedAddress, Rejected

TEXT_LENGTH_MAX: Final = 90
BECH32_CHARACTERS: Final = frozenset(bech32.CHARACTERS)
BASE58_CHARACTERS: Final = frozenset(base58.BITCOIN_ALPHABET.decode())
WITNESS_VERSIONS: Final = (0, 1)


class AddressFault(enum.StrEnum):
    """Why a text is none of our addresses."""

    LENGTH = "LENGTH"
    CHARACTER = "CHARACTER"
    CHECKSUM = "CHECKSUM"
    WRONG_NETWORK = "WRONG_NETWORK"
    # A witness version or a program that nobody can spend from today.
    SCRIPT_TYPE = "SCRIPT_TYPE"


def parse_address(text: str, network: BitcoinNetwork) -> Destination:
    """The script that an address stands for. Raises RefusedAddress."""
    if not 0 < len(text) <= TEXT_LENGTH_MAX:
        raise RefusedAddress(AddressFault.LENGTH, f"{len(text)} characters")
    prefix, separator, data = text.lower().rpartition("1")
    if separator and prefix in {known.bech32_prefix for known in NETWORKS}:
        return Destination(text, parse_witness(text, prefix, data, network))
    return Destination(text, parse_legacy(text, network))


def parse_witness(text: str, prefix: str, data: str, network: BitcoinNetwork) -> bytes:
    """The script of a bech32 or bech32m address. Raises RefusedAddress."""
    if text not in (text.lower(), text.upper()) or not BECH32_CHARACTERS.issuperset(data):
        raise RefusedAddress(AddressFault.CHARACTER, "not bech32")
    if len(data) < 8:
        raise RefusedAddress(AddressFault.LENGTH, "nothing before the checksum")
    checksum = library.addr_bech32_checksum(text)
    version = bech32.CHARACTERS.index(data[0])
    if checksum != (1 if version == 0 else library.BECH32M_CONST):
        raise RefusedAddress(AddressFault.CHECKSUM, "bech32 checksum")
    if prefix != network.bech32_prefix:
        raise RefusedAddress(AddressFault.WRONG_NETWORK, f"{prefix} is not {network.bech32_prefix}")
    if version not in WITNESS_VERSIONS:
        raise RefusedAddress(AddressFault.SCRIPT_TYPE, f"witness version {version}")
    try:
        program = bytes(library.addr_bech32_to_pubkeyhash(text, prefix))
    except (library.EncodingError, TypeError, ValueError) as error:
        # TypeError: its decoder meets padding that is not zero.
        raise RefusedAddress(AddressFault.LENGTH, "program of the wrong length") from error
    opcode = 0x50 + version if version else 0
    script = bytes((opcode, len(program))) + program
    if kind_of(script) is None:
        raise RefusedAddress(AddressFault.LENGTH, f"program of {len(program)} bytes")
    if address_of(script, network) != text.lower():
        raise RefusedAddress(AddressFault.CHECKSUM, "ambiguous")
    return script


def parse_legacy(text: str, network: BitcoinNetwork) -> bytes:
    """The script of a base58 address. Raises RefusedAddress."""
    if not BASE58_CHARACTERS.issuperset(text):
        raise RefusedAddress(AddressFault.CHARACTER, "not base58 and no known bech32 prefix")
    try:
        payload = base58.b58decode_check(text)
    except ValueError as error:
        raise RefusedAddress(AddressFault.CHECKSUM, "base58 checksum") from error
    if len(payload) != 21:
        raise RefusedAddress(AddressFault.LENGTH, f"{len(payload)} bytes")
    if payload[0] == network.pubkey_hash_version:
        return script_of(ScriptKind.P2PKH, payload[1:])
    if payload[0] == network.script_hash_version:
        return script_of(ScriptKind.P2SH, payload[1:])
    raise RefusedAddress(AddressFault.WRONG_NETWORK, f"version {payload[0]}")


def address_of(script: bytes, network: BitcoinNetwork) -> str:
    """The text of a script. Raises Rejected when it has none."""
    kind = kind_of(script)
    if kind is None:
        raise Rejected("NO_ADDRESS", "the script is not of a standard kind")
    program = program_of(script, kind)
    if kind is ScriptKind.P2PKH:
        return base58.b58encode_check(bytes((network.pubkey_hash_version,)) + program).decode()
    if kind is ScriptKind.P2SH:
        return base58.b58encode_check(bytes((network.script_hash_version,)) + program).decode()
    version = 1 if kind is ScriptKind.P2TR else 0
    return bech32.encode(network.bech32_prefix, version, program)


def check_amount(destination: Destination, amount_atoms: int) -> None:
    """Raises Rejected for what the network would not relay or cannot hold."""
    least = dust_atoms(destination.key)
    if amount_atoms < least:
        raise Rejected("DUST", f"{amount_atoms} satoshi are less than {least}")
    if amount_atoms > 21_000_000 * 100_000_000:
        raise Rejected("AMOUNT_TOO_LARGE", f"{amount_atoms} satoshi are more than exist")
