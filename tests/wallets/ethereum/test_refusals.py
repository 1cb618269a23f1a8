"""What the words of nodes mean."""

import pytest

from wallets.contract import BroadcastOutcome
from wallets.ethereum.refusals import classify

KNOWN, REFUSED = BroadcastOutcome.KNOWN, BroadcastOutcome.REFUSED


# What the nodes said to a transaction that is wrong in one way: anvil 1.7.1, geth 1.17.8, hardhat
# 2.29.1.
HEARD = [
    ("transaction already imported", KNOWN, "ALREADY_KNOWN"),
    ("already known", KNOWN, "ALREADY_KNOWN"),
    ("Known transaction: 0xcefbbe0e", KNOWN, "ALREADY_KNOWN"),
    ("nonce too low", KNOWN, "NONCE_USED"),
    ("nonce too low: next nonce 1, tx nonce 0", KNOWN, "NONCE_USED"),
    (
        "Transaction nonce too low. Expected nonce to be at least 1 but got 0.",
        KNOWN,
        "NONCE_USED",
    ),
    ("replacement transaction underpriced", REFUSED, "REPLACEMENT_FEE"),
    (
        (
            "Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least 110000000000 "
            "is necessary to replace the existing transaction with nonce 0."
        ),
        REFUSED,
        "REPLACEMENT_FEE",
    ),
    ("Insufficient funds for gas * price + value", REFUSED, "FUNDS_MISSING"),
    (
        "insufficient funds for gas * price + value: balance 0, tx cost 2100, overshot 2100",
        REFUSED,
        "FUNDS_MISSING",
    ),
    (
        (
            "Sender doesn't have enough funds to send tx. The max upfront cost is: 2100 and the "
            "sender's balance is: 0."
        ),
        REFUSED,
        "FUNDS_MISSING",
    ),
    ("intrinsic gas too low", REFUSED, "GAS_TOO_LOW"),
    ("intrinsic gas too low: gas 20000, minimum needed 21000", REFUSED, "GAS_TOO_LOW"),
    ("Transaction requires at least 21000 gas but got 20000", REFUSED, "GAS_TOO_LOW"),
    (
        "Transaction requires gas floor of 5621000 but got limit of 5000000",
        REFUSED,
        "GAS_TOO_LOW",
    ),
    (
        "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit",
        REFUSED,
        "GAS_TOO_HIGH",
    ),
    (
        "transaction gas limit too high (cap: 16777216, tx: 100000000)",
        REFUSED,
        "GAS_TOO_HIGH",
    ),
    (
        "Transaction gas limit is 17000000 and exceeds transaction gas cap of 16777216",
        REFUSED,
        "GAS_TOO_HIGH",
    ),
    ("invalid chain id for signer", REFUSED, "WRONG_CHAIN"),
    ("invalid sender: invalid chain id for signer: have 5 want 31337", REFUSED, "WRONG_CHAIN"),
    (
        "Trying to send a raw transaction with an invalid chainId. The expected chainId is 31337",
        REFUSED,
        "WRONG_CHAIN",
    ),
    ("max fee per gas less than block base fee", REFUSED, "FEE_BELOW_BASE"),
    (
        "transaction gas price below minimum: gas tip cap 0, minimum needed 1",
        REFUSED,
        "FEE_TOO_LOW",
    ),
    ("transaction underpriced", REFUSED, "FEE_TOO_LOW"),
    (
        "tx fee (1.26 ether) exceeds the configured cap (1.00 ether)",
        REFUSED,
        "FEE_TOO_HIGH",
    ),
    ("max priority fee per gas higher than max fee per gas", REFUSED, "TIP_ABOVE_FEE"),
    (
        "maxPriorityFeePerGas (2000000000) is bigger than maxFeePerGas (1000000000)",
        REFUSED,
        "TIP_ABOVE_FEE",
    ),
    ("future transaction tries to replace pending", REFUSED, "POOL_FULL"),
    ("oversized data: transaction size 140118, limit 131072", REFUSED, "TOO_LARGE"),
    ("Failed to decode transaction", REFUSED, "MALFORMED"),
    ("Empty transaction data", REFUSED, "MALFORMED"),
    ("rlp: too few elements for types.DynamicFeeTx", REFUSED, "MALFORMED"),
    ("typed transaction too short", REFUSED, "MALFORMED"),
    ("input too short", REFUSED, "MALFORMED"),
]
# What the sources of geth, Erigon, Nethermind (of 2026, and before), Besu and Reth have beside.
READ = [
    ("account limit exceeded", REFUSED, "POOL_FULL"),
    (
        "in-flight transaction limit reached for delegated accounts",
        REFUSED,
        "POOL_FULL",
    ),
    (
        "insufficient gas for floor data gas cost: gas 21000, minimum needed 22000",
        REFUSED,
        "GAS_TOO_LOW",
    ),
    ("ALREADY_EXISTS: already known", KNOWN, "ALREADY_KNOWN"),
    ("existing txn with same hash", KNOWN, "ALREADY_KNOWN"),
    ("INTERNAL_ERROR: existing tx with same hash", KNOWN, "ALREADY_KNOWN"),
    ("AlreadyKnown", KNOWN, "ALREADY_KNOWN"),
    ("Known transaction", KNOWN, "ALREADY_KNOWN"),
    ("OldNonce, Current nonce: 4", KNOWN, "NONCE_USED"),
    ("INTERNAL_ERROR: could not replace existing tx", REFUSED, "REPLACEMENT_FEE"),
    ("ReplacementNotAllowed", REFUSED, "REPLACEMENT_FEE"),
    ("Replacement transaction underpriced", REFUSED, "REPLACEMENT_FEE"),
    (
        "[0x12]: insufficient gas price to replace existing transaction.",
        REFUSED,
        "REPLACEMENT_FEE",
    ),
    ("underpriced", REFUSED, "FEE_TOO_LOW"),
    ("fee too low", REFUSED, "FEE_TOO_LOW"),
    ("FeeTooLow, MaxFeePerGas too low.", REFUSED, "FEE_TOO_LOW"),
    ("FeeTooLowToCompete", REFUSED, "FEE_TOO_LOW"),
    ("transaction underpriced: tip needed 1", REFUSED, "FEE_TOO_LOW"),
    ("Gas price below configured minimum gas price", REFUSED, "FEE_TOO_LOW"),
    (
        "transaction priority fee below minimum required priority fee 1",
        REFUSED,
        "FEE_TOO_LOW",
    ),
    ("Gas price below current base fee", REFUSED, "FEE_BELOW_BASE"),
    ("Max priority fee per gas exceeds max fee per gas", REFUSED, "TIP_ABOVE_FEE"),
    ("Transaction fee cap exceeded", REFUSED, "FEE_TOO_HIGH"),
    ("insufficient funds", REFUSED, "FUNDS_MISSING"),
    ("InsufficientFunds, Account balance: 0", REFUSED, "FUNDS_MISSING"),
    ("Upfront cost exceeds account balance", REFUSED, "FUNDS_MISSING"),
    ("nonce too far in future", REFUSED, "NONCE_TOO_HIGH"),
    ("NonceGap, Future nonce. Expected nonce: 4", REFUSED, "NONCE_TOO_HIGH"),
    (
        "Transaction nonce is too distant from current sender nonce",
        REFUSED,
        "NONCE_TOO_HIGH",
    ),
    ("An invalid transaction with a lower nonce exists", REFUSED, "NONCE_TOO_HIGH"),
    ("IntrinsicGas", REFUSED, "GAS_TOO_LOW"),
    ("Intrinsic gas exceeds gas limit", REFUSED, "GAS_TOO_LOW"),
    ("gas limit is too high", REFUSED, "GAS_TOO_HIGH"),
    ("gas limit reached", REFUSED, "GAS_TOO_HIGH"),
    ("GasLimitExceeded, Gas limit: 30000000", REFUSED, "GAS_TOO_HIGH"),
    ("Transaction gas limit exceeds block gas limit", REFUSED, "GAS_TOO_HIGH"),
    ("queued sub-pool is full", REFUSED, "POOL_FULL"),
    ("txpool is full", REFUSED, "POOL_FULL"),
    ("Wrong chainId", REFUSED, "WRONG_CHAIN"),
    ("invalid chain ID", REFUSED, "WRONG_CHAIN"),
    ("transaction too large", REFUSED, "TOO_LARGE"),
    ("RLPTooLong", REFUSED, "MALFORMED"),
    ("failed to recover sender", REFUSED, "MALFORMED"),
    ("Invalid signature", REFUSED, "MALFORMED"),
]


@pytest.mark.parametrize(("words", "outcome", "reason"), HEARD + READ)
def test_words_of_every_client_have_one_meaning(
    words: str, outcome: BroadcastOutcome, reason: str
) -> None:
    assert classify(words) == (outcome, reason)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "internal error",
        "timeout",
        "null",
        "node is syncing",
        "Initial sync is still in progress",
    ],
)
def test_words_nobody_listed_are_unknown_and_never_a_failure(words: str) -> None:
    assert classify(words) == (BroadcastOutcome.UNKNOWN, "NODE_ERROR")
