"""What the words of nodes mean."""

import pytest

from wallets.contract import BroadcastOutcome
from wallets.ethereum.refusals import classify

KNOWN, REFUSED = BroadcastOutcome.KNOWN, BroadcastOutcome.REFUSED


@pytest.mark.parametrize(
    ("words", "outcome", "reason"),
    [
        ("already known", KNOWN, "ALREADY_KNOWN"),
        ("transaction already imported", KNOWN, "ALREADY_KNOWN"),
        ("Known transaction: 0x12", KNOWN, "ALREADY_KNOWN"),
        ("AlreadyKnown", KNOWN, "ALREADY_KNOWN"),
        ("ALREADY_EXISTS: already known", KNOWN, "ALREADY_KNOWN"),
        ("nonce too low: address 0x1, tx: 0 state: 2", KNOWN, "NONCE_USED"),
        ("Nonce too low. Expected nonce to be 3 but got 1.", KNOWN, "NONCE_USED"),
        ("OldNonce, Current nonce: 4", KNOWN, "NONCE_USED"),
        ("replacement transaction underpriced", REFUSED, "REPLACEMENT_FEE"),
        ("could not replace existing tx", REFUSED, "REPLACEMENT_FEE"),
        ("ReplacementNotAllowed", REFUSED, "REPLACEMENT_FEE"),
        (
            "Replacement transaction underpriced. A gasPrice of at least 1",
            REFUSED,
            "REPLACEMENT_FEE",
        ),
        ("transaction underpriced: tip needed 1", REFUSED, "FEE_TOO_LOW"),
        ("Gas price below configured minimum gas price", REFUSED, "FEE_TOO_LOW"),
        ("max fee per gas less than block base fee", REFUSED, "FEE_BELOW_BASE"),
        ("insufficient funds for gas * price + value", REFUSED, "FUNDS_MISSING"),
        ("Insufficient funds for gas * price + value", REFUSED, "FUNDS_MISSING"),
        ("InsufficientFunds, Account balance: 0", REFUSED, "FUNDS_MISSING"),
        ("Upfront cost exceeds account balance", REFUSED, "FUNDS_MISSING"),
        ("invalid chain id for signer: have 1 want 2", REFUSED, "WRONG_CHAIN"),
        ("intrinsic gas too low", REFUSED, "GAS_TOO_LOW"),
        ("txpool is full", REFUSED, "POOL_FULL"),
    ],
)
def test_words_of_every_client_have_one_meaning(
    words: str, outcome: BroadcastOutcome, reason: str
) -> None:
    assert classify(words) == (outcome, reason)


@pytest.mark.parametrize("words", ["", "internal error", "timeout", "null"])
def test_words_nobody_listed_are_unknown_and_never_a_failure(words: str) -> None:
    assert classify(words) == (BroadcastOutcome.UNKNOWN, "NODE_ERROR")
