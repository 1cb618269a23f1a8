"""Signed transactions taken apart, and call data put together. Pure.

Called by the adapter. Everything about an attempt, its nonce, lane and fees, is read from its own
stored bytes, never from what a node says of it.
"""

from dataclasses import dataclass
from typing import Final

import rlp
from eth_account import Account
from eth_utils.exceptions import ValidationError

from wallets.contract import TransactionId
from wallets.ethereum.addresses import text_of
from wallets.ethereum.blocks import ADDRESS_PAD
from wallets.ethereum.wire import ADDRESS_BYTES, HASH_BYTES, hash_of

TYPE_FEE_MARKET: Final = 2
FIELDS_FEE_MARKET: Final = 12
FIELDS_LEGACY: Final = 9
TRANSFER: Final = bytes.fromhex("a9059cbb")
TRANSFER_BYTES: Final = len(TRANSFER) + 2 * HASH_BYTES


class Malformed(ValueError):
    """Bytes that are no signed transaction of a kind that we make."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction; of a legacy one both fees are its gas price."""

    txid: TransactionId
    lane: bytes
    nonce: int
    gas_limit: int
    max_fee_per_gas_atoms: int
    priority_fee_per_gas_atoms: int
    recipient: bytes
    value_atoms: int
    data: bytes

    @property
    def anchor(self) -> str:
        """What it cannot be mined beside."""
        return anchor_of(self.lane, self.nonce)


def anchor_of(lane: bytes, nonce: int) -> str:
    """ "address:nonce", as the signer writes it."""
    return f"{text_of(lane)}:{nonce}"


def parse_anchor(anchor: str) -> tuple[bytes, int]:
    """Lane and nonce of an anchor."""
    address, _, nonce = anchor.partition(":")
    return bytes.fromhex(address.removeprefix("0x")), int(nonce)


def parse_signed(raw: bytes) -> Signed:
    """Reads a signed transaction. Raises Malformed."""
    try:
        lane = bytes.fromhex(str(Account.recover_transaction(raw))[2:])
        is_fee_market = raw[0] == TYPE_FEE_MARKET
        found = rlp.decode(raw[1:] if is_fee_market else raw, strict=True)
    except (ValueError, TypeError, IndexError, ValidationError, rlp.RLPException) as error:
        raise Malformed(type(error).__name__) from error
    if len(found) != (FIELDS_FEE_MARKET if is_fee_market else FIELDS_LEGACY):
        raise Malformed(f"{len(found)} fields")
    if is_fee_market:
        _, nonce, tip, price, gas, recipient, value, content = found[:8]
    else:
        nonce, price, gas, recipient, value, content = found[:6]
        tip = price
    return Signed(
        txid=TransactionId(hash_of(raw)),
        lane=lane,
        nonce=int.from_bytes(nonce),
        gas_limit=int.from_bytes(gas),
        max_fee_per_gas_atoms=int.from_bytes(price),
        priority_fee_per_gas_atoms=int.from_bytes(tip),
        recipient=recipient,
        value_atoms=int.from_bytes(value),
        data=content,
    )


def transfer_call(recipient: bytes, amount_atoms: int) -> bytes:
    """Call data of `transfer(address,uint256)`."""
    return TRANSFER + ADDRESS_PAD + recipient + amount_atoms.to_bytes(HASH_BYTES)


def payment_of(signed: Signed) -> tuple[bytes, bytes, int] | None:
    """Contract (empty = ether), recipient and amount; None when it is no payment."""
    if not signed.data:
        return (b"", signed.recipient, signed.value_atoms) if signed.value_atoms else None
    data = signed.data
    if len(data) != TRANSFER_BYTES or not data.startswith(TRANSFER + ADDRESS_PAD):
        return None
    start = len(TRANSFER) + len(ADDRESS_PAD)
    recipient = data[start : start + ADDRESS_BYTES]
    return signed.recipient, recipient, int.from_bytes(data[start + ADDRESS_BYTES :])
