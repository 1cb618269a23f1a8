"""What a node's words about a transaction mean. A pure table; called by the node client.

Clients differ: geth, Erigon, Nethermind and Besu in their pools, anvil and hardhat in development.
Only a verdict on the transaction itself is a refusal. Words that say "I have it" or "that nonce is
used" mean: look up by hash; what is not in the table is unknown, never a failure.
"""

from typing import Final

from wallets.contract import BroadcastOutcome

ACCEPTED: Final = BroadcastOutcome.ACCEPTED
KNOWN: Final = BroadcastOutcome.KNOWN
REFUSED: Final = BroadcastOutcome.REFUSED
UNKNOWN: Final = BroadcastOutcome.UNKNOWN

# The first that occurs in the words, in lower case, counts.
TABLE: Final = (
    # geth, Erigon; anvil; hardhat; Nethermind; Besu.
    ("already known", KNOWN, "ALREADY_KNOWN"),
    ("transaction already imported", KNOWN, "ALREADY_KNOWN"),
    ("known transaction", KNOWN, "ALREADY_KNOWN"),
    ("alreadyknown", KNOWN, "ALREADY_KNOWN"),
    # Another transaction holds the nonce in this pool; ours may yet be mined elsewhere.
    ("replacement transaction underpriced", REFUSED, "REPLACEMENT_FEE"),
    ("could not replace existing", REFUSED, "REPLACEMENT_FEE"),
    ("replacementnotallowed", REFUSED, "REPLACEMENT_FEE"),
    ("feetoolowtocompete", REFUSED, "FEE_TOO_LOW"),
    ("feetoolow", REFUSED, "FEE_TOO_LOW"),
    # Perhaps used by this very transaction: only a look-up by hash tells.
    ("nonce too low", KNOWN, "NONCE_USED"),
    ("oldnonce", KNOWN, "NONCE_USED"),
    ("nonce below", KNOWN, "NONCE_USED"),
    ("nonce too distant", REFUSED, "NONCE_TOO_HIGH"),
    ("noncegap", REFUSED, "NONCE_TOO_HIGH"),
    ("nonce too high", REFUSED, "NONCE_TOO_HIGH"),
    ("insufficientfunds", REFUSED, "FUNDS_MISSING"),
    ("insufficient funds", REFUSED, "FUNDS_MISSING"),
    ("doesn't have enough funds", REFUSED, "FUNDS_MISSING"),
    ("upfront cost exceeds", REFUSED, "FUNDS_MISSING"),
    ("max fee per gas less than block base fee", REFUSED, "FEE_BELOW_BASE"),
    ("less than the block's baseFeePerGas".lower(), REFUSED, "FEE_BELOW_BASE"),
    ("less than the current base fee", REFUSED, "FEE_BELOW_BASE"),
    ("transaction underpriced", REFUSED, "FEE_TOO_LOW"),
    ("gas price too low", REFUSED, "FEE_TOO_LOW"),
    ("gas price below configured minimum", REFUSED, "FEE_TOO_LOW"),
    ("exceeds the configured cap", REFUSED, "FEE_TOO_HIGH"),
    ("tx fee cap exceeded", REFUSED, "FEE_TOO_HIGH"),
    ("intrinsic gas", REFUSED, "GAS_TOO_LOW"),
    ("exceeds block gas limit", REFUSED, "GAS_TOO_HIGH"),
    ("invalid sender", REFUSED, "WRONG_CHAIN"),
    ("invalid chain id", REFUSED, "WRONG_CHAIN"),
    ("incompatible eip-155", REFUSED, "WRONG_CHAIN"),
    ("chain id mismatch", REFUSED, "WRONG_CHAIN"),
    ("wrong chainid", REFUSED, "WRONG_CHAIN"),
    ("txpool is full", REFUSED, "POOL_FULL"),
    ("transaction pool is full", REFUSED, "POOL_FULL"),
    ("rlp", REFUSED, "MALFORMED"),
    ("failed to decode signed transaction", REFUSED, "MALFORMED"),
)


def classify(message: str) -> tuple[BroadcastOutcome, str]:
    """What an error that answered a send means."""
    words = message.lower()
    for text, outcome, reason in TABLE:
        if text in words:
            return outcome, reason
    return UNKNOWN, "NODE_ERROR"
