"""Whose signature a transaction has, which no root says. Pure.

Called where a payment's sender decides. Not in `proofs`: what recovers keys is a large library, and
a process that only reads blocks is small without it.
"""

from typing import Any

from eth_account import Account
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from wallets.ethereum.proofs import FalseBlock, encoded_transaction
from wallets.ethereum.wire import ADDRESS_BYTES, data


def sender_of(transaction: dict[str, Any]) -> bytes:
    """The account whose signature a transaction has. Raises FalseBlock."""
    try:
        found = Account.recover_transaction(encoded_transaction(transaction))
    except (ValueError, TypeError, ValidationError, BadSignature) as error:
        raise FalseBlock(f"a transaction that nobody signed: {error}") from error
    return data(found, ADDRESS_BYTES)
